/** The peer cases that state a property instead of a number. */
import { expect } from 'vitest'
import { type BackendName, type Logits, presets, type Reduction, type SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import type { AnyOptions } from './losses.js'
import type { Peer } from './peer_cases.js'
import { seeded } from './random.js'

/** Where a property is checked, and how closely. */
export interface Bench {
  readonly backend: BackendName
  readonly make: <R extends Reduction>(options: AnyOptions<R>) => SigmoidFocalLoss<R>
  readonly logitsOf: (numbers: ArrayLike<number>) => Logits
  readonly rtol: number
}

type Property = (one: Peer, bench: Bench) => void

const { torchvision, optax, crossEntropy, mmcv } = presets

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, rtol: number): void {
  expect(actual).toHaveLength(expected.length)
  Array.from(actual).forEach((value, i) => {
    expect(Math.abs(value - expected[i]), `${value} against ${expected[i]}`).toBeLessThanOrEqual(rtol * Math.abs(expected[i]))
  })
}

/** Binary cross entropy, by its definition. */
const binaryCrossEntropy = (x: number, y: number) => Math.max(x, 0) - x * y + Math.log1p(Math.exp(-Math.abs(x)))

const probabilityOfTruth = (x: number, y: number) => 1 / (1 + Math.exp(y === 1 ? -x : x))

/** Cross entropy over focal loss, one by one. */
function ratios({ logits, targets, options }: Peer, { make, logitsOf }: Bench): number[] {
  const alpha = options.alpha === -1 ? null : (options.alpha ?? null)
  const x = logitsOf(logits)
  const focal = make({ ...torchvision, gamma: options.gamma ?? 0, alpha }).value(x, targets)
  const plain = make({ ...crossEntropy, reduction: 'none' }).value(x, targets)
  return Array.from(plain, (loss, i) => loss / focal[i])
}

const equalsCrossEntropy: Property = ({ logits, targets }, { make, logitsOf, rtol }) => {
  const x = logitsOf(logits)
  const { value, grad } = make({ ...optax, gamma: 0 }).valueAndGrad(x, targets)
  expectClose(value, Array.from(x, (each, i) => binaryCrossEntropy(each, targets[i])), rtol)
  expectClose(grad, Array.from(x, (each, i) => (1 - probabilityOfTruth(each, targets[i])) * (targets[i] === 1 ? -1 : 1)), rtol)
}

/** With all the balance on one side, the other side costs nothing, and cross entropy does. */
const silences = (silent: 0 | 1): Property => (one, { make, logitsOf }) => {
  const { gamma, alpha } = one.options
  const x = logitsOf(one.logits)
  const focal = make({ ...torchvision, gamma: gamma ?? 2, alpha }).value(x, one.targets)
  const plain = make({ ...crossEntropy, reduction: 'none' }).value(x, one.targets)
  one.targets.forEach((y, i) => {
    expect(focal[i] === 0).toBe(y === silent)
    expect(plain[i]).toBeGreaterThan(0)
  })
}

const ratioTable: Property = (one, bench) => {
  expectClose(ratios(one, bench), one.expected.ratio_ce_over_fl ?? [], Math.max(bench.rtol, one.tolerance.rtol ?? 0))
}

const paperRatio: Property = (one, bench) => {
  expectClose(ratios(one, bench), [one.expected.ce_over_fl ?? NaN], bench.rtol)
}

