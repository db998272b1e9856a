/**
 * The loss composed of operations of TensorFlow.js: for backends whose data cannot be read at once, and for second derivatives. In
 * float32 throughout. As nothing is read, an invalid target is not an error: it makes its sample's loss and gradient NaN.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { LossConstants } from '../../problem/constants.js'
import type { Reduction } from '../../problem/options.js'
import type { Batch } from './batch.js'
import { composedFormula, type FormulaOperations, hasComposedForm } from './formulas.js'
import { hasHalfFloats } from './gpu.js'
import { partialSums } from './sums.js'

export type ComposedOperations = FormulaOperations & Pick<
    typeof tfjs,
    'any' | 'backend' | 'clipByValue' | 'env' | 'fill' | 'isNaN' | 'lessEqual' | 'logicalNot' | 'logicalOr' | 'range' | 'tidy'
  >

/** Throws an Error for a loss that has no composed formula, and for one of probabilities. */
export function composedLoss(tf: ComposedOperations, loss: LossConstants | undefined, reduction: Reduction, batch: Batch): Tensor1D {
  if (loss === undefined || loss.formula.code < 0) {
    throw new Error("this loss cannot be composed of TensorFlow.js operations, as it is not one of this package's; use tf's cpu or wasm backend")
  }
  if (!hasComposedForm(loss)) {
    throw new Error("a loss with gamma per class, labelSmoothingOf 'cross-entropy' or an asymmetric softmax cannot be composed of TensorFlow.js operations, and has no second derivatives; leave out implementation: 'composed'")
  }
  if (loss.inputs === 'probabilities') {
    throw new Error("a loss with inputs 'probabilities' cannot be composed of TensorFlow.js operations; pass logits, or use tf's cpu or wasm backend")
  }
  return tf.tidy(() => {
    const { rows, classes, samples } = batch
    const { y, isValid, positives, kept } = targetsOf(tf, loss, batch)
    // Masked and ignored elements may hold anything, so they are replaced before anything is computed from it
    const logits = tf.reshape(batch.logits, [rows, classes])
    const x = isValid === null ? logits : tf.where(isValid, logits, tf.zerosLike(logits))
    const losses = tf.mul<Tensor>(composedFormula(tf, loss)(x, y), kept)
    const { sums, scale } = partialSums(tf, tf.reshape(losses, [samples, samples === 0 ? 0 : (rows / samples) * classes]))
    const count = countOf(tf, loss, reduction, batch, isValid, positives)
    // Each number by itself, so that none leaves the range of half floats
    const each = typeof count === 'number' ? (scale * samples) / count : tf.div((scale * samples) / count.scale, count.scaled)
    return tf.sum(tf.mul<Tensor>(sums, each), 1)
  })
}

interface ComposedTargets {
  /** Labels, smoothed; `[rows, classes]`, as all of these or as what broadcasts to them. */
  readonly y: Tensor
  /** Booleans; `null` where everything is valid. */
  readonly isValid: Tensor | null
  /** 1 for a positive, before smoothing. */
  readonly positives: Tensor
  /** What losses are multiplied by: 1, 0 where they are ignored, and NaN where the target is none. */
  readonly kept: Tensor
}

/** `null`: all. An ignored label is one that cannot be a target; of a softmax only NaN can be, in all of a row. */
function validLabels(tf: ComposedOperations, { formula, ignoreIndex }: LossConstants, labels: Tensor): Tensor | null {
  if (Number.isNaN(ignoreIndex)) {
    const isThere = tf.logicalNot(tf.isNaN(labels))
    return formula.perRow ? tf.logicalAnd(tf.any(isThere, 1, true), tf.ones(labels.shape, 'bool')) : isThere
  }
  const canBeIgnored = !formula.perRow && ignoreIndex !== null && !(ignoreIndex >= 0 && ignoreIndex <= 1)
  return canBeIgnored ? tf.notEqual(labels, ignoreIndex) : null
}

export function targetsOf(tf: ComposedOperations, loss: LossConstants, batch: Batch): ComposedTargets {
  return batch.kind === 'labels' ? labelsOf(tf, loss, batch) : indicesOf(tf, loss, batch)
}

/** How far outside of 0 to 1 a label may be, to be taken as 0 or 1. */
function toleranceOf(tf: ComposedOperations): number {
  return hasHalfFloats(tf) ? 2 ** -9 : 1e-6
}

function labelsOf(tf: ComposedOperations, loss: LossConstants, { targets, rows, classes }: Batch): ComposedTargets {
  const given = tf.cast(tf.reshape(targets, [rows, classes]), 'float32')
  const isValid = validLabels(tf, loss, given)
  const clipped = tf.clipByValue(given, 0, 1)
  const isLabel = tf.lessEqual(tf.abs(tf.sub(given, clipped)), toleranceOf(tf))
  const known = tf.where(isLabel, clipped, tf.zerosLike(given))
  const labels = loss.oneFrom < 1 ? tf.where(tf.greaterEqual(known, loss.oneFrom), tf.onesLike(known), known) : known
  // The least number above 0 is below what a half float has
  const from = loss.positiveFrom
  const positives = tf.cast(from < 1e-6 ? tf.greater(labels, 0) : tf.greaterEqual(labels, from), 'float32')
  return { y: smooth(tf, loss, classes, labels, 1), isValid, positives, kept: keptOf(tf, isValid, isLabel) }
}

function indicesOf(tf: ComposedOperations, loss: LossConstants, { targets, rows, classes }: Batch): ComposedTargets {
  const { formula, ignoreIndex } = loss
  const index = tf.cast(tf.reshape(targets, [rows, 1]), 'float32')
  const background = loss.background === 'num-classes' ? classes : loss.background
  const isBackground = Number.isNaN(background) ? tf.zerosLike(tf.cast(index, 'bool')) : tf.equal(index, background)
  const isClass = tf.logicalAnd(tf.equal(index, tf.range(0, classes)), tf.logicalNot(isBackground))
  const hot = tf.cast(isClass, 'float32')
  const isKnown = ignoreIndex === null ? null : Number.isNaN(ignoreIndex) ? tf.logicalNot(tf.isNaN(index)) : tf.notEqual(index, ignoreIndex)
  const isValid = isKnown === null ? null : tf.logicalAnd(isKnown, tf.ones([1, classes], 'bool'))
  const positives = isValid === null ? hot : tf.mul<Tensor>(hot, tf.cast(isValid, 'float32'))
  const isIndex = tf.logicalOr(tf.any(isClass, 1, true), isBackground)
  // A background row has no class to smooth, and so no loss in a softmax
  const y = smooth(tf, loss, classes, hot, formula.perRow ? tf.sum(hot, 1, true) : 1)
  return { y, isValid, positives, kept: keptOf(tf, isValid, isIndex) }
}

function smooth(tf: ComposedOperations, { formula, labelSmoothing: e }: LossConstants, classes: number, y: Tensor, hasClass: Tensor | number): Tensor {
  return e === 0 ? y : tf.add(tf.mul(y, 1 - e), tf.mul(formula.perRow ? e / classes : e / 2, hasClass))
}

function keptOf(tf: ComposedOperations, isValid: Tensor | null, isTarget: Tensor): Tensor {
  const kept = tf.where(isTarget, tf.fill(isTarget.shape, 1), tf.fill(isTarget.shape, NaN))
  return isValid === null ? kept : tf.where(isValid, kept, tf.fill(isValid.shape, 0))
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
