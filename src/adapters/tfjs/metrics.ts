/** Metrics of logits that decide by the loss's calibration, in operations of TensorFlow.js. */
import type { Scalar, Tensor } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { ScalarFigures } from '../../analysis/evaluate/evaluation.js'
import { checkLossMethods, checkNames, checkRecord, number, oneOf } from '../../arguments.js'
import { outOfRange, surplus, wrongType } from '../../errors.js'
import type { FocalLossBase } from '../../losses/base.js'
import { type TargetKind, targetKinds } from '../../problem/call.js'
import type { LossConstants } from '../../problem/constants.js'
import { checkFramework } from '../framework.js'
import { type Batch, batchOf } from './batch.js'
import { type ComposedOperations, targetsOf } from './composed.js'
import { evaluateBatch } from './evaluate.js'
import { functionsOf } from './functions.js'
import { logOddsOf } from './softmax.js'
import { partialSums } from './sums.js'

/** What is used of TensorFlow.js. */
export type MetricOperations = ComposedOperations & Pick<typeof tfjs, 'argMax' | 'scalar'>

/** What is used of a loss: any loss of this package. */
export type TfjsMetricLoss = Pick<FocalLossBase, 'sums' | 'options' | 'constants' | 'priorBias'>

/** The options of {@link tfMetrics}. */
export interface TfjsMetricOptions {
  /** The calibrated probability, between 0 and 1, from which a class is a yes; a softmax has none. Default 0.5. */
  threshold?: number | undefined
  /** What `yTrue` holds: see {@link TfjsOptions.targetKind}. */
  targetKind?: TargetKind | undefined
}

/** A metric as `model.compile({ metrics })` takes it. Its name is the name of the function. */
export type TfjsMetric = (yTrue: Tensor, yPred: Tensor) => Scalar

/** What {@link tfMetrics} returns. */
export interface TfjsMetrics {
  /** The share of correct predictions: over valid elements, each positive or negative; for a softmax over the rows that have a class. */
  readonly accuracy: TfjsMetric
  /** The share of positives among the predicted positives. */
  readonly precision: TfjsMetric
  /** The share of the positives that are predicted positive. */
  readonly recall: TfjsMetric
  /** The batch's average precision, over all elements pooled; for a softmax the mean over the classes. This metric and those below read the batch back, and are NaN if the batch does not define them. */
  readonly averagePrecision: TfjsMetric
  /** The area under the batch's ROC curve, in the same way. */
  readonly rocAuc: TfjsMetric
  /** The Brier score of the calibrated probabilities. The mean over batches of equal size is that of all data. */
  readonly brier: TfjsMetric
  /** The log loss of the calibrated probabilities, in nats, in the same way. */
  readonly logLoss: TfjsMetric
  /** Their expected calibration error; of a softmax of the top label. In a small batch it is large by chance. */
  readonly calibrationError: TfjsMetric
}

/**
 * Metrics for `model.compile({ metrics })` that fit a loss. TensorFlow.js's own `'accuracy'` takes logits for probabilities, and
 * focal loss pulls scores towards 0.5; here a class is predicted where `toProbability` of its logit is at least the
 * threshold, and a row of a softmax is of the class whose `toProbability` is largest. Of these three nothing is read back.
 *
 * Each is one number a batch; `accuracy`, `precision` and `recall` are 0 where there is nothing to divide by. `model.fit` and `evaluate` report the mean over batches, which of
 * all but `accuracy`, `brier` and `logLoss` is not the one of all data: {@link tfEvaluate} has that. What the loss ignores is left out.
 *
 * `averagePrecision`, `rocAuc`, `brier`, `logLoss` and `calibrationError` are those of `evaluate`'s recalibrated scores. They read the batch at once, which TensorFlow.js's webgpu backend refuses.
 *
 * Throws a RangeError where a weight of 0 leaves nothing to calibrate.
 */
export function tfMetrics(tf: MetricOperations, loss: TfjsMetricLoss, options: TfjsMetricOptions = {}): TfjsMetrics {
  if (arguments.length > 3) throw surplus('tfMetrics()', 3, arguments.length)
  checkFramework('tf', tf, ['getBackend', 'customGrad'], 'TensorFlow.js', 'tfMetrics(tf, loss)')
  checkLossMethods(loss, ['priorBias'])
  const { constants } = loss as Partial<TfjsMetricLoss>
  if (constants === undefined) throw wrongType('loss', loss, 'a loss of this package, whose calibration is known')
  checkRecord('options', options)
  checkNames(options, new Set(['threshold', 'targetKind']), 'tfMetrics()')
  const { threshold = 0.5, targetKind } = options
  if (!(number('threshold', threshold, 0, 1) > 0 && threshold < 1)) throw outOfRange('threshold', threshold, 'a number between 0 and 1, both excluded')
  if (targetKind !== undefined) oneOf('targetKind', targetKind, targetKinds)
  if (constants.formula.perRow && options.threshold !== undefined) {
    throw new TypeError(`threshold is ${threshold}; expected none, as a softmax decides for the largest class`)
  }
  const bounds = constants.formula.perRow ? [] : boundsOf(loss, threshold)
  const shareOf = (yTrue: Tensor, yPred: Tensor, which: (decisions: Decisions) => readonly [is: Tensor, isCounted: Tensor]) =>
    tf.tidy(() => share(tf, ...which(decisionsOf(tf, constants, bounds, batchOf(constants, yTrue, yPred, targetKind)))))
  // Of a softmax's row one class is right, which is the one that is found or is not
  const { perRow } = constants.formula
  const figureOf = (yTrue: Tensor, yPred: Tensor, which: (scores: ScalarFigures, pooled: ScalarFigures) => number | null) => {
    const { recalibrated } = evaluateBatch(loss, batchOf(constants, yTrue, yPred, targetKind))
    return tf.scalar(which((perRow ? recalibrated.macro : null) ?? recalibrated, recalibrated) ?? NaN)
  }
  // TensorFlow.js reports a metric under the name of its function, which is that of the property
  return {
    accuracy: (yTrue, yPred) =>
      shareOf(yTrue, yPred, ({ isYes, isPositive, isCounted }) =>
        perRow ? [isYes, tf.logicalAnd(isPositive, isCounted)] : [tf.equal(isYes, isPositive), isCounted],
      ),
    precision: (yTrue, yPred) => shareOf(yTrue, yPred, ({ isYes, isPositive, isCounted }) => [isPositive, tf.logicalAnd(isYes, isCounted)]),
    recall: (yTrue, yPred) => shareOf(yTrue, yPred, ({ isYes, isPositive, isCounted }) => [isYes, tf.logicalAnd(isPositive, isCounted)]),
    averagePrecision: (yTrue, yPred) => figureOf(yTrue, yPred, ({ averagePrecision }) => averagePrecision),
    rocAuc: (yTrue, yPred) => figureOf(yTrue, yPred, ({ rocAuc }) => rocAuc),
    brier: (yTrue, yPred) => figureOf(yTrue, yPred, (_, { brier }) => brier),
    logLoss: (yTrue, yPred) => figureOf(yTrue, yPred, (_, { logLoss }) => logLoss),
    calibrationError: (yTrue, yPred) => figureOf(yTrue, yPred, (_, { calibrationError }) => calibrationError),
  }
}

