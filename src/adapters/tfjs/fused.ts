/** The loss by this package's backends: values in the forward pass, and the gradient, times the upstream gradient, in the backward pass. */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { NumericArray } from '../../arrays/numeric_array.js'
import { outOfRange } from '../../errors.js'
import type { FocalLossBase } from '../../losses/base.js'
import type { Reduction } from '../../problem/options.js'
import type { Batch } from './batch.js'
import { fillTensor, type MemoryOperations, readTensors } from './memory.js'

export type FusedOperations = MemoryOperations & Pick<typeof tfjs, 'customGrad' | 'tensor1d'>

export function fusedLoss(tf: FusedOperations, loss: Pick<FocalLossBase, 'sums' | 'denominator'>, reduction: Reduction, batch: Batch): Tensor1D {
  const { shape, samples, rows, kind: targetKind } = batch
  const forward = tf.customGrad((logits, save) => {
    const x = logits as Tensor
    const y = batch.targets
    const { values, scale } = readTensors(tf, [x, y], (logits, targets) => {
      const { out, ...sums } = loss.sums(logits as Float32Array, targetsOf(batch, targets), { shape, targetKind, out: true })
      const counted = Math.max(1, out.length === logits.length ? sums.elements : sums.rows)
      const scale = samples / (reduction === 'none' ? counted : loss.denominator(sums))
      return { values: sumEach(out, samples, scale), scale }
    })
    const keep = save as (tensors: Tensor[]) => void
    keep([x, y])
    return { value: tf.tensor1d(values), gradFunc: (dy, saved) => backward(dy, saved, scale) }
  })

  const backward = (dy: Tensor, [x, y]: Tensor[], scale: number) =>
    tf.customGrad(() => ({
      value: fillTensor(tf, x.shape, [x, y, dy], (grad, logits, targets, seeds) => {
        const each = rows / samples
        const weights = new Float32Array(rows)
        for (let row = 0; row < rows; row++) weights[row] = seeds[Math.floor(row / each)] * scale
        loss.sums(logits as Float32Array, targetsOf(batch, targets), { shape, targetKind, weights, grad })
      }),
      gradFunc: () => {
        throw new Error(
          "the gradient of a fused loss has no gradient of its own; pass { implementation: 'composed' } to tfLoss for second derivatives",
        )
      },
    }))(x, dy)

  return forward(batch.logits) as Tensor1D
}

/** Class indices come as floats, too. */
function targetsOf({ kind }: Batch, targets: NumericArray): NumericArray {
  if (kind === 'labels' || !(targets instanceof Float32Array)) return targets
  return Int32Array.from(targets, (index, i) => {
    if ((index | 0) !== index) throw outOfRange(`yTrue[${i}]`, index, 'an integer, the index of a class')
    return index
  })
}

/** The sum of each sample's losses, times `scale`. */
function sumEach(losses: Float32Array, samples: number, scale: number): Float32Array {
  const each = samples === 0 ? 0 : losses.length / samples
  const sums = new Float32Array(samples)
  for (let b = 0; b < samples; b++) {
    let sum = 0
    for (let i = b * each; i < (b + 1) * each; i++) sum += losses[i]
    sums[b] = sum * scale
  }
  return sums
}
