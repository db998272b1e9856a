/** The collective of worker threads over shared memory. */
import { describe, expect, it } from 'vitest'
import { SigmoidFocalLoss } from 'focal-loss'
import { type ParallelValue, sharedCollective, sharedMemory } from 'focal-loss/parallel'
import type { SharedRank } from '../../support/shared_rank.js'
import { answerOf } from '../../support/worker.js'

/** More than goes in one stretch. */
const length = 40_001
const x = Float64Array.from({ length: 12 }, (_, k) => 3 * Math.sin(2 * k))
const y = Float64Array.from({ length: 12 }, (_, k) => (k > 4 && k % 3 === 0 ? 1 : 0))

describe('worker threads', () => {
  it.each([2, 3])('%i of them have the loss of one process, and the same bits', async (size) => {
    const memory = sharedMemory(size)
    const each = 12 / size
    const messages = await Promise.all(
      Array.from({ length: size }, async (_, rank) => {
        const [logits, labels] = [x, y].map((all) => all.slice(rank * each, (rank + 1) * each))
        const workerData: SharedRank = { memory, rank, logits, labels, length }
        return (await answerOf('shared_rank.ts', workerData)) as ParallelValue & { grad: Float64Array; long: Float32Array; refusals: string[]; after: number }
      }),
    )
    const whole = new SigmoidFocalLoss({ reduction: 'mean-positives', backend: 'js' }).valueAndGrad(x, y)
    const gradient = messages.flatMap(({ grad }) => [...grad])
    gradient.forEach((grad, k) => expect(grad).toBeCloseTo(whole.grad[k], 14))
    const factor = (size * (size + 1)) / 2
    for (const { value, long, refusals, after } of messages) {
      expect(value).toBe(messages[0].value)
      expect(value).toBeCloseTo(whole.value, 14)
      expect(long).toEqual(Float32Array.from({ length }, (_, k) => (k + 1) * factor))
      expect(refusals).toEqual([
        'RangeError: array is a Float64Array of length 0 on rank 0 and a Float64Array of length 3 on rank 1; expected one type and length on all ranks',
        'RangeError: array is a Float32Array of length 3 on rank 0 and a Float64Array of length 3 on rank 1; expected one type and length on all ranks',
      ])
      expect(after).toBe((size * (size - 1)) / 2)
    }
  }, 60_000)
})

describe('sharedCollective()', () => {
  it('alone adds nothing up', async () => {
    const array = Float64Array.of(1, 2)
    await sharedCollective(sharedMemory(1), 0).allReduce(array, 'sum')
    expect(array).toEqual(Float64Array.of(1, 2))
  })

  it('refuses what it cannot add up', () => {
    const alone = sharedCollective(sharedMemory(1), 0) as { allReduce(...args: unknown[]): void }
    expect(() => alone.allReduce(Int32Array.of(1))).toThrow(new TypeError('array is an Int32Array of length 1; expected a Float32Array or Float64Array'))
    expect(() => alone.allReduce(Float64Array.of(1), 'max')).toThrow(new RangeError("operation is 'max'; expected 'sum'"))
  })

  it('waits for a rank no longer than it is told, and the job has ended then', () => {
    const first = sharedCollective(sharedMemory(2), 0, { timeout: 0.05 })
    const begin = performance.now()
    const message = /^allReduce has waited 0\.05 s for the other threads; one has ended, hangs, or calls something else/
    expect(() => first.allReduce(new Float64Array(2), 'sum')).toThrow(message)
    expect(performance.now() - begin).toBeGreaterThan(45)
    expect(() => first.allReduce(new Float64Array(2), 'sum')).toThrow(message)
  })

  it('refuses what is no memory, no rank, and no option', () => {
    const untyped = sharedCollective as (...args: unknown[]) => unknown
    expect(() => untyped(sharedMemory(1), 0, { timeout: 0 })).toThrow(new RangeError('timeout is 0; expected a number of seconds > 0'))
    expect(() => untyped(sharedMemory(1), 0, { timeout: '5' })).toThrow(new TypeError("timeout is '5'; expected a number of seconds > 0"))
    expect(() => untyped(sharedMemory(1), 0, { limit: 5 })).toThrow(new TypeError("'limit' is not an option of sharedCollective(); expected one of timeout"))

    expect(() => sharedMemory(0)).toThrow(new RangeError('size is 0; expected an integer >= 1'))
    expect(() => sharedCollective({ size: 1 } as never, 0)).toThrow(/^memory is .*; expected what sharedMemory\(\) has made$/)
    expect(() => sharedCollective(sharedMemory(2), 2)).toThrow(new RangeError('rank is 2; expected an integer from 0 to 1'))
  })
})
