/** Every preset against what the library it is named after computes, written out plainly; the libraries' own numbers are in peers.test.ts. */
import { describe, expect, it } from 'vitest'
import { presets, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import { type AnyOptions, flat, type LossName, lossOf } from '../support/losses.js'

/** Five rows of three classes. */
const x = Float64Array.of(0.5, -2, 1.5, -0.3, 0.7, 0, 3, -1, 0.2, -4, 2.5, 1, 0.1, -0.6, -1.2)
const shape = [5, 3]
const hard = [1, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1]
const soft = [0.7, 0.2, 1, 0, 0.4, 0.9, 0, 0.1, 1, 0.5, 0, 0.3, 0.8, 1, 0]
const ignoring = (labels: readonly number[]) => labels.map((y, k) => (k === 4 || k === 9 ? -100 : y))

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z))
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
const mean = (values: readonly number[]) => sum(values) / values.length
const each = (labels: readonly number[], loss: (z: number, y: number) => number) => labels.map((y, k) => loss(x[k], y))
const perRow = (loss: (row: number) => number) => Array.from({ length: 5 }, (_, row) => loss(row))

/** Gamma 2. Soft labels mix the probability of the truth and the balance, not the losses. */
const focal = (alpha: number | null) => (z: number, y: number) => {
  const p = sigmoid(z)
  const truth = p * y + (1 - p) * (1 - y)
  const balance = alpha === null ? 1 : alpha * y + (1 - alpha) * (1 - y)
  return balance * (1 - truth) ** 2 * -(y * Math.log(p) + (1 - y) * Math.log(1 - p))
}

/** The losses of a row whose class is `index`; any other number is no class. */
const detector = (row: number, index: number) => [0, 1, 2].map((c) => focal(0.25)(x[row * 3 + c], Number(c === index)))

/** Gamma 2, over the softmax of a row. */
const softmax = (row: number, c: number) => {
  const exps = Array.from(x.subarray(row * 3, row * 3 + 3), Math.exp)
  const p = exps[c] / sum(exps)
  return (1 - p) ** 2 * -Math.log(p)
}

const crossEntropy = (z: number, y: number) => -(y * Math.log(sigmoid(z)) + (1 - y) * Math.log(1 - sigmoid(z)))

/** mmdetection's: the negatives' part everywhere, then the positives in its place. */
const quality = (z: number, score: number) =>
  score === 0 ? crossEntropy(z, 0) * sigmoid(z) ** 2 : crossEntropy(z, score) * Math.abs(score - sigmoid(z)) ** 2

/** RT-DETR's: binary cross entropy with the score, weighed by it, or by the prediction where there is none. */
const vfl = (z: number, score: number) => crossEntropy(z, score) * (score > 0 ? score : 0.75 * sigmoid(z) ** 2)

/** The authors': the probability of the truth, clipped, and the power of what is missing from it. */
const asymmetric = (gammaPositive: number) => (z: number, y: number) => {
  const truth = y === 1 ? sigmoid(z) : Math.min(1, 1 - sigmoid(z) + 0.05)
  return -Math.log(truth) * (1 - truth) ** (y === 1 ? gammaPositive : 4)
}

/** CenterNet's: peaks, and everything else. */
const peak = (z: number, y: number) => {
  const p = sigmoid(z)
  return y === 1 ? -Math.log(p) * (1 - p) ** 2 : -Math.log(1 - p) * p ** 2 * (1 - y) ** 4
}

/** Class indices as a library writes them. */
const indices = (background: number, other: number) => [1, background, 2, other, 0]

interface Case {
  readonly loss: LossName
  readonly options: AnyOptions
  readonly targets: readonly number[]
  readonly normalizer?: number
  readonly expected: readonly number[]
}

