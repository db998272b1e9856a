/**
 * The loss composed of operations of TensorFlow.js: for backends whose data cannot be read at once, and for second derivatives. In
 * float32 throughout, and targets are not checked, as nothing is read.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { LossConstants } from '../../problem/constants.js'
import type { Reduction } from '../../problem/options.js'
import type { Batch } from './batch.js'
import { composedFormula, type FormulaOperations } from './formulas.js'
import { partialSums } from './sums.js'

export type ComposedOperations = FormulaOperations & Pick<typeof tfjs, 'any' | 'range' | 'tidy'>

/** Throws an Error for a loss that has no composed formula, and for one of probabilities. */
export function composedLoss(tf: ComposedOperations, loss: LossConstants | undefined, reduction: Reduction, batch: Batch): Tensor1D {
  if (loss === undefined) {
    throw new Error("this loss is not composed of operations of TensorFlow.js, only the package's own are; use tf's cpu or wasm backend for it")
  }
  if (loss.inputs === 'probabilities') {
    throw new Error("a loss with inputs 'probabilities' is not composed of operations of TensorFlow.js; give it logits, or use tf's cpu or wasm backend")
  }
  return tf.tidy(() => {
    const { rows, classes, samples } = batch
    const { y, isValid, positives } = targetsOf(tf, loss, batch)
    // Masked and ignored elements may hold anything, so they are replaced before anything is computed from it
    const logits = tf.reshape(batch.logits, [rows, classes])
    const x = isValid === null ? logits : tf.where(isValid, logits, tf.zerosLike(logits))
    const losses = composedFormula(tf, loss)(x, y)
    const counted = isValid === null ? losses : tf.mul<Tensor>(losses, tf.cast(isValid, 'float32'))
    const { sums, scale } = partialSums(tf, tf.reshape(counted, [samples, samples === 0 ? 0 : (rows / samples) * classes]))
    const count = countOf(tf, loss, reduction, batch, isValid, positives)
    // Each number by itself, so that none leaves the range of half floats
    const each = typeof count === 'number' ? (scale * samples) / count : tf.div((scale * samples) / count.scale, count.scaled)
    return tf.sum(tf.mul<Tensor>(sums, each), 1)
  })
}

interface ComposedTargets {
  /** Labels, smoothed; `[rows, classes]`, as all of these. */
  readonly y: Tensor
  /** Booleans; `null` where everything is valid. */
  readonly isValid: Tensor | null
  /** 1 for a positive, before smoothing. */
  readonly positives: Tensor
}

function targetsOf(tf: ComposedOperations, loss: LossConstants, { targets, kind, rows, classes }: Batch): ComposedTargets {
  const { formula, ignoreIndex, labelSmoothing: e } = loss
  const indifferent = formula.perRow ? e / classes : e / 2
  const smooth = (y: Tensor, hasClass: Tensor | number) => tf.add<Tensor>(tf.mul(y, 1 - e), tf.mul(indifferent, hasClass))

  if (kind === 'dense') {
    const given = tf.cast(tf.reshape(targets, [rows, classes]), 'float32')
    const canBeIgnored = !formula.perRow && !Number.isNaN(ignoreIndex) && !(ignoreIndex >= 0 && ignoreIndex <= 1)
    const isValid = canBeIgnored ? tf.notEqual(given, ignoreIndex) : null
    const labels = isValid === null ? given : tf.where(isValid, given, tf.zerosLike(given))
    // The least number above 0 is below what a half float has
    const from = formula.positiveFrom
    const positives = tf.cast(from < 1e-6 ? tf.greater(labels, 0) : tf.greaterEqual(labels, from), 'float32')
    return { y: smooth(labels, 1), isValid, positives }
  }

  const index = tf.cast(tf.reshape(targets, [rows, 1]), 'float32')
  const background = loss.background === 'num-classes' ? classes : loss.background
  const isClass = tf.equal(index, tf.range(0, classes))
  const hot = tf.cast(background >= 0 && background < classes ? tf.logicalAnd(isClass, tf.notEqual(index, background)) : isClass, 'float32')
  const isValid = Number.isNaN(ignoreIndex) ? null : tf.logicalAnd(tf.notEqual(index, ignoreIndex), tf.ones([1, classes], 'bool'))
  const positives = isValid === null ? hot : tf.mul<Tensor>(hot, tf.cast(isValid, 'float32'))
  // A background row has no class to smooth, and so no loss in a softmax
  return { y: smooth(hot, formula.perRow ? tf.sum(hot, 1, true) : 1), isValid, positives }
}

/** What is divided by, at least 1 as for any backend: a number, or a tensor and what that is to be multiplied by. */
function countOf(
  tf: ComposedOperations,
  { formula }: LossConstants,
  reduction: Reduction,
  { rows, classes }: Batch,
  isValid: Tensor | null,
  positives: Tensor,
): number | { scaled: Tensor; scale: number } {
  if (reduction === 'sum') return 1
  const ofRows = reduction === 'mean-rows' || formula.perRow
  if (reduction !== 'mean-positives' && isValid === null) return Math.max(1, ofRows ? rows : rows * classes)
  const valid = () => tf.cast(ofRows ? tf.any(isValid as Tensor, 1) : (isValid as Tensor), 'float32')
  const ones = reduction === 'mean-positives' ? positives : valid()
  const { sums, scale } = partialSums(tf, tf.reshape(ones, [1, ones.size]))
  const scaled = tf.sum(tf.mul<Tensor>(sums, 1 / 8))
  return { scaled: tf.maximum(scaled, 1 / (8 * scale)), scale: 8 * scale }
}
