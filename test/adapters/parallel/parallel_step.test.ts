/** Ranks that share a batch have the loss and the gradients of one process that has it alone. */
import { describe, expect, it } from 'vitest'
import {
  AsymmetricLoss,
  AsymmetricSoftmaxLoss,
  DistributionFocalLoss,
  FocalStarLoss,
  HeatmapFocalLoss,
  QualityFocalLoss,
  SigmoidFocalLoss,
  SoftmaxFocalLoss,
  VarifocalLoss,
} from 'focal-loss'
import { type Collective, parallelStep } from 'focal-loss/parallel'
import { ranksOf } from '../../support/ranks.js'

const rows = 12
const classes = 3
const x = Float64Array.from({ length: rows * classes }, (_, k) => 4 * Math.sin(3 * k + 1))
const indices = Int32Array.from({ length: rows }, (_, r) => (r < 4 || r % 3 === 0 ? classes : r % classes))
const weights = Float64Array.from({ length: rows }, (_, r) => 0.5 + (r % 4))
const mask = Uint8Array.from({ length: rows }, (_, r) => (r % 5 === 2 ? 0 : 1))

/** Rows of each rank: uneven, the first without positives, one without anything. */
const shares: Record<number, number[]> = { 1: [12], 2: [4, 8], 3: [4, 0, 8], 4: [3, 1, 0, 8] }
const begins = (size: number) => shares[size].map((_, rank) => shares[size].slice(0, rank).reduce((a, b) => a + b, 0))

const partOf = (size: number, rank: number, logits: Float64Array | Float32Array) => {
  const begin = begins(size)[rank]
  const end = begin + shares[size][rank]
  return {
    logits: logits.slice(begin * classes, end * classes),
    targets: indices.slice(begin, end),
    call: { shape: [end - begin, classes], weights: weights.slice(begin, end), mask: mask.slice(begin, end) },
  }
}
const reductions = ['mean', 'mean-rows', 'mean-positives', 'sum'] as const
const losses = [
  ...reductions.map((reduction) => new SigmoidFocalLoss({ reduction, background: 'num-classes' })),
  ...reductions.map((reduction) => new SoftmaxFocalLoss({ reduction, background: 'num-classes', labelSmoothing: 0.1 })),
]
const titled = losses.map((loss) => [`${loss.constructor.name}, ${loss.options.reduction}`, loss] as const)

describe.each([1, 2, 3, 4])('%i ranks', (size) => {
  it.each(titled)('%s: the value, the sums and the gradients of the whole batch', async (_, loss) => {
    for (const [logits, digits] of [[x, 12], [Float32Array.from(x), 6]] as const) {
      const call = { shape: [rows, classes], weights, mask }
      const whole = loss.valueAndGrad(logits, indices, call)
      const results = await Promise.all(
        ranksOf(size).map((collective, rank) => {
          const part = partOf(size, rank, logits)
          return parallelStep(loss, collective).valueAndGrad(part.logits, part.targets, part.call)
        }),
      )
      const gradient = results.flatMap(({ grad }) => [...grad])
      gradient.forEach((each, k) => expect(each).toBeCloseTo(whole.grad[k], digits))
      const { elements, rows: valid, positives } = loss.sums(logits, indices, call)
      for (const { value, sums, denominator, grad } of results) {
        expect(Math.abs(value - whole.value)).toBeLessThanOrEqual(10 ** -digits * Math.abs(whole.value))
        expect(sums).toMatchObject({ elements, rows: valid, positives })
        expect(denominator).toBe(loss.denominator(sums))
        expect(grad).toBeInstanceOf(logits.constructor)
      }
    }
  })

  it.each(titled)('%s: a batch in parts', async (_, loss) => {
    const whole = loss.valueAndGrad(x, indices, { shape: [rows, classes], weights, mask })
    await Promise.all(
      ranksOf(size).map(async (collective, rank) => {
        const { logits, targets, call } = partOf(size, rank, x)
        const batch = parallelStep(loss, collective).batch()
        const grads: number[] = []
        for (let r = 0; r < targets.length; r++) {
          const one = { shape: [1, classes], weights: call.weights.subarray(r, r + 1), mask: call.mask.subarray(r, r + 1) }
          grads.push(...batch.add(logits.slice(r * classes, (r + 1) * classes), targets.subarray(r, r + 1), one).grad)
        }
        const { value, denominator } = await batch.finish()
        expect(value).toBeCloseTo(whole.value, 12)
        grads.forEach((each, k) => expect(each / denominator).toBeCloseTo(whole.grad[begins(size)[rank] * classes + k], 12))
      }),
    )
  })
})