const cases: Record<keyof typeof presets, Case> = {
  crossEntropy: {
    loss: 'SigmoidFocalLoss',
    options: presets.crossEntropy,
    targets: soft,
    expected: [mean(each(soft, (z, y) => -y * Math.log(sigmoid(z)) - (1 - y) * Math.log(sigmoid(-z))))],
  },
  weightedCrossEntropy: {
    loss: 'SigmoidFocalLoss',
    options: presets.weightedCrossEntropy(3, 0.5),
    targets: soft,
    // alpha mixes before it multiplies, as everywhere
    expected: [mean(each(soft, (z, y) => (3 * y + 0.5 * (1 - y)) * (-y * Math.log(sigmoid(z)) - (1 - y) * Math.log(sigmoid(-z)))))],
  },
  torchvision: { loss: 'SigmoidFocalLoss', options: presets.torchvision, targets: soft, expected: each(soft, focal(0.25)) },
  fvcore: { loss: 'SigmoidFocalLoss', options: presets.fvcore, targets: soft, expected: each(soft, focal(null)) },
  fvcoreStar: { loss: 'FocalStarLoss', options: presets.fvcoreStar, targets: hard, expected: each(hard, crossEntropy) },
  optax: { loss: 'SigmoidFocalLoss', options: presets.optax, targets: soft, expected: each(soft, focal(null)) },
  keras: {
    loss: 'SigmoidFocalLoss',
    options: presets.keras,
    targets: soft,
    expected: [mean(perRow((row) => mean(each(soft, focal(null)).slice(row * 3, row * 3 + 3))))],
  },
  kerasCategorical: {
    loss: 'SoftmaxFocalLoss',
    options: presets.kerasCategorical,
    targets: soft,
    expected: [mean(perRow((row) => sum([0, 1, 2].map((c) => 0.25 * soft[row * 3 + c] * softmax(row, c)))))],
  },
  tensorflowAddons: { loss: 'SigmoidFocalLoss', options: presets.tensorflowAddons, targets: soft, expected: each(soft, focal(0.25)) },
  paddle: {
    loss: 'SigmoidFocalLoss',
    options: presets.paddle,
    targets: soft,
    normalizer: 7,
    expected: [sum(each(soft, focal(0.25))) / 7],
  },
  kornia: {
    loss: 'SigmoidFocalLoss',
    options: presets.kornia,
    targets: ignoring(soft),
    expected: each(ignoring(soft), (z, y) => (y === -100 ? 0 : y * focal(0.25)(z, 1) + (1 - y) * focal(0.25)(z, 0))),
  },
  korniaSoftmax: {
    loss: 'SoftmaxFocalLoss',
    options: presets.korniaSoftmax(3, 0.8),
    targets: indices(0, -100),
    expected: [0.8 * softmax(0, 1), 0.2 * softmax(1, 0), 0.8 * softmax(2, 2), 0, 0.2 * softmax(4, 0)],
  },
  monai: { loss: 'SigmoidFocalLoss', options: presets.monai, targets: hard, expected: [mean(each(hard, focal(null)))] },
  monaiSoftmax: {
    loss: 'SoftmaxFocalLoss',
    options: presets.monaiSoftmax(3, 0.8),
    targets: indices(0, 2),
    expected: [sum([0.8 * softmax(0, 1), 0.2 * softmax(1, 0), 0.8 * softmax(2, 2), 0.8 * softmax(3, 2), 0.2 * softmax(4, 0)]) / (5 * 3)],
  },
  mmcv: {
    loss: 'SigmoidFocalLoss',
    options: presets.mmcv,
    targets: indices(3, 1),
    expected: [sum(indices(3, 1).flatMap((index, row) => detector(row, index))) / 5],
  },
  mmcvSoftmax: {
    loss: 'SoftmaxFocalLoss',
    options: presets.mmcvSoftmax,
    targets: indices(-1, 1),
    expected: [(0.25 * sum([softmax(0, 1), softmax(2, 2), softmax(3, 1), softmax(4, 0)])) / 5],
  },
  mmdetection: {
    loss: 'SigmoidFocalLoss',
    options: presets.mmdetection,
    targets: indices(3, 1),
    expected: [mean(indices(3, 1).flatMap((index, row) => detector(row, index)))],
  },
  rtdetr: { loss: 'VarifocalLoss', options: presets.rtdetr, targets: soft, normalizer: 4, expected: [sum(each(soft, vfl)) / 4] },
  mmdetectionQuality: { loss: 'QualityFocalLoss', options: presets.mmdetectionQuality, targets: soft, expected: [sum(each(soft, quality)) / 5] },
  mmpretrainAsymmetric: {
    loss: 'AsymmetricLoss',
    options: presets.mmpretrainAsymmetric,
    targets: hard,
    expected: [mean(each(hard, asymmetric(0)))],
  },
  miilAsymmetric: { loss: 'AsymmetricLoss', options: presets.miilAsymmetric, targets: hard, expected: [sum(each(hard, asymmetric(1)))] },
  centernet: {
    loss: 'HeatmapFocalLoss',
    options: presets.centernet,
    targets: soft,
    expected: [sum(each(soft, peak)) / soft.filter((y) => y === 1).length],
  },
  mmpretrain: { loss: 'SigmoidFocalLoss', options: presets.mmpretrain, targets: hard, expected: [mean(each(hard, focal(0.25)))] },
  detectron: {
    loss: 'SigmoidFocalLoss',
    options: presets.detectron,
    targets: indices(3, -1),
    expected: [sum([0, 1, 2, 4].flatMap((row) => detector(row, indices(3, -1)[row]))) / 3],
  },
  apex: {
    loss: 'SigmoidFocalLoss',
    options: presets.apex,
    targets: indices(-1, -2),
    normalizer: 4,
    expected: [sum([0, 1, 2, 4].flatMap((row) => detector(row, indices(-1, -2)[row]))) / 4],
  },
}

