/** The collective of worker threads over shared memory. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { SigmoidFocalLoss } from 'focal-loss'
import { type ParallelValue, sharedCollective, sharedMemory } from 'focal-loss/parallel'
import type { SharedRank } from '../../support/shared_rank.js'

/** More than goes in one stretch. */
const length = 40_001
const x = Float64Array.from({ length: 12 }, (_, k) => 3 * Math.sin(2 * k))
const y = Float64Array.from({ length: 12 }, (_, k) => (k > 4 && k % 3 === 0 ? 1 : 0))

/** A worker's program: one in TypeScript, which workers do not load themselves. */
const typescriptIn = (file: string) => `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(new URL(file, import.meta.url).href)})))`

describe('worker threads', () => {
  it.each([2, 3])('%i of them have the loss of one process, and the same bits', async (size) => {
    const memory = sharedMemory(size)
    const each = 12 / size
    const messages = await Promise.all(
      Array.from({ length: size }, async (_, rank) => {
        const [logits, labels] = [x, y].map((all) => all.slice(rank * each, (rank + 1) * each))
        const workerData: SharedRank = { memory, rank, logits, labels, length }
        const worker = new Worker(typescriptIn('../../support/shared_rank.ts'), { eval: true, workerData })
        const [message] = (await once(worker, 'message')) as [ParallelValue & { grad: Float64Array; long: Float32Array }]
        await worker.terminate()
        return message
      }),
    )
    const whole = new SigmoidFocalLoss({ reduction: 'mean-positives', backend: 'js' }).valueAndGrad(x, y)
    const gradient = messages.flatMap(({ grad }) => [...grad])
    gradient.forEach((grad, k) => expect(grad).toBeCloseTo(whole.grad[k], 14))
    const factor = (size * (size + 1)) / 2
    for (const { value, long } of messages) {
      expect(value).toBe(messages[0].value)
      expect(value).toBeCloseTo(whole.value, 14)
      expect(long).toEqual(Float32Array.from({ length }, (_, k) => (k + 1) * factor))
    }
  }, 60_000)
})

describe('sharedCollective()', () => {
  it('alone adds nothing up', async () => {
    const array = Float64Array.of(1, 2)
    await sharedCollective(sharedMemory(1), 0).allReduce(array, 'sum')
    expect(array).toEqual(Float64Array.of(1, 2))
  })

  it('refuses what is no memory, and no rank', () => {
    expect(() => sharedMemory(0)).toThrow(new RangeError('size is 0; expected an integer >= 1'))
    expect(() => sharedCollective({ size: 1 } as never, 0)).toThrow(/^memory is .*; expected what sharedMemory\(\) has made$/)
    expect(() => sharedCollective(sharedMemory(2), 2)).toThrow(new RangeError('rank is 2; expected an integer from 0 to 1'))
  })
})
