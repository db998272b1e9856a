/** Dense sweeps over the logits: every backend at float32 against the plain one at float64, which errs by 1e-14. */
import { type BackendName, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { largestError } from './closeness.js'
import { seeded } from './random.js'
import { sigmoidTerms } from './terms.js'

export interface SweepErrors {
  readonly value: number
  readonly grad: number
  readonly hess: number
}

const SIZE = 20_001

/** From -104 (e^-104 is no float32) to 104, off the grid by a little, so that no sweep sees the same bits twice. */
function sweptLogits(seed: number): Float32Array {
  const random = seeded(seed)
  return Float32Array.from({ length: SIZE }, (_, k) => (k / (SIZE - 1) - 0.5) * 208 + 0.01 * random())
}

export const sweptTargets = ['negatives', 'positives', 'indices', 'linear', 'mixture'] as const

/** One label per logit, hard or soft, or one class index per row of three. */
export function sigmoidSweep(backend: BackendName, gamma: number, kind: (typeof sweptTargets)[number]): SweepErrors {
  const logits = sweptLogits(1 + gamma)
  const random = seeded(2)
  const soft = kind === 'linear' || kind === 'mixture'
  const index = Int32Array.from({ length: SIZE / 3 }, (_, r) => r % 4)
  const y = Float32Array.from(logits, (_, k) => {
    if (kind === 'indices') return Number(index[Math.floor(k / 3)] === k % 3)
    return soft ? random() : Number(kind === 'positives')
  })
  const softTargets = kind === 'mixture' ? 'mixture' : 'linear'
  const options = { gamma, alpha: null, softTargets, background: 3, reduction: 'none' } as const
  const targets = kind === 'indices' ? index : y
  const exact = new SigmoidFocalLoss({ ...options, backend: 'js' }).valueGradAndHess(Float64Array.from(logits), targets)
  const loss = new SigmoidFocalLoss({ ...options, backend })
  const both = loss.valueAndGrad(logits, targets)
  const all = loss.valueGradAndHess(logits, targets)
  const terms = Array.from(logits, (x, k) => sigmoidTerms(x, y[k], { gamma, softTargets, positive: 1, negative: 1 }))
  const slopes = soft ? terms.map(({ grad }) => grad) : exact.grad
  return {
    value: Math.max(largestError(both.value, exact.value), largestError(all.value, exact.value)),
    grad: Math.max(largestError(both.grad, exact.grad, slopes), largestError(all.grad, exact.grad, slopes)),
    hess: largestError(all.hess, exact.hess, terms.map(({ hess }) => hess)),
  }
}

/** Rows of `classes` logits, spread from close together to far apart. */
export function softmaxSweep(backend: BackendName, gamma: number, classes: number): SweepErrors {
  const random = seeded(classes + gamma)
  const rows = Math.floor(SIZE / classes)
  const logits = Float32Array.from({ length: rows * classes }, (_, k) => random.normal() * (0.5 + (30 * Math.floor(k / classes)) / rows))
  const targets = Int32Array.from({ length: rows }, () => random.integer(classes))
  const options = { gamma, reduction: 'none' } as const
  const exact = new SoftmaxFocalLoss({ ...options, backend: 'js' }).valueAndGrad(Float64Array.from(logits), targets)
  const actual = new SoftmaxFocalLoss({ ...options, backend }).valueAndGrad(logits, targets)
  return { value: largestError(actual.value, exact.value), grad: largestError(actual.grad, exact.grad), hess: 0 }
}