describe.each(testedBackends())('%s', (backend) => {
  it.each(Object.entries(cases))('presets.%s computes what it is named after', (_, { loss, options, targets, normalizer, expected }) => {
    const actual = flat(lossOf(loss, { ...options, backend }).value(x, targets, { shape, ...(normalizer !== undefined && { normalizer }) }))
    expect(actual).toHaveLength(expected.length)
    actual.forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(1e-12 * Math.abs(expected[i])))
  })

  it.each([
    // MONAI's and Kornia's loss of the channel of the target; of the others it is 0
    ['monaiSoftmax', (alpha: readonly number[]) => ({ ...presets.monaiSoftmax(3, alpha), classWeights: null, reduction: 'none' as const })],
    ['korniaSoftmax', (alpha: readonly number[]) => presets.korniaSoftmax(3, alpha)],
  ])('presets.%s weighs each class as a list says', (_, optionsOf) => {
    const loss = new SoftmaxFocalLoss({ ...optionsOf([0.1, 0.3, 0.6]), backend })
    const losses = loss.value(Float64Array.of(2, 1, 0, 2, 1, 0, 2, 1, 0), Int32Array.of(0, 1, 2))
    const expected = [0.00456778, 0.2408843473, 1.196162721]
    losses.forEach((value, k) => expect(Math.abs(value - expected[k])).toBeLessThan(1e-9))
  })

  it("presets.monaiSoftmax of a list has MONAI's mean, over every channel", () => {
    const loss = new SoftmaxFocalLoss({ ...presets.monaiSoftmax(3, Float32Array.of(1, 1, 1)), backend })
    expect(loss.value(Float64Array.of(2, 1, 0), Int32Array.of(1))).toBeCloseTo(0.802947824 / 3, 8)
  })
})

describe('presets', () => {
  it('can be changed: none of them is more than options', () => {
    expect(new SigmoidFocalLoss({ ...presets.torchvision, gamma: 3 }).options).toMatchObject({ gamma: 3, alpha: 0.25, reduction: 'none' })
    expect(new SoftmaxFocalLoss({ ...presets.monaiSoftmax(4), classWeights: null, reduction: 'none' }).options.classWeights).toBeNull()
  })

  it.each([presets.korniaSoftmax, presets.monaiSoftmax])('with a class count and alpha refuse what is neither', (preset) => {
    expect(() => preset(0)).toThrow(new RangeError('classes is 0; expected an integer >= 1'))
    expect(() => preset('3' as unknown as number)).toThrow(new TypeError("classes is '3'; expected an integer >= 1"))
    expect(() => preset(3, 2)).toThrow(new RangeError('alpha is 2; expected a number from 0 to 1'))
    expect(() => preset(3, -1)).toThrow(
      new RangeError('alpha is -1; expected a number from 0 to 1, or null, which switches it off (as -1 does in fvcore and torchvision)'),
    )
    expect(() => preset(3, [1, 2])).toThrow(new RangeError('alpha has 2 entries; expected 3, one per class'))
    expect(() => preset(2, [1, -1])).toThrow(new RangeError('alpha[1] is -1; expected a finite number >= 0'))
    expect(() => preset(2, 'a' as unknown as number)).toThrow(new TypeError("alpha is 'a'; expected a number, an array of numbers (one per class) or null"))
    expect(preset(2, Float64Array.of(3, 4)).alpha).toEqual([3, 4])
    expect(preset(1, 0.25).alpha).toEqual([0.75])
    expect(preset(3).alpha).toBeNull()
  })

  it('of weighted cross entropy tells those who bring a pos_weight the way', () => {
    const hint = ", as negative is left out and 1 - positive then (PyTorch's pos_weight w is weightedCrossEntropy(w, 1))"
    expect(() => presets.weightedCrossEntropy(10)).toThrow(new RangeError(`positive is 10; expected a number from 0 to 1${hint}`))
    const { options } = new SigmoidFocalLoss(presets.weightedCrossEntropy(10, 1))
    expect(options).toMatchObject({ gamma: 0, classWeights: 11 })
  })
})