export const peerProperties: Record<string, Property> = {
  // apex writes class indices, and divides by the number of positives; torchvision one label per logit
  'apex-parity': ({ options }, { make, logitsOf, rtol }) => {
    const random = seeded(42)
    const [rows, classes] = [12, 8]
    const x = logitsOf(Array.from({ length: rows * classes }, () => random.normal()))
    const indices = Int32Array.from({ length: rows }, () => random.integer(classes + 1))
    const oneHot = Uint8Array.from(x, (_, k) => Number(indices[Math.floor(k / classes)] === k % classes))
    const alpha = options.alpha
    const apex = make({ ...mmcv, alpha, reduction: 'sum' }).valueAndGrad(x, indices, { normalizer: 1 })
    const dense = make({ ...torchvision, alpha, reduction: 'sum' }).valueAndGrad(x, oneHot)
    expectClose([apex.value], [dense.value], rtol)
    expectClose(apex.grad, dense.grad, rtol)
  },

  'fvcore-g0-equals-ce': (one, bench) => {
    equalsCrossEntropy(one, bench)
    const mean = bench.make({ ...crossEntropy, reduction: 'mean' }).value(bench.logitsOf(one.logits), one.targets)
    expectClose([mean], one.loss, bench.rtol)
  },
  'fvcore-ratio-alpha': ratioTable,
  'fvcore-ratio-hard': ratioTable,
  'fvcore-alpha1': silences(0),
  'fvcore-alpha0': silences(1),

  'kornia-issue-918': ({ logits, targets, options }, { make, logitsOf }) => {
    const loss = make({ gamma: options.gamma ?? 0, softTargets: 'mixture' })
    const { value, grad } = loss.valueAndGrad(logitsOf(logits), targets)
    expect([value, ...grad].every(Number.isFinite)).toBe(true)
    expect(grad[1]).toBeLessThan(0)
    expect(grad[2]).toBeGreaterThan(0)
  },

  // The extra class holds the ignored places and has no logit to speak of; its channel is dropped by weight 0
  'kornia-ignore-equals-extra-class': ({ options }, { backend, logitsOf, rtol }) => {
    const random = seeded(918)
    const [batch, classes, inner] = [2, 3, 6]
    const [gamma, a, reduction] = [options.gamma ?? 0, options.alpha ?? 0, 'none'] as const
    const x = logitsOf(Array.from({ length: batch * classes * inner }, () => random.normal()))
    const wide = logitsOf(Array.from({ length: batch * (classes + 1) * inner }, () => -Infinity))
    for (let b = 0; b < batch; b++) {
      wide.set(x.subarray(b * classes * inner, (b + 1) * classes * inner), b * (classes + 1) * inner)
    }
    for (const ignoreIndex of options.ignore_index ?? []) {
      const targets = Int32Array.from({ length: batch * inner }, () => random.pick([0, 1, 2, ignoreIndex]))
      const ignoring = new SoftmaxFocalLoss({ gamma, reduction, ignoreIndex, alpha: [1 - a, a, a], backend })
      const extra = new SoftmaxFocalLoss({ gamma, reduction, alpha: [1 - a, a, a, 0], backend })
      const indices = targets.map((index) => (index === ignoreIndex ? classes : index))
      const expected = extra.value(wide, indices, { shape: [batch, classes + 1, inner], classAxis: 1 })
      expectClose(ignoring.value(x, targets, { shape: [batch, classes, inner], classAxis: 1 }), expected, rtol)
      targets.forEach((index, r) => expect(expected[r] === 0).toBe(index === ignoreIndex))
    }
  },

  'optax-extreme-gamma-half': ({ logits, targets, options }, { make, logitsOf }) => {
    const { value, grad, hess } = make({ ...optax, gamma: options.gamma ?? 0, reduction: 'sum' }).valueGradAndHess(logitsOf(logits), targets)
    expect([value, ...grad, ...hess].every(Number.isFinite)).toBe(true)
  },
  'optax-g0-equals-ce': equalsCrossEntropy,
  'optax-g0-b': equalsCrossEntropy,
  'optax-scale': ({ logits, targets, options }, { make, logitsOf, rtol }) => {
    const x = logitsOf(logits)
    const losses = make({ ...optax, gamma: options.gamma ?? 0 }).value(x, targets)
    const expected = Array.from(x, (each, i) => (1 - probabilityOfTruth(each, targets[i])) ** 2 * binaryCrossEntropy(each, targets[i]))
    expectClose(losses, expected, rtol)
  },
  'optax-alpha1': ({ logits, targets, options }, { make, logitsOf, rtol }) => {
    const x = logitsOf(logits)
    const losses = make({ ...optax, gamma: options.gamma ?? 0, alpha: options.alpha }).value(x, targets)
    expectClose(losses, Array.from(x, (each, i) => binaryCrossEntropy(each, targets[i]) * targets[i]), rtol)
  },
  'optax-large-ratio': (one, bench) => {
    const x = bench.logitsOf(one.logits)
    expectClose(ratios(one, bench), Array.from(x, (each) => 2 / (1 - probabilityOfTruth(each, 1)) ** 2), bench.rtol)
  },
  'optax-issue-1267': ({ logits, targets, options }, { make, logitsOf }) => {
    const { grad, hess } = make({ ...optax, gamma: options.gamma ?? NaN }).valueGradAndHess(logitsOf(logits), targets)
    expect([Math.abs(grad[0]), Math.abs(hess[0])]).toEqual([0, 0])
  },

  'paper-ratio-0.9': paperRatio,
  'paper-ratio-0.968': paperRatio,
  'paper-ratio-0.5': paperRatio,

  'tfa-ratio-0': (one, bench) => {
    expect(ratios(one, bench).map((ratio) => 10 ** Math.floor(Math.log10(ratio)))).toEqual(one.expected.ratio_order)
  },
  'tfa-gammanone-0': equalsCrossEntropy,
}
