/**
 * A loss object as a loss function of TensorFlow.js. The framework is the caller's: this file only names its types.
 *
 * @module focal-loss/tfjs
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { FocalLossBase } from '../../losses/base.js'
import { checkMethods, checkNames, checkRecord, oneOf } from '../../arguments.js'
import { surplus, wrongType } from '../../errors.js'
import { type TargetKind, targetKinds } from '../../problem/call.js'
import { isHostOnly } from '../../problem/constants.js'
import type { Reduction } from '../../problem/options.js'
import { checkFramework } from '../framework.js'
import { batchOf } from './batch.js'
import { composedLoss } from './composed.js'
import { fusedLoss, type FusedOperations } from './fused.js'
import { shaderLoss, type ShaderOperations } from './shaders.js'

export { tfMetrics, type MetricOperations, type TfjsMetric, type TfjsMetricLoss, type TfjsMetricOptions, type TfjsMetrics } from './metrics.js'

/** What is used of TensorFlow.js: the namespace of `@tensorflow/tfjs`, `tfjs-node` or `tfjs-core` will do. */
export type TensorFlow = FusedOperations & ShaderOperations & Pick<typeof tfjs, 'getBackend'>

/** What is used of a loss: any of this package. A loss of your own needs no `constants`, and cannot be composed then. */
export type TfjsLoss = Pick<FocalLossBase, 'sums' | 'denominator'> &
  Partial<Pick<FocalLossBase, 'constants'>> & { readonly options: { readonly reduction: Reduction } }

/** The options of {@link tfLoss}. */
export interface TfjsOptions {
  /**
   * 'fused' computes with this package's kernels: on webgl and webgpu they run on the GPU, and nothing is read; else with its
   * backends, which needs the data at once. 'composed' is made of operations of TensorFlow.js, which stays on the
   * GPU and can be differentiated again, in float32. Where nothing is read, a target that is none makes its sample's loss NaN;
   * elsewhere it is an error.
   * Default: 'composed' on webgl and webgpu for what has no kernel there, else 'fused'.
   */
  implementation?: 'fused' | 'composed' | undefined
  /**
   * What `yTrue` holds: 'labels', numbers from 0 to 1 in the shape of `yPred`; or 'class-index', one index per row. By default the
   * number of targets tells; with one class, where there are as many of both, int32 targets of a loss with a `background` are
   * class indices, and all others labels. `model.fit` makes float32 of whatever it is given.
   */
  targetKind?: TargetKind | undefined
}

const onGpu: ReadonlySet<string> = new Set(['webgl', 'webgpu'])

/**
 * Adapts a loss for `model.compile({ loss })`: `(yTrue, yPred) => Tensor1D`, one value a sample, so that
 * TensorFlow.js can apply class weights. The mean over the batch is the loss's reduced value ('none' acts as 'mean').
 *
 * `yPred` holds logits, `[batch, ..., classes]` of dtype float32, so the last layer has no activation (unless the loss has inputs
 * 'probabilities', which cannot be composed). `yTrue` holds as
 * many targets from 0 to 1, or class indices, one per row: `yPred`'s shape without the last axis, or with 1 there.
 * (`model.fit` insists on the shape of `yPred` for losses it does not know; indices are for loops of your own.)
 *
 * Fused, the loss reads and writes the memory of TensorFlow.js's cpu, wasm, webgl and webgpu backends without copies.
 */
export function tfLoss(tf: TensorFlow, loss: TfjsLoss, options: TfjsOptions = {}): (yTrue: Tensor, yPred: Tensor) => Tensor1D {
  if (arguments.length > 3) throw surplus('tfLoss()', 3, arguments.length)
  checkFramework('tf', tf, ['getBackend', 'customGrad'], 'TensorFlow.js', 'tfLoss(tf, loss)')
  checkMethods('loss', loss, ['sums', 'denominator'])
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
  // What no kernel has is composed of nothing
  const constants = loss.constants !== undefined && loss.constants.formula.code >= 0 && !isHostOnly(loss.constants) ? loss.constants : undefined
  return (yTrue, yPred) => {
    const batch = batchOf(loss.constants, yTrue, yPred, targetKind)
    const onShaders = implementation === 'composed' ? null : shaderLoss(tf, constants, reduction, batch)
    if (onShaders !== null) return onShaders
    const chosen = implementation ?? (onGpu.has(tf.getBackend()) ? 'composed' : 'fused')
    return chosen === 'fused' ? fusedLoss(tf, loss, reduction, batch) : composedLoss(tf, constants, reduction, batch)
  }
}
