/**
 * The loss composed of operations of TensorFlow.js: for backends whose data cannot be read at once, and for second derivatives. In
 * float32 throughout, and targets are not checked, as nothing is read.
 */
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { LossConstants } from '../../problem/constants.js'
import type { Reduction } from '../../problem/options.js'
import type { Batch } from './batch.js'
import { composedFormula, type FormulaOperations, TINY } from './formulas.js'

export type ComposedOperations = FormulaOperations &
  Pick<typeof tfjs, 'cast' | 'equal' | 'logicalAnd' | 'notEqual' | 'ones' | 'range' | 'reshape' | 'sum' | 'tidy'>

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
    const valid = isValid === null ? tf.ones([rows, classes]) : tf.cast(isValid, 'float32')
    const each = tf.sum(tf.reshape(tf.mul(losses, valid), [samples, -1]), 1)
    return tf.mul<Tensor1D>(each, tf.div(samples, denominatorOf(tf, loss, reduction, valid, positives)))
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
    const positives = tf.cast(tf.greaterEqual(labels, Math.max(formula.positiveFrom, TINY)), 'float32')
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

/** At least 1, as for any backend. */
function denominatorOf(tf: ComposedOperations, { formula }: LossConstants, reduction: Reduction, valid: Tensor, positives: Tensor): Tensor | number {
  if (reduction === 'sum') return 1
  const countOf = () => {
    if (reduction === 'mean-positives') return tf.sum(positives)
    return reduction === 'mean-rows' || formula.perRow ? tf.sum(tf.max(valid, 1)) : tf.sum(valid)
  }
  return tf.maximum<Scalar>(countOf(), 1)
}
