/** Ranks that do not belong together, and collectives that do not keep their word: a sentence on every rank, and no wrong loss. */
import { describe, expect, it } from 'vitest'
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { type Collective, type ParallelLoss, parallelStep } from 'focal-loss/parallel'
import { ranksOf } from '../../support/ranks.js'

const sigmoid = new SigmoidFocalLoss({ reduction: 'mean-positives' })
const softmax = new SoftmaxFocalLoss({ reduction: 'mean' })
const one = Float64Array.of(1)

/** What each rank says, of a step that rank `r` does with `stepOf(r)`. */
async function messagesOf(size: number, stepOf: (rank: number, collective: Collective) => Promise<unknown>): Promise<string[]> {
  const outcomes = await Promise.allSettled(ranksOf(size).map((collective, rank) => stepOf(rank, collective)))
  return outcomes.map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason) : 'none'))
}

describe('ranks that differ', () => {
  const losses: readonly (readonly [string, ParallelLoss, ParallelLoss])[] = [
    ['gamma', sigmoid, new SigmoidFocalLoss({ reduction: 'mean-positives', gamma: 1 })],
    ['reduction', sigmoid, new SigmoidFocalLoss({ reduction: 'mean' })],
    ['the loss', sigmoid, new SoftmaxFocalLoss({ reduction: 'mean-positives' })],
  ]
  it.each(losses)('in %s are refused on all ranks, which say what they have', async (_, own, other) => {
    const messages = await messagesOf(3, (rank, collective) => parallelStep(rank === 2 ? other : own, collective).valueAndGrad(new Float64Array(0), []))
    for (const message of messages) expect(message).toMatch(/^Error: the ranks differ in the options of the loss; expected the same on all of them, and here is \{"name":".*\} mean/)
    expect(messages[0]).toBe(messages[1])
    expect(messages[0]).not.toBe(messages[2])
  })

  it('in the type of their logits are refused, but for those that have none', async () => {
    const step = (of: (rank: number) => Float32Array | Float64Array) =>
      messagesOf(2, (rank, collective) => {
        const logits = of(rank)
        return parallelStep(sigmoid, collective).valueAndGrad(logits, Array.from(logits, () => 1))
      })
    const refused = 'Error: the ranks differ in the type of the logits; expected the same on all of them'
    expect(await step((rank) => (rank === 0 ? one : Float32Array.of(1)))).toEqual([refused, refused])
    expect(await step((rank) => (rank === 0 ? one : new Float32Array(0)))).toEqual(['none', 'none'])
  })

  it("in the classes of a softmax are refused; an element-wise loss's parts may have any shape", async () => {
    const step = (loss: ParallelLoss, targets: readonly number[]) =>
      messagesOf(2, (rank, collective) => parallelStep(loss, collective).valueAndGrad(new Float64Array(6), [...targets], { shape: rank === 0 ? [2, 3] : [2, 3, 1], classAxis: 1 }))
    expect(await step(softmax, [0, 1])).toEqual(['none', 'none'])
    const wide = (loss: ParallelLoss, targetsOf: (rank: number) => number[]) =>
      messagesOf(2, (rank, collective) => parallelStep(loss, collective).valueAndGrad(new Float64Array(6), targetsOf(rank), { shape: rank === 0 ? [2, 3] : [3, 2] }))
    const refused = 'Error: the ranks differ in the number of classes; expected the same on all of them'
    expect(await wide(softmax, (rank) => Array.from({ length: 2 + rank }, () => 0))).toEqual([refused, refused])
    expect(await wide(sigmoid, () => [0, 0, 1, 0, 0, 0])).toEqual(['none', 'none'])
  })

  it('in the backend alone are the same', async () => {
    const js = new SigmoidFocalLoss({ reduction: 'mean-positives', backend: 'js' })
    expect(await messagesOf(2, (rank, collective) => parallelStep(rank === 0 ? sigmoid : js, collective).valueAndGrad(one, [1]))).toEqual(['none', 'none'])
  })
})

describe('ranks without samples or positives', () => {
  it('have the loss of the others, all of them empty one of 0', async () => {
    const of = (logits: number[][]) =>
      Promise.all(ranksOf(logits.length).map((collective, rank) => parallelStep(sigmoid, collective).valueAndGrad(Float64Array.from(logits[rank]), Array.from(logits[rank], (x) => (x > 0 ? 1 : 0)))))
    const { value } = sigmoid.valueAndGrad(Float64Array.of(2, -1, -3), [1, 0, 0])
    for (const each of await of([[], [2, -1], [-3]])) expect(each.value).toBeCloseTo(value, 14)
    for (const each of await of([[], []])) expect(each).toMatchObject({ value: 0, denominator: 1, sums: { sum: 0, elements: 0, rows: 0, positives: 0 } })
    // Without a positive anywhere the sum is divided by 1
    const none = sigmoid.valueAndGrad(Float64Array.of(-1, -3), [0, 0]).value
    for (const each of await of([[-1], [-3]])) expect(each.value).toBeCloseTo(none, 14)
  })
})

describe('a collective that does not do what it says', () => {
  const stepWith = (size: number, allReduce: Collective['allReduce']) =>
    parallelStep(sigmoid, { rank: 0, size, allReduce })
      .valueAndGrad(one, [1])
      .then(() => 'none', String)
  const added = (ranks: number, size: number) => `Error: collective.allReduce has added up ${ranks} ${ranks === 1 ? 'rank' : 'ranks'}; expected ${size}, in place, once it returns or its promise resolves`
  const later = (array: Float64Array | Float32Array) => setImmediate(() => array.set(array.map((each) => 2 * each)))

  it('by doing nothing, by another size, by averaging, by a copy, and by returning too early', async () => {
    expect(await stepWith(2, () => undefined)).toBe(added(1, 2))
    expect(await stepWith(1, (array) => array.set(array.map((each) => 2 * each)))).toBe(added(2, 1))
    expect(await stepWith(4, (array) => array.fill(NaN) as unknown as undefined)).toBe(added(NaN, 4))
    expect(await stepWith(2, (array) => void array.map((each) => 2 * each))).toBe(added(1, 2))
    expect(await stepWith(2, (array) => void later(array))).toBe(added(1, 2))
    expect(await stepWith(2, (array) => new Promise<void>((done) => {
      later(array)
      setImmediate(done)
    }))).toBe('none')
  })

  it('by throwing or rejecting: its own error, or that of the part that was refused before', async () => {
    const broken = new Error('the cable is out')
    expect(await stepWith(2, () => { throw broken })).toBe(String(broken))
    expect(await stepWith(2, () => Promise.reject(broken))).toBe(String(broken))
    const refused = parallelStep(sigmoid, { rank: 0, size: 2, allReduce: () => Promise.reject(broken) }).valueAndGrad(one, [7])
    await expect(refused).rejects.toThrow(new RangeError('targets[0] is 7; expected a number from 0 to 1'))
  })
})

describe('messages name what was called', () => {
  const untyped = parallelStep(sigmoid, ranksOf(1)[0]) as unknown as {
    valueAndGrad(...args: unknown[]): Promise<unknown>
    batch(): { add(...args: unknown[]): unknown; finish(...args: unknown[]): Promise<unknown> }
  }
  const options = "expected one of dtype, shape, classAxis, targetKind, weights, mask, grad, gradScale"

  it('the step', async () => {
    await expect(untyped.valueAndGrad(one, [1], { normalizer: 2 })).rejects.toThrow(new TypeError(`'normalizer' is not an option of valueAndGrad() of a parallel step; ${options}`))
    await expect(untyped.valueAndGrad(one, [1], { out: true })).rejects.toThrow(new TypeError(`'out' is not an option of valueAndGrad() of a parallel step; ${options}`))
    await expect(untyped.valueAndGrad(one, [1], null)).rejects.toThrow(new TypeError('call options is null; expected an object with options'))
    await expect(untyped.valueAndGrad(one, [1], {}, 1)).rejects.toThrow(new TypeError('valueAndGrad() was given 4 arguments; expected at most 3'))
  })

  it('a part of a batch, and its end', async () => {
    const batch = untyped.batch()
    expect(() => batch.add(one, [1], { normalizer: 2 })).toThrow(new TypeError(`'normalizer' is not an option of add() of a parallel batch; ${options}`))
    expect(() => batch.add(one, [1], 5)).toThrow(new TypeError('call options is 5; expected an object with options'))
    await expect(untyped.batch().finish(1)).rejects.toThrow(new TypeError('finish() was given 1 argument; expected none'))
  })
})
