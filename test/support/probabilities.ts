/** Losses of probabilities, and probabilities: for the suites of every backend. */
import type { Logits } from 'focal-loss'
import { rangeOf } from '../../src/formulas/number_range.js'
import { type AnyOptions, type ElementwiseName, logitsOf } from './losses.js'
import { seeded } from './random.js'

/** The options that change a formula, loss by loss. */
export const variants: readonly (readonly [ElementwiseName, AnyOptions])[] = [
  ...[0, 0.5, 1, 2, 5].flatMap((gamma) => [
    ['SigmoidFocalLoss', { gamma }] as const,
    ['SigmoidFocalLoss', { gamma, softTargets: 'mixture', alpha: null }] as const,
    ['VarifocalLoss', { gamma }] as const,
    ['VarifocalLoss', { gamma, constantModulator: true }] as const,
    ['HeatmapFocalLoss', { gamma, beta: 4 }] as const,
    ['HeatmapFocalLoss', { gamma, beta: 0 }] as const,
    ['AsymmetricLoss', { gammaPositive: 1, gammaNegative: gamma, margin: 0.05 }] as const,
    ['AsymmetricLoss', { gammaPositive: gamma, gammaNegative: 4, margin: 0, constantModulator: true }] as const,
  ]),
  ...[0, 1, 2, 3.5].flatMap((beta) => [false, true].map((constantModulator) => ['QualityFocalLoss', { beta, constantModulator }] as const)),
  ...[0.5, 1, 1.5, 2, 3].flatMap((gamma) => [0, 1].map((beta) => ['FocalStarLoss', { gamma, beta }] as const)),
]

const random = seeded(11)

/** Between 0.001 and 0.999, with labels of all kinds; apart from each other, where quality has its kink. */
export const middle = Float64Array.from({ length: 300 }, () => random.between(0.001, 0.999))
export const labels = Float64Array.from(middle, (p, k) => [0, 1, (p + 0.31) % 1][k % 3])

/** Numbers as probabilities of rows of three classes, which lie `inner` apart. */
export function ofRows(numbers: readonly number[], inner: number): number[] {
  return numbers.map((each, k) => {
    const first = Math.floor(k / (3 * inner)) * 3 * inner + (k % inner)
    return each / (numbers[first] + numbers[first + inner] + numbers[first + 2 * inner])
  })
}

/** Both tails and what is between, as numbers that a type has. */
export function spread(precision: 'float32' | 'float64'): Logits {
  const { least, belowOne } = rangeOf(precision === 'float32' ? 0 : 1)
  const digits = precision === 'float32' ? 24 : 53
  const low = Array.from({ length: 126 }, (_, k) => 2 ** -(k + 1) * (1 + (k % 7) / 8))
  const high = Array.from({ length: digits - 1 }, (_, k) => 1 - 2 ** -(k + 2))
  return logitsOf(precision, [...low, ...high, ...middle, least, belowOne])
}