/** The inputs at which a class's calibrated probability is the threshold: one, or one per class. */
function boundsOf(loss: TfjsMetricLoss, threshold: number): readonly number[] {
  const { classPositive, inputs } = loss.constants
  const logits = classPositive === null ? [loss.priorBias(threshold)] : Array.from(loss.priorBias(Array.from(classPositive, () => threshold)))
  return inputs === 'logits' ? logits : logits.map((logit) => 1 / (1 + Math.exp(-logit)))
}

/** Booleans, all `[rows, classes]`. */
interface Decisions {
  readonly isYes: Tensor
  readonly isPositive: Tensor
  readonly isCounted: Tensor
}

function decisionsOf(tf: MetricOperations, loss: LossConstants, bounds: readonly number[], batch: Batch): Decisions {
  const { rows, classes, logits, targets, kind } = batch
  const { isValid, positives } = targetsOf(tf, loss, batch)
  const everything = isValid ?? tf.ones([rows, classes], 'bool')
  const x = tf.reshape(logits, [rows, classes])
  if (!loss.formula.perRow) {
    const bound = bounds.length === 1 ? bounds[0] : tf.tensor1d(Float32Array.from(bounds))
    return { isYes: tf.greaterEqual(x, bound), isPositive: tf.greater(positives, 0), isCounted: everything }
  }
  const topOf = (scores: Tensor) => tf.equal(tf.reshape(tf.argMax(scores, 1), [rows, 1]), tf.range(0, classes, 1, 'int32'))
  const labels = kind === 'labels' ? tf.reshape(tf.cast(targets, 'float32'), [rows, classes]) : positives
  // A row of no class, such as background, has none to be found
  const hasClass = tf.greater(tf.max(labels, 1, true), 0)
  const isCounted = tf.logicalAnd(everything, hasClass)
  return { isYes: topOf(scoresOf(tf, loss, x)), isPositive: tf.logicalAnd(topOf(labels), hasClass), isCounted }
}

/** Numbers whose order in a row is that of its calibrated probabilities. */
function scoresOf(tf: MetricOperations, loss: LossConstants, x: Tensor): Tensor {
  const { classPositive, classGamma, inputs } = loss
  // Without weights the calibration of a row keeps its order
  if (classPositive === null) return x
  const { softplus, exp, frozen } = functionsOf(tf)
  // What is below 1e-7 is not on top, and half floats have no smaller ones
  const logits = inputs === 'logits' ? x : tf.log(tf.maximum(x, 1e-7))
  const odds = logOddsOf(tf, exp, frozen)(logits)
  const nll = softplus(odds)
  const q = tf.sigmoid(odds)
  // As logShare of src/analysis/posterior.ts: nll / q tends to 1 as q does to 0
  const pull = tf.where(tf.greater(q, 0), tf.div<Tensor>(tf.mul(tf.sigmoid(tf.neg(odds)), nll), q), tf.fill(q.shape, 1))
  const weights = tf.tensor1d(Float32Array.from(classPositive, Math.log))
  const gamma = classGamma === null ? loss.gamma : tf.tensor1d(Float32Array.from(classGamma))
  return tf.sub(tf.sub(tf.sub(tf.mul(gamma, softplus(tf.neg(odds))), nll), tf.log(tf.add(tf.mul(gamma, pull), 1))), weights)
}

/** Of what is counted, the share that is; in trees, as half floats count to 2,048 exactly. */
function share(tf: MetricOperations, is: Tensor, isCounted: Tensor): Scalar {
  const sumOf = (booleans: Tensor) => tf.sum(partialSums(tf, tf.reshape(tf.cast(booleans, 'float32'), [1, booleans.size])).sums)
  const counted = sumOf(isCounted)
  return tf.div(sumOf(tf.logicalAnd(is, isCounted)), tf.where(tf.greater(counted, 0), counted, tf.onesLike(counted)))
}
