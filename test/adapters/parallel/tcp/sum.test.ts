/** What joinTcp() adds up is the same on all ranks, and what worker threads have. */
import { afterEach, describe, expect, it } from 'vitest'
import { SigmoidFocalLoss } from 'focal-loss'
import { parallelStep, sharedMemory } from 'focal-loss/parallel'
import { joinTcp, type TcpCollective } from 'focal-loss/tcp'
import { messageOf } from '../../../support/message.js'
import { freePort } from '../../../support/ports.js'
import type { SharedSum } from '../../../support/shared_sum.js'
import { answerOf } from '../../../support/worker.js'

let joined: TcpCollective[] = []
afterEach(() => {
  for (const each of joined) each.close()
})

async function join(size: number, timeout = 5): Promise<TcpCollective[]> {
  const port = await freePort()
  // The last first: they wait for rank 0
  joined = (await Promise.all(Array.from({ length: size }, (_, k) => joinTcp({ rank: size - 1 - k, size, port, secret: 'of the test', timeout })))).reverse()
  return joined
}

/** Of a size at which the order of a sum shows. */
const numbersOf = (rank: number, length: number) => Float64Array.from({ length }, (_, k) => 10 ** ((7 * k + 5 * rank) % 17) * Math.sin(k + 3 * rank + 1))
const bitsOf = (array: Float64Array | Float32Array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('hex')

it.each([1, 2, 3, 4])('%i ranks have the bits of worker threads', async (size) => {
  const ranks = await join(size)
  const arrays = ranks.map(({ rank }) => [0, 1, 5, 65_536, 200_001].flatMap((length) => [numbersOf(rank, length), Float32Array.from(numbersOf(rank, length))]))
  const memory = sharedMemory(size)
  const expected = (await Promise.all(arrays.map((own, rank) => answerOf('shared_sum.ts', { memory, rank, arrays: own } satisfies SharedSum)))) as Float64Array[][]
  for (const [rank, own] of arrays.entries()) {
    for (const array of own) void ranks[rank].allReduce(array, 'sum')
  }
  await Promise.all(ranks.map((each) => each.allReduce(new Float64Array(0), 'sum')))
  for (const own of arrays) own.forEach((array, k) => expect(bitsOf(array) === bitsOf(expected[0][k])).toBe(true))
}, 100_000)

describe('three ranks', () => {
  it('have the loss of one process', async () => {
    const x = numbersOf(0, 12).map((each) => Math.log(Math.abs(each)))
    const y = x.map((each) => (each > 2 ? 1 : 0))
    const loss = new SigmoidFocalLoss({ reduction: 'mean-positives' })
    const whole = loss.valueAndGrad(x, y)
    const results = await Promise.all((await join(3)).map((ranks, rank) => parallelStep(loss, ranks).valueAndGrad(x.slice(4 * rank, 4 * rank + 4), y.slice(4 * rank, 4 * rank + 4))))
    for (const { value } of results) expect(value).toBeCloseTo(whole.value, 14)
    results.flatMap(({ grad }) => [...grad]).forEach((each, k) => expect(each).toBeCloseTo(whole.grad[k], 14))
  })

  it('have several sums under way, one after another, in views of a larger array', async () => {
    const ranks = await join(3)
    const all = ranks.map(({ rank }) => Float32Array.from({ length: 300_000 }, (_, k) => k % 100 + rank))
    await Promise.all(ranks.flatMap((each, rank) => [0, 1, 2].map((part) => each.allReduce(all[rank].subarray(100_000 * part, 100_000 * part + 99_999), 'sum'))))
    for (const [rank, array] of all.entries()) {
      expect(array.every((each, k) => each === (k % 100_000 === 99_999 ? 99 + rank : 3 * (k % 100) + 3))).toBe(true)
    }
  })
})

describe('ranks that call different things', () => {
  it.each([
    [[new Float64Array(5), new Float64Array(5), new Float64Array(4)], 'array is a Float64Array of length 5 on rank 0 and a Float64Array of length 4 on rank 2; expected one type and length on all ranks'],
    [[new Float64Array(5), new Float32Array(5), new Float64Array(5)], 'array is a Float64Array of length 5 on rank 0 and a Float32Array of length 5 on rank 1; expected one type and length on all ranks'],
    [[new Float64Array(100_000), new Float64Array(0), new Float64Array(100_000)], 'array is a Float64Array of length 100000 on rank 0 and a Float64Array of length 0 on rank 1; expected one type and length on all ranks'],
  ])('all reject with what two of them have, and go on rejecting: %#', async (arrays, message) => {
    const ranks = await join(3)
    for (let call = 0; call < 2; call++) {
      expect(await Promise.all(ranks.map((each, rank) => messageOf(each.allReduce(arrays[rank], 'sum'))))).toEqual([message, message, message])
    }
  })

  it('reject where one is silent, within the limit', async () => {
    const ranks = await join(3, 0.5)
    const reasons = await Promise.all(ranks.slice(0, 2).map((each) => messageOf(each.allReduce(new Float64Array(5)))))
    expect(reasons[0]).toMatch(/^0\.5 s have passed without a sign of rank [12] of 3$/)
    expect(reasons[1]).toMatch(/^0\.5 s have passed without a sign of rank [02] of 3$/)
  })

  it('reject where one has left', async () => {
    const [first, second] = await join(2)
    second.close()
    await expect(first.allReduce(new Float64Array(5))).rejects.toThrow('rank 1 of 2 has left the job, and its connection is closed')
    await expect(second.allReduce(new Float64Array(5))).rejects.toThrow('this rank has left the job; expected no call after close()')
  })
})

it('refuses what it cannot add up', async () => {
  const [alone] = await join(1)
  const untyped = alone.allReduce.bind(alone) as (...args: unknown[]) => Promise<void>
  await expect(untyped(Int32Array.of(1))).rejects.toThrow(new TypeError('array is an Int32Array of length 1; expected a Float32Array or Float64Array'))
  await expect(untyped(Float64Array.of(1), 'max')).rejects.toThrow(new RangeError("operation is 'max'; expected 'sum'"))
})