describe('a step', () => {
  const loss = new SigmoidFocalLoss({ reduction: 'mean-positives', background: classes })
  const labelled = new SigmoidFocalLoss({ reduction: 'mean-positives' })

  it('is not the mean of the means of the ranks', async () => {
    const own = shares[2].map((_, rank) => loss.value(partOf(2, rank, x).logits, partOf(2, rank, x).targets, { shape: [shares[2][rank], classes] }))
    const steps = await Promise.all(ranksOf(2).map((collective, rank) => {
      const { logits, targets, call } = partOf(2, rank, x)
      return parallelStep(loss, collective).valueAndGrad(logits, targets, { shape: call.shape })
    }))
    expect(Math.abs(steps[0].value - (own[0] + own[1]) / 2)).toBeGreaterThan(0.01)
  })

  it('writes the gradient where it is told, the logits themselves too, and scales it', async () => {
    const [alone] = ranksOf(1)
    const expected = loss.valueAndGrad(x, indices, { shape: [rows, classes] }).grad
    const logits = x.slice()
    const { grad } = await parallelStep(loss, alone).valueAndGrad(logits, indices, { shape: [rows, classes], grad: logits, gradScale: 8 })
    expect(grad).toBe(logits)
    expected.forEach((each, k) => expect(grad[k]).toBeCloseTo(8 * each, 12))
  })

  it('refuses a gradient that it could not divide, and takes half precision with one that it can', async () => {
    const [alone] = ranksOf(1)
    const step = parallelStep(labelled, alone) as unknown as { valueAndGrad(...args: unknown[]): Promise<{ grad: Float32Array }> }
    const halves = Uint16Array.of(0x3c00, 0x4000)
    await expect(step.valueAndGrad(halves, [1, 0], { dtype: 'float16' })).rejects.toThrow(new TypeError('logits is a Uint16Array of length 2; expected a Float32Array or Float64Array'))
    await expect(step.valueAndGrad(Float64Array.of(1, 2), [1, 0], { grad: false })).rejects.toThrow(new TypeError('grad is false; expected a Float32Array or Float64Array'))
    const { grad } = await step.valueAndGrad(halves, [1, 0], { dtype: 'float16', grad: new Float32Array(2) })
    const { grad: expected } = labelled.valueAndGrad(Float32Array.of(1, 2), [1, 0])
    grad.forEach((each, k) => expect(each).toBeCloseTo(expected[k], 6))
  })

  it('that one rank refuses is refused on all of them, and none waits', async () => {
    const outcomes = await Promise.allSettled(
      ranksOf(3).map((collective, rank) => parallelStep(labelled, collective).valueAndGrad(Float64Array.of(1), rank === 1 ? [2] : [1])),
    )
    const reasons = outcomes.map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason) : 'none'))
    expect(reasons[1]).toBe('RangeError: targets[0] is 2; expected a number from 0 to 1')
    expect(reasons[0]).toBe('Error: 1 of 3 ranks refused their part of the batch; their errors say why')
    expect(reasons[2]).toBe(reasons[0])
  })

  it('in parts: a part that is refused ends the batch the same way', async () => {
    const [first, second] = ranksOf(2).map((collective) => parallelStep(labelled, collective).batch())
    first.add(Float64Array.of(1), [1])
    expect(() => first.add(Float64Array.of(1), [2])).toThrow(RangeError)
    const outcomes = await Promise.allSettled([first.finish(), second.finish()])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(() => second.add(Float64Array.of(1), [1])).toThrow('the batch is finished; expected a new one, which batch() makes')
    await expect(second.finish()).rejects.toThrow('the batch is finished')
  })
})

describe('every other loss', () => {
  const soft = Float64Array.from({ length: rows * classes }, (_, k) => (k < 4 * classes ? 0 : (k % 5) / 4))
  const hard = soft.map((each) => Math.round(each))
  const perRow = Int32Array.from(indices, (index) => index % classes)
  it.each([
    [new SigmoidFocalLoss({ reduction: 'mean-positives', gamma: [0.5, 1, 3] }), hard],
    [new SoftmaxFocalLoss({ reduction: 'mean', gamma: [0.5, 1, 3] }), perRow],
    [new FocalStarLoss({ reduction: 'mean-positives' }), hard],
    [new QualityFocalLoss({ reduction: 'mean-positives' }), soft],
    [new VarifocalLoss({ reduction: 'sum' }), soft],
    [new HeatmapFocalLoss({ reduction: 'mean-positives' }), soft],
    [new AsymmetricLoss({ reduction: 'mean' }), hard],
    [new AsymmetricSoftmaxLoss({ reduction: 'mean' }), perRow],
    [new DistributionFocalLoss({ reduction: 'mean-rows' }), perRow],
  ])('%#: three ranks, one empty and one without positives, have the value and the gradients of one process', async (loss, targets) => {
    const whole = loss.valueAndGrad(x, targets, { shape: [rows, classes] })
    const perSample = targets.length / rows
    const results = await Promise.all(
      ranksOf(3).map((collective, rank) => {
        const [begin, end] = [begins(3)[rank], begins(3)[rank] + shares[3][rank]]
        return parallelStep(loss, collective).valueAndGrad(x.slice(begin * classes, end * classes), targets.slice(begin * perSample, end * perSample), { shape: [end - begin, classes] })
      }),
    )
    for (const { value } of results) expect(value).toBeCloseTo(whole.value, 12)
    results.flatMap(({ grad }) => [...grad]).forEach((each, k) => expect(each).toBeCloseTo(whole.grad[k], 12))
  })
})

describe('what parallelStep() refuses', () => {
  const untyped = parallelStep as (...args: unknown[]) => unknown
  const loss = new SigmoidFocalLoss()
  const collective: Collective = { rank: 0, size: 1, allReduce: () => undefined }

  it.each([
    [[new SigmoidFocalLoss({ reduction: 'none' }), collective], "loss has reduction 'none'; expected 'mean', 'mean-rows', 'mean-positives' or 'sum', as ranks share one loss"],
    [[SigmoidFocalLoss, collective], 'loss is the class SigmoidFocalLoss; expected an object of it, as new SigmoidFocalLoss() makes one'],
    [[loss], 'collective is undefined; expected an object with the methods allReduce'],
    [[loss, { ...collective, size: '2' }], "collective.size is '2'; expected an integer >= 1"],
    [[loss, { ...collective, rank: 1 }], 'collective.rank is 1; expected an integer from 0 to 0'],
    [[loss, { ...collective, size: 0 }], 'collective.size is 0; expected an integer >= 1'],
    [[loss, collective, 1], 'parallelStep() was given 3 arguments; expected at most 2'],
  ])('%#', (args, message) => {
    expect(() => untyped(...args)).toThrow(message)
  })
})
