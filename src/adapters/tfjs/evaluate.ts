/** Evaluates the scores of a TensorFlow.js model with `evaluate`, on the host, because metrics such as average precision need all scores in order. */
import type { Tensor } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { Evaluation } from '../../analysis/evaluate/evaluation.js'
import { evaluator } from '../../analysis/evaluate/evaluator.js'
import type { EvaluatorOptions } from '../../analysis/evaluate/options.js'
import { checkMethods, checkNames, checkRecord, oneOf, wholeNumber } from '../../arguments.js'
import { outOfRange, surplus, wrongType } from '../../errors.js'
import type { FocalLossBase } from '../../losses/base.js'
import { type TargetKind, targetKinds } from '../../problem/call.js'
import { checkFramework } from '../framework.js'
import { type Batch, batchOf } from './batch.js'

/** What is used of TensorFlow.js. */
export type EvaluateOperations = Pick<typeof tfjs, 'slice' | 'tidy' | 'getBackend' | 'customGrad'>

/** What is used of a model: a `LayersModel` or a `GraphModel` with one output, logits. */
export interface TfjsModel {
  /** Logits of a batch. */
  predict(x: Tensor, options: { batchSize: number }): unknown
}

/** What is used of a loss: any loss of this package. */
export type TfjsEvaluateLoss = Pick<FocalLossBase, 'sums' | 'options' | 'constants'>

/** The options of {@link tfEvaluate}: `temperature`, `bins` and `thresholds` as `evaluate` has them, and these. */
export interface TfjsEvaluateOptions extends Omit<EvaluatorOptions, 'loss'> {
  /** Samples that are predicted together. Default 32. */
  batchSize?: number | undefined
  /** What `yTrue` holds: see {@link TfjsOptions.targetKind}. */
  targetKind?: TargetKind | undefined
  /** One per row or per logit, its first axis the samples; finite and not below 0. */
  weights?: Tensor | undefined
  /** As many; what is 0 is left out. */
  mask?: Tensor | undefined
}

const names = new Set(['temperature', 'bins', 'thresholds', 'batchSize', 'targetKind', 'weights', 'mask'])

/**
 * Judges a model on all of its data, which metrics of `model.compile` cannot: TensorFlow.js averages those over batches. Predicts batch after batch, reads the logits
 * asynchronously, which every backend of TensorFlow.js can, and returns what `evaluate` returns: exact over everything, raw and recalibrated, with thresholds.
 *
 * @param x the model's input, its first axis the samples.
 * @param yTrue targets as {@link tfLoss} takes them. What the loss ignores is left out.
 * @returns plain data. Rejects with what `evaluate` throws.
 */
export async function tfEvaluate(tf: EvaluateOperations, model: TfjsModel, loss: TfjsEvaluateLoss, x: Tensor, yTrue: Tensor, options: TfjsEvaluateOptions = {}): Promise<Evaluation> {
  if (arguments.length > 6) throw surplus('tfEvaluate()', 6, arguments.length)
  checkFramework('tf', tf, ['getBackend', 'customGrad'], 'TensorFlow.js', 'tfEvaluate(tf, model, loss, x, yTrue)')
  checkMethods('model', model, ['predict'])
  checkRecord('options', options)
  checkNames(options, names, 'tfEvaluate()')
  const { batchSize = 32, targetKind, weights, mask, ...asked } = options
  if (wholeNumber('batchSize', batchSize, 1 << 28) === 0) throw outOfRange('batchSize', batchSize, `a whole number from 1 to ${1 << 28}`)
  if (targetKind !== undefined) oneOf('targetKind', targetKind, targetKinds)
  const all = evaluator({ loss, ...asked })
  for (const [name, given] of Object.entries({ x, yTrue })) checkTensor(name, given)
  const samples = x.shape[0] ?? 1
  for (const [name, tensor] of Object.entries({ yTrue, weights, mask })) {
    if (tensor === undefined) continue
    checkTensor(name, tensor)
    if (tensor.shape[0] !== samples) throw new RangeError(`${name} has shape [${tensor.shape.join(', ')}]; expected ${samples} samples along the first axis, as x has`)
  }
  for (let from = 0; from < samples; from += batchSize) {
    const count = Math.min(batchSize, samples - from)
    const part = (tensor: Tensor) => tf.slice(tensor, from, count)
    const tensors = tf.tidy(() => ({ yPred: oneTensor(model.predict(part(x), { batchSize })), yTrue: part(yTrue), ...(weights && { weights: part(weights) }), ...(mask && { mask: part(mask) }) }))
    try {
      const batch = batchOf(loss.constants, tensors.yTrue, tensors.yPred, targetKind)
      const [logits, targets] = [await batch.logits.data(), await batch.targets.data()]
      const call = { weights: await tensors.weights?.data(), mask: await tensors.mask?.data() }
      all.add(logits as Float32Array, asTargets(batch, targets), { ...layoutOf(batch), ...call })
    } finally {
      for (const tensor of Object.values(tensors)) tensor.dispose()
    }
  }
  return all.result()
}

function checkTensor(name: string, value: unknown): void {
  const { shape, dtype } = Object(value) as Partial<Tensor>
  if (!Array.isArray(shape) || typeof dtype !== 'string') throw wrongType(name, value, 'a tensor')
}

/** One batch, read at once. */
export function evaluateBatch(loss: TfjsEvaluateLoss, batch: Batch): Evaluation {
  const [logits, targets] = [batch.logits.dataSync(), batch.targets.dataSync()]
  return evaluator({ loss }).add(logits as Float32Array, asTargets(batch, targets), layoutOf(batch)).result()
}

function layoutOf({ rows, classes, kind }: Batch): { shape: number[]; targetKind: TargetKind } {
  return { shape: [rows, classes], targetKind: kind }
}

/** `model.fit` makes float32 of indices. */
function asTargets({ kind }: Batch, targets: Float32Array | Int32Array | Uint8Array): Float32Array | Int32Array | Uint8Array {
  return kind === 'class-index' ? Int32Array.from(targets) : targets
}

function oneTensor(predicted: unknown): Tensor {
  if (typeof predicted !== 'object' || predicted === null || Array.isArray(predicted) || !('dtype' in predicted)) {
    throw new TypeError(`model.predict() returned ${Array.isArray(predicted) ? `${predicted.length} outputs` : 'what is no tensor'}; expected one tensor, the logits`)
  }
  return predicted as Tensor
}
