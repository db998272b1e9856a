/**
 * A loss object as a loss function of TensorFlow.js. The framework is the caller's: this file only names its types.
 *
 * @module focal-loss/tfjs
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { NumericArray } from './arrays.js'
import { outOfRange } from './errors.js'
import type { FocalLossBase } from './loss.js'
import type { Reduction } from './options.js'

/** What is used of TensorFlow.js: the namespace of `@tensorflow/tfjs`, `tfjs-node` or `tfjs-core` will do. */
export type TensorFlow = Pick<typeof tfjs, 'customGrad' | 'mul' | 'reshape' | 'tensor' | 'tensor1d'>

/** What is used of a loss: any of this package. */
export type TfjsLoss = Pick<FocalLossBase, 'sums' | 'denominator'> & { readonly options: { readonly reduction: Reduction } }

/**
 * Makes of a loss object what `model.compile({ loss })` takes: `(yTrue, yPred) => Tensor1D`, one value a sample, so that
 * TensorFlow.js can apply sample and class weights. The mean over the batch is the loss's reduced value ('none' acts
 * as 'mean'), and the gradient is exact.
 *
 * `yPred` holds logits, `[batch, ..., classes]` of dtype float32, so the last layer has no activation. `yTrue` holds as
 * many targets from 0 to 1, or class indices, one per row: `yPred`'s shape without the last axis, or with 1 there.
 * (`model.fit` insists on the shape of `yPred` for losses it does not know; indices are for loops of your own.)
 *
 * Data is read synchronously, which the cpu, wasm, webgl and node backends of TensorFlow.js allow and webgpu does not.
 */
export function tfLoss(tf: TensorFlow, loss: TfjsLoss): (yTrue: Tensor, yPred: Tensor) => Tensor1D {
  return (yTrue, yPred) => {
    const shape = yPred.rank > 1 ? yPred.shape : [yPred.size, 1]
    const batch = shape[0]
    const targets = readTargets(yTrue, yPred, shape)
    const perSample = tf.customGrad((x) => {
      const { grad, out, ...sums } = loss.sums(readLogits(x as Tensor), targets, { shape, grad: true, out: true })
      const mean = Math.max(1, out.length === grad.length ? sums.elements : sums.rows)
      const scale = batch / (loss.options.reduction === 'none' ? mean : loss.denominator(sums))
      return {
        value: tf.tensor1d(sumEach(out, batch, scale)),
        gradFunc: (dy: Tensor) => {
          const perRow = tf.reshape(tf.mul(dy, scale), [batch, ...yPred.shape.slice(1).map(() => 1)])
          return tf.mul(tf.tensor(grad, yPred.shape, 'float32'), perRow)
        },
      }
    })
    return perSample(yPred) as Tensor1D
  }
}

function readLogits(x: Tensor): Float32Array {
  if (x.dtype !== 'float32') throw new TypeError(`yPred has dtype ${x.dtype}; expected float32`)
  return x.dataSync<'float32'>()
}

function readTargets(yTrue: Tensor, yPred: Tensor, shape: readonly number[]): NumericArray {
  const data = yTrue.dataSync<'float32' | 'int32' | 'bool'>()
  if (yTrue.size === yPred.size) return data
  const classes = shape[shape.length - 1]
  if (yTrue.size * classes === yPred.size) return toIndices(data)
  throw new RangeError(
    `yTrue has shape [${yTrue.shape.join(', ')}]; expected yPred's, [${yPred.shape.join(', ')}], or that without its ` +
      'last axis for class indices',
  )
}

/** Class indices come as floats, too. */
function toIndices(data: ArrayLike<number>): Int32Array {
  return Int32Array.from(data, (index, i) => {
    if ((index | 0) !== index) throw outOfRange(`yTrue[${i}]`, index, 'an integer, the index of a class')
    return index
  })
}

/** The sum of each sample's losses, times `scale`. */
function sumEach(losses: Float32Array, batch: number, scale: number): Float32Array {
  const each = batch === 0 ? 0 : losses.length / batch
  const sums = new Float32Array(batch)
  for (let b = 0; b < batch; b++) {
    let sum = 0
    for (let i = b * each; i < (b + 1) * each; i++) sum += losses[i]
    sums[b] = sum * scale
  }
  return sums
}
