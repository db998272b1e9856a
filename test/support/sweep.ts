/** Dense sweeps over the logits: every backend at float32 against the plain one at float64, which errs by 1e-14. */
import { type BackendName, SoftmaxFocalLoss } from 'focal-loss'
import { largestError } from './closeness.js'
import { type AnyOptions, type ElementwiseName, elementwiseOf, unbalanced } from './losses.js'
import { type Random, seeded } from './random.js'
import { balanced, elementTerms } from './terms.js'

export interface SweepErrors {
  readonly value: number
  readonly grad: number
  readonly hess: number
}

export const sweptPowers = [0, 0.1, 0.25, 0.5, 1, 1.3, 1.5, 2, 2.7, 3, 3.7, 4, 4.9, 5]

/** The powers with another beside each. */
const pairs = sweptPowers.map((power, i) => [power, sweptPowers[(5 * i + 4) % sweptPowers.length]] as const)

/** What is swept of each loss. */
export const sweptOptions: Readonly<Record<ElementwiseName, readonly AnyOptions[]>> = {
  SigmoidFocalLoss: sweptPowers.flatMap((gamma) => [{ gamma }, { gamma, softTargets: 'mixture' }]),
  FocalStarLoss: [0.3, 1, 2, 4, 50].flatMap((gamma) => [0, 1, 10].map((beta) => ({ gamma, beta }))),
  QualityFocalLoss: [...sweptPowers.map((beta) => ({ beta })), { beta: 2, constantModulator: true }, { beta: 1.3, constantModulator: true }],
  VarifocalLoss: [...sweptPowers.map((gamma) => ({ gamma })), { gamma: 2, constantModulator: true }, { gamma: 1.3, constantModulator: true }],
  HeatmapFocalLoss: [{ gamma: 2, beta: 4 }, ...pairs.map(([gamma, beta]) => ({ gamma, beta }))],
  AsymmetricLoss: [0, 0.05, 0.5].flatMap((margin) => [
    { margin },
    { margin, constantModulator: true },
    ...pairs.map(([gammaPositive, gammaNegative]) => ({ margin, gammaPositive, gammaNegative })),
  ]),
}

export const sweptTargets = ['negatives', 'positives', 'indices', 'soft'] as const

const SIZE = 20_001

/**
 * From -104 (e^-104 is no float32) to 104, off the grid by a little, so that no sweep sees the same bits twice. Every
 * fourth is close to its `centre`, where it has one: nearer than any other, and as near as a float32 can be.
 */
function sweptLogits(random: Random, centre: (k: number) => number | undefined, least: number): Float32Array {
  return Float32Array.from({ length: SIZE }, (_, k) => {
    const middle = k % 4 === 1 ? centre(k) : undefined
    if (middle !== undefined) return middle + random.pick([1, -1]) * 10 ** random.between(Math.log10(least), 0)
    return (k / (SIZE - 1) - 0.5) * 208 + 0.01 * random()
  })
}

const logit = (p: number) => Math.log(p / (1 - p))

/**
 * The errors of a loss, for as many backends as are asked. Targets: one label per logit, hard or soft, or one class index
 * per row of three. Some logits are close to where a loss bends: to its margin, or to the logit of a soft label.
 */
export function elementSweep(name: ElementwiseName, options: AnyOptions, kind: (typeof sweptTargets)[number]): (backend: BackendName) => SweepErrors {
  const random = seeded(JSON.stringify(options).length + kind.length)
  const index = Int32Array.from({ length: SIZE / 3 }, (_, r) => r % 4)
  const y = Float32Array.from({ length: SIZE }, (_, k) => {
    if (kind === 'indices') return Number(index[Math.floor(k / 3)] === k % 3)
    return kind === 'soft' ? random.pick([0, 1, random(), random()]) : Number(kind === 'positives')
  })
  const { margin } = elementwiseOf(name, options).options as { margin?: number }
  const isSoft = (k: number) => y[k] > 0 && y[k] < 1
  const centre = (k: number) => (margin ? logit(margin) : isSoft(k) ? logit(y[k]) : undefined)
  // Where a score meets its label to the last digits, their distance is nothing but rounding
  const logits = sweptLogits(random, centre, kind === 'soft' && !margin ? 1e-5 : 1e-12)
  const targets = kind === 'indices' ? index : y
  const make = (backend: BackendName) =>
    elementwiseOf(name, { ...unbalanced(name), ...options, background: 3, reduction: 'none', backend })
  const exact = make('js').valueGradAndHess(Float64Array.from(logits), targets)
  const element = { ...make('js').options, ...balanced(name, null) }
  const terms = Array.from(logits, (x, k) => elementTerms[name](x, y[k], element))
  return (backend) => {
    const both = make(backend).valueAndGrad(logits, targets)
    const all = make(backend).valueGradAndHess(logits, targets)
    const error = (actual: ArrayLike<number>, output: 'value' | 'grad' | 'hess') =>
      largestError(actual, exact[output], terms.map((each) => each[output]))
    return {
      value: Math.max(error(both.value, 'value'), error(all.value, 'value')),
      grad: Math.max(error(both.grad, 'grad'), error(all.grad, 'grad')),
      hess: error(all.hess, 'hess'),
    }
  }
}

/** Rows of `classes` logits, spread from close together to far apart. */
export function softmaxSweep(gamma: number, classes: number): (backend: BackendName) => SweepErrors {
  const random = seeded(classes + gamma)
  const rows = Math.floor(SIZE / classes)
  const logits = Float32Array.from({ length: rows * classes }, (_, k) => random.normal() * (0.5 + (30 * Math.floor(k / classes)) / rows))
  const targets = Int32Array.from({ length: rows }, () => random.integer(classes))
  const options = { gamma, reduction: 'none' } as const
  const exact = new SoftmaxFocalLoss({ ...options, backend: 'js' }).valueAndGrad(Float64Array.from(logits), targets)
  return (backend) => {
    const actual = new SoftmaxFocalLoss({ ...options, backend }).valueAndGrad(logits, targets)
    return { value: largestError(actual.value, exact.value), grad: largestError(actual.grad, exact.grad), hess: 0 }
  }
}
