/** The peer cases that state a property instead of a number. */
import { type BackendName, type ElementwiseLoss, type Logits, presets, type Reduction, SoftmaxFocalLoss } from 'focal-loss'
import { expect } from 'vitest'
import type { AnyOptions, ElementwiseName } from './losses.js'
import type { Peer } from './peer_cases.js'
import { seeded } from './random.js'

/** Where a property is checked, and how closely. */
export interface Bench {
  readonly backend: BackendName
  /** A SigmoidFocalLoss, or another. */
  readonly make: <R extends Reduction>(options: AnyOptions<R>, name?: ElementwiseName) => ElementwiseLoss<R>
  readonly logitsOf: (numbers: ArrayLike<number>) => Logits
  readonly rtol: number
}

type Property = (one: Peer, bench: Bench) => void

type Preset = (typeof presets)['torchvision' | 'fvcore' | 'fvcoreStar' | 'optax' | 'tensorflowAddons']

const lossOfPreset = (preset: Preset): ElementwiseName => ('beta' in preset ? 'FocalStarLoss' : 'SigmoidFocalLoss')

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, rtol: number): void {
  expect(actual).toHaveLength(expected.length)
  Array.from(actual).forEach((value, i) => {
    expect(Math.abs(value - expected[i]), `${value} against ${expected[i]}`).toBeLessThanOrEqual(rtol * Math.abs(expected[i]))
  })
}

/** Binary cross entropy, by its definition. */
const binaryCrossEntropy = (x: number, y: number) => Math.max(x, 0) - x * y + Math.log1p(Math.exp(-Math.abs(x)))

const probabilityOfTruth = (x: number, y: number) => 1 / (1 + Math.exp(y === 1 ? -x : x))

/** The peer's preset with the case's gamma and alpha; the -1 that switches alpha off is `null` here. */
const optionsOf = (preset: Preset, { options: { gamma, alpha } }: Peer) => ({ ...preset, gamma: gamma ?? 0, alpha: alpha === -1 ? null : (alpha ?? null) })

/** Cross entropy over focal loss, one by one. */
function ratios(preset: Preset, one: Peer, { make, logitsOf }: Bench): number[] {
  const x = logitsOf(one.logits)
  const focal = make(optionsOf(preset, one), lossOfPreset(preset)).value(x, one.targets)
  const plain = make({ ...presets.crossEntropy, reduction: 'none' }).value(x, one.targets)
  return Array.from(plain, (loss, i) => loss / focal[i])
}

const equalsCrossEntropy = (preset: Preset): Property => (one, { make, logitsOf, rtol }) => {
  const { targets } = one
  const x = logitsOf(one.logits)
  const { value, grad } = make(optionsOf(preset, one)).valueAndGrad(x, targets)
  expectClose(value, Array.from(x, (each, i) => binaryCrossEntropy(each, targets[i])), rtol)
  expectClose(grad, Array.from(x, (each, i) => (1 - probabilityOfTruth(each, targets[i])) * (targets[i] === 1 ? -1 : 1)), rtol)
}

/** With all the balance on one side, the other side costs nothing, and cross entropy does. */
const silences = (silent: 0 | 1, preset: Preset): Property => (one, { make, logitsOf }) => {
  const x = logitsOf(one.logits)
  const focal = make(optionsOf(preset, one), lossOfPreset(preset)).value(x, one.targets)
  const plain = make({ ...presets.crossEntropy, reduction: 'none' }).value(x, one.targets)
  one.targets.forEach((y, i) => {
    expect(focal[i] === 0).toBe(y === silent)
    expect(plain[i]).toBeGreaterThan(0)
  })
}

const ratioTable: Property = (one, bench) => {
  expectClose(ratios(presets.fvcore, one, bench), one.expected.ratio_ce_over_fl ?? [], Math.max(bench.rtol, one.tolerance.rtol ?? 0))
}

const paperRatio: Property = (one, bench) => {
  expectClose(ratios(presets.torchvision, one, bench), [one.expected.ce_over_fl ?? NaN], bench.rtol)
}

