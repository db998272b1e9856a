/**
 * A loss object as a loss function of TensorFlow.js. The caller passes the framework; this file only imports its types.
 *
 * @module focal-loss/tfjs
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { FocalLossBase } from '../../losses/base.js'
import { checkLossMethods, checkNames, checkRecord, oneOf } from '../../arguments.js'
import { surplus, wrongType } from '../../errors.js'
import { type TargetKind, targetKinds } from '../../problem/call.js'
import type { Reduction } from '../../problem/options.js'
import { checkFramework } from '../framework.js'
import { batchOf } from './batch.js'
import { composedLoss } from './composed.js'
import { fusedLoss, type FusedOperations } from './fused.js'
import { shaderLoss, type ShaderOperations } from './shaders.js'

export { type EvaluateOperations, tfEvaluate, type TfjsEvaluateLoss, type TfjsEvaluateOptions, type TfjsModel } from './evaluate.js'
export { tfMetrics, type MetricOperations, type TfjsMetric, type TfjsMetricLoss, type TfjsMetricOptions, type TfjsMetrics } from './metrics.js'

/** The part of TensorFlow.js that is used: the namespace of `@tensorflow/tfjs`, `tfjs-node` or `tfjs-core`. */
export type TensorFlow = FusedOperations & ShaderOperations & Pick<typeof tfjs, 'getBackend'>

/** The part of a loss that is used: any loss of this package. A custom loss needs no `constants`, but cannot be composed without. */
export type TfjsLoss = Pick<FocalLossBase, 'sums' | 'denominator'> &
  Partial<Pick<FocalLossBase, 'constants'>> & { readonly options: { readonly reduction: Reduction } }

/** The options of {@link tfLoss}. */
export interface TfjsOptions {
  /**
   * 'fused' computes with this package's kernels: on the GPU with webgl and webgpu, where nothing is read back, and with this
   * package's backends elsewhere. 'composed' uses operations of TensorFlow.js in float32. It stays on the GPU and can be
   * differentiated twice. If targets are not read back, an invalid one makes its sample's loss NaN; otherwise it is an error.
   * Default: 'fused'; on webgl and webgpu 'composed' for cases without a kernel.
   */
  implementation?: 'fused' | 'composed' | undefined
  /**
   * How `yTrue` is read: 'labels', numbers from 0 to 1 in the shape of `yPred`; or 'class-index', one index per row. By default the
   * number of targets decides. With one class both are possible: then int32 targets of a loss with a `background` are class
   * indices, and all others are labels. `model.fit` converts all targets to float32.
   */
  targetKind?: TargetKind | undefined
}

const onGpu: ReadonlySet<string> = new Set(['webgl', 'webgpu'])

/**
 * Adapts a loss for `model.compile({ loss })`: `(yTrue, yPred) => Tensor1D`, one value per sample, so that
 * TensorFlow.js can apply class weights. The mean over the batch is the loss's reduced value ('none' acts as 'mean').
 *
 * `yPred` holds logits, `[batch, ..., classes]` of dtype float32, so the last layer has no activation (unless the loss has inputs
 * 'probabilities', which cannot be composed). `yTrue` holds labels from 0 to 1 in the same shape, or class indices, one per row:
 * `yPred`'s shape without the last axis, or with 1 there. (`model.fit` requires the shape of `yPred`; use class indices in custom
 * training loops.)
 *
 * Fused, the loss reads and writes the memory of TensorFlow.js's cpu, wasm, webgl and webgpu backends without copies.
 */
export function tfLoss(tf: TensorFlow, loss: TfjsLoss, options: TfjsOptions = {}): (yTrue: Tensor, yPred: Tensor) => Tensor1D {
  if (arguments.length > 3) throw surplus('tfLoss()', 3, arguments.length)
  checkFramework('tf', tf, ['getBackend', 'customGrad'], 'TensorFlow.js', 'tfLoss(tf, loss)')
  checkLossMethods(loss, ['sums', 'denominator'])
  checkRecord('loss.options', loss.options)
  checkRecord('options', options)
  checkNames(options, new Set(['implementation', 'targetKind']), 'tfLoss()')
  const { implementation, targetKind } = options
  if (implementation !== undefined) oneOf('implementation', implementation, ['fused', 'composed'])
  if (targetKind !== undefined) oneOf('targetKind', targetKind, targetKinds)
  if (loss.constants?.positionTargets === true) {
    throw wrongType('loss', loss, 'a loss of labels or class indices; of positions y on bins 0 to n it is SoftmaxFocalLoss with gamma 0 and labels relu(1 - |y - i|)')
  }
  const { reduction } = loss.options
  return (yTrue, yPred) => {
    const batch = batchOf(loss.constants, yTrue, yPred, targetKind)
    const { constants } = loss
    const onShaders = implementation === 'composed' ? null : shaderLoss(tf, constants, reduction, batch)
    if (onShaders !== null) return onShaders
    const chosen = implementation ?? (onGpu.has(tf.getBackend()) ? 'composed' : 'fused')
    return chosen === 'fused' ? fusedLoss(tf, loss, reduction, batch) : composedLoss(tf, constants, reduction, batch)
  }
}
