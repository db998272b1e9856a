/** Losses, options and targets in which two implementations of TensorFlow.js's loss are compared: for Node.js and pages alike. */
import type * as tfjs from '@tensorflow/tfjs-core'
import type { Reduction, Targets } from 'focal-loss'
import { tfLoss, type TfjsLoss, type TfjsOptions } from 'focal-loss/tfjs'
import { elementwiseNames, type LossName, lossNames } from './loss_names.js'
import type { AnyOptions } from './losses.js'

export const shape: [number, number] = [6, 3]
/** Of all sizes, the corner at 0 and ends where factors vanish or overflow. */
export const logits = Float32Array.of(1, -2, 0.5, 0, 0, 0, -100, 100, 30, 1e4, -1e4, 3, -20, 12, -0.25, 88, -88, 2)
/** In rows of three, one of them at the end of the range. */
export const probabilities = Float32Array.of(0.6, 0.3, 0.1, 0, 0.8, 0.2, 0.05, 0.05, 0.9, 0.25, 0.5, 0.25, 0.999, 5e-4, 5e-4, 0.2, 0.35, 0.45)
export const hard = [1, 0, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1]
export const soft = hard.map((y, i) => (i % 4 === 0 ? 0.3 : y))
export const indices = [0, 1, 2, 0, 2, 1]

/** The sum of the samples' losses, weighed apart, and its gradient. */
export function seeded(tf: typeof tfjs, loss: TfjsLoss, options: TfjsOptions, targets: readonly number[], of: Float32Array = logits) {
  const weights = tf.tensor1d([1, -2, 0.5, 3, 1, 2])
  const yTrue = tf.tensor(targets, targets.length === logits.length ? shape : [shape[0]])
  const criterion = tfLoss(tf, loss, options)
  return (x: tfjs.Tensor = tf.tensor2d(of, shape)) => tf.valueAndGrad((at) => tf.sum<tfjs.Scalar>(tf.mul(criterion(yTrue, at), weights)))(x)
}

const reductions: readonly Reduction[] = ['none', 'sum', 'mean', 'mean-rows', 'mean-positives']

export const variants: readonly (readonly [string, LossName, AnyOptions, Targets & readonly number[]])[] = [
  ...lossNames.flatMap((name) => [
    ...reductions.map((reduction) => [`${name}, ${reduction}`, name, { reduction }, hard] as const),
    [`${name}, soft labels`, name, {}, soft] as const,
    [`${name}, class indices`, name, { reduction: 'mean-positives' }, indices] as const,
    [`${name}, class weights`, name, { classWeights: [0.5, 2, 1] }, soft] as const,
    [`${name}, background`, name, { background: 3, reduction: 'mean-positives' }, [0, 3, 2, 3, 2, 1]] as const,
    [`${name}, ignored indices`, name, { ignoreIndex: 255, background: 'num-classes', reduction: 'mean-rows' }, [0, 255, 2, 3, 255, 1]] as const,
  ]),
  ...elementwiseNames.map((name) => [`${name}, ignored labels`, name, { ignoreIndex: -1 }, hard.map((y, i) => (i % 5 === 1 ? -1 : y))] as const),
  ...(['SigmoidFocalLoss', 'SoftmaxFocalLoss', 'FocalStarLoss', 'AsymmetricLoss'] as const).map(
    (name) => [`${name}, smoothed`, name, { labelSmoothing: 0.1, background: 3 }, [0, 3, 2, 0, 2, 1]] as const,
  ),
  ...[0, 0.5, 3.5].map((gamma) => [`SigmoidFocalLoss, gamma ${gamma}`, 'SigmoidFocalLoss', { gamma, alpha: 0.25 }, soft] as const),
  ...[0, 0.5, 3.5].map((gamma) => [`SoftmaxFocalLoss, gamma ${gamma}`, 'SoftmaxFocalLoss', { gamma, alpha: [1, 2, 3] }, soft] as const),
  ['SigmoidFocalLoss, mixture', 'SigmoidFocalLoss', { softTargets: 'mixture' }, soft],
  ['a background among the classes', 'SigmoidFocalLoss', { background: 1 }, indices],
  ['AsymmetricLoss, constant modulator', 'AsymmetricLoss', { constantModulator: true }, soft],
  ['AsymmetricLoss, no margin', 'AsymmetricLoss', { margin: 0, gammaNegative: 0, gammaPositive: 0.5 }, soft],
  ['QualityFocalLoss, constant modulator', 'QualityFocalLoss', { constantModulator: true }, soft],
  ['VarifocalLoss, constant modulator', 'VarifocalLoss', { constantModulator: true }, soft],
  ['QualityFocalLoss, beta 0.5', 'QualityFocalLoss', { beta: 0.5 }, soft],
]

/** How far results are off, 1 being the most that is allowed of float32 throughout: a few units in the last place of the largest term. */
export function excess(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const scale = Math.max(...Array.from(expected, Math.abs))
  const each = Array.from(actual, (value, i) => Math.abs(value - expected[i]) / (1e-5 * Math.abs(expected[i]) + 2e-6 * scale))
  return actual.length === expected.length ? Math.max(...each.map((error) => (Number.isNaN(error) ? Infinity : error))) : Infinity
}