export const peerProperties: Record<string, Property> = {
  // apex writes class indices (-1 for background), and divides by the number of positives; torchvision one label per logit
  'apex-parity': ({ options }, { make, logitsOf, rtol }) => {
    const random = seeded(42)
    const [rows, classes] = [12, 8]
    const x = logitsOf(Array.from({ length: rows * classes }, () => random.normal()))
    const indices = Int32Array.from({ length: rows }, () => random.integer(classes + 1) - 1)
    const oneHot = Uint8Array.from(x, (_, k) => Number(indices[Math.floor(k / classes)] === k % classes))
    const alpha = options.alpha
    const apex = make({ ...presets.apex, alpha }).valueAndGrad(x, indices, { normalizer: 1 })
    const dense = make({ ...presets.torchvision, alpha, reduction: 'sum' }).valueAndGrad(x, oneHot)
    expectClose([apex.value], [dense.value], rtol)
    expectClose(apex.grad, dense.grad, rtol)
  },

  'fvcore-g0-equals-ce': (one, bench) => {
    equalsCrossEntropy(presets.fvcore)(one, bench)
    const mean = bench.make({ ...optionsOf(presets.fvcore, one), reduction: 'mean' }).value(bench.logitsOf(one.logits), one.targets)
    expectClose([mean], one.loss, bench.rtol)
  },
  'fvcore-ratio-alpha': ratioTable,
  'fvcore-ratio-hard': ratioTable,
  'fvcore-alpha1': silences(0, presets.fvcore),
  'fvcore-alpha0': silences(1, presets.fvcore),
  'fvcore-star-alpha1': silences(0, presets.fvcoreStar),
  'fvcore-star-alpha0': silences(1, presets.fvcoreStar),
  'fvcore-star-easy': (one, bench) => {
    for (const ratio of ratios(presets.fvcoreStar, one, bench)) expect(ratio).toBeGreaterThan(10)
  },
  'fvcore-star-hard': (one, bench) => {
    for (const ratio of ratios(presets.fvcoreStar, one, bench)) expect(Math.abs(ratio - 1)).toBeLessThan(one.tolerance.atol ?? 0)
  },

  'kornia-issue-918': ({ logits, targets, options }, { make, logitsOf }) => {
    const loss = make({ ...presets.kornia, gamma: options.gamma ?? 0, reduction: 'mean' })
    const { value, grad } = loss.valueAndGrad(logitsOf(logits), targets)
    expect([value, ...grad].every(Number.isFinite)).toBe(true)
    expect(grad[1]).toBeLessThan(0)
    expect(grad[2]).toBeGreaterThan(0)
  },

  // The extra class holds the ignored places and has no logit to speak of; its channel is dropped by weight 0
  'kornia-ignore-equals-extra-class': ({ options }, { backend, logitsOf, rtol }) => {
    const random = seeded(918)
    const [batch, classes, inner] = [2, 3, 6]
    const [gamma, alpha] = [options.gamma ?? 0, options.alpha ?? 0]
    const x = logitsOf(Array.from({ length: batch * classes * inner }, () => random.normal()))
    const wide = logitsOf(Array.from({ length: batch * (classes + 1) * inner }, () => -Infinity))
    for (let b = 0; b < batch; b++) {
      wide.set(x.subarray(b * classes * inner, (b + 1) * classes * inner), b * (classes + 1) * inner)
    }
    for (const ignoreIndex of options.ignore_index ?? []) {
      const targets = Int32Array.from({ length: batch * inner }, () => random.pick([0, 1, 2, ignoreIndex]))
      const ignoring = new SoftmaxFocalLoss({ ...presets.korniaSoftmax(classes, alpha), gamma, ignoreIndex, backend })
      const dropped = [1, 1, 1, 0]
      const extra = new SoftmaxFocalLoss({ ...presets.korniaSoftmax(classes + 1, alpha), gamma, classWeights: dropped, backend })
      const indices = targets.map((index) => (index === ignoreIndex ? classes : index))
      const expected = extra.value(wide, indices, { shape: [batch, classes + 1, inner], classAxis: 1 })
      expectClose(ignoring.value(x, targets, { shape: [batch, classes, inner], classAxis: 1 }), expected, rtol)
      targets.forEach((index, r) => expect(expected[r] === 0).toBe(index === ignoreIndex))
    }
  },

  // A class index and a score per row, there and then as dense labels; here the latter, against the former written out
  'mmdet-qfl-tuple-equals-onehot': ({ options, targets: labels }, { make, logitsOf, rtol }) => {
    const random = seeded(5)
    const [rows, classes] = options.shape ?? []
    const x = logitsOf(Array.from({ length: rows * classes }, () => random.normal()))
    const scores = labels.map(() => random.between(0.1, 1))
    const oneHot = Float64Array.from(x, (_, k) => (labels[Math.floor(k / classes)] === k % classes ? scores[Math.floor(k / classes)] : 0))
    const beta = options.beta ?? NaN
    const perRow = labels.map((label, r) => {
      const row = Array.from(x.subarray(r * classes, (r + 1) * classes))
      const losses = row.map((each) => binaryCrossEntropy(each, 0) * probabilityOfTruth(each, 1) ** beta)
      losses[label] = binaryCrossEntropy(row[label], scores[r]) * Math.abs(scores[r] - probabilityOfTruth(row[label], 1)) ** beta
      return losses.reduce((a, b) => a + b, 0)
    })
    const loss = make({ ...presets.mmdetectionQuality, beta }, 'QualityFocalLoss')
    expectClose([loss.value(x, oneHot, { shape: [rows, classes] })], [perRow.reduce((a, b) => a + b, 0) / rows], rtol)
  },

  'optax-extreme-gamma-half': ({ logits, targets, options }, { make, logitsOf }) => {
    const { value, grad, hess } = make({ ...presets.optax, gamma: options.gamma ?? 0, reduction: 'sum' }).valueGradAndHess(logitsOf(logits), targets)
    expect([value, ...grad, ...hess].every(Number.isFinite)).toBe(true)
  },
  'optax-g0-equals-ce': equalsCrossEntropy(presets.optax),
  'optax-g0-b': equalsCrossEntropy(presets.optax),
  'optax-scale': ({ logits, targets, options }, { make, logitsOf, rtol }) => {
    const x = logitsOf(logits)
    const losses = make({ ...presets.optax, gamma: options.gamma ?? 0 }).value(x, targets)
    const expected = Array.from(x, (each, i) => (1 - probabilityOfTruth(each, targets[i])) ** 2 * binaryCrossEntropy(each, targets[i]))
    expectClose(losses, expected, rtol)
  },
  'optax-alpha1': ({ logits, targets, options }, { make, logitsOf, rtol }) => {
    const x = logitsOf(logits)
    const losses = make({ ...presets.optax, gamma: options.gamma ?? 0, alpha: options.alpha }).value(x, targets)
    expectClose(losses, Array.from(x, (each, i) => binaryCrossEntropy(each, targets[i]) * targets[i]), rtol)
  },
  'optax-large-ratio': (one, bench) => {
    const x = bench.logitsOf(one.logits)
    expectClose(ratios(presets.optax, one, bench), Array.from(x, (each) => 2 / (1 - probabilityOfTruth(each, 1)) ** 2), bench.rtol)
  },
  'optax-issue-1267': ({ logits, targets, options }, { make, logitsOf }) => {
    const { grad, hess } = make({ ...presets.optax, gamma: options.gamma ?? NaN }).valueGradAndHess(logitsOf(logits), targets)
    expect([Math.abs(grad[0]), Math.abs(hess[0])]).toEqual([0, 0])
  },

  'paper-ratio-0.9': paperRatio,
  'paper-ratio-0.968': paperRatio,
  'paper-ratio-0.5': paperRatio,
  'paper-bias-init': ({ options, expected }, { make }) => {
    const bias = make(presets.torchvision).priorBias({ prior: options.pi ?? NaN, rule: 'retinanet' })
    expect(bias).toBeCloseTo(expected.value ?? NaN, 12)
  },

  'tfa-ratio-0': (one, bench) => {
    expect(ratios(presets.tensorflowAddons, one, bench).map((ratio) => 10 ** Math.floor(Math.log10(ratio)))).toEqual(one.expected.ratio_order)
  },
  'tfa-gammanone-0': equalsCrossEntropy(presets.tensorflowAddons),
}
