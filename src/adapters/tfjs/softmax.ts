/** The softmax of a row as log-odds against each class, in operations of TensorFlow.js and within the range of half floats. */
import type { Tensor } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { Elementwise, FunctionOperations } from './functions.js'
import { sumLast, type SumOperations } from './sums.js'

export type SoftmaxOperations = FunctionOperations & SumOperations & Pick<typeof tfjs, 'equal' | 'logicalAnd' | 'max' | 'min' | 'onesLike'>

/**
 * z_c = log(others_c) - x_c for rows `[rows, classes]` of at least two classes, where others_c sums every exponential of the row but
 * c's. The one class on top is apart: its others are summed relative to the largest of them, as relative to the top a half float
 * rounds all of them to 0. For the rest nothing is lost by subtracting e_c from the sum, to which the top adds 1.
 */
export function logOddsOf(tf: SoftmaxOperations, exp: Elementwise, frozen: (value: Elementwise) => Elementwise): Elementwise {
  const { add, div, mul, sub } = tf
  const largest = frozen((x) => tf.max(x, 1, true))
  const least = frozen((x) => tf.min(x, 1, true))
  /** Where several share the top, none is apart. */
  const isApart = frozen((down) => {
    const isLargest = tf.equal(down, 0)
    return tf.logicalAnd(isLargest, tf.equal(tf.sum(tf.cast(isLargest, 'float32'), 1, true), 1))
  })

  // No result depends on what is subtracted, so that nothing is differentiated by it
  const partsOf = (x: Tensor) => {
    const down = sub<Tensor>(x, largest(x))
    const isTop = isApart(down)
    const zeros = tf.zerosLike(down)
    const below = tf.where(isTop, least(down), down)
    const gap = largest(below)
    const e = exp(down)
    const eBelow = tf.where(isTop, zeros, exp(sub(below, gap)))
    return { down, isTop, zeros, gap, e, eBelow, others: sub<Tensor>(sumLast(tf, e), e), sumBelow: sumLast(tf, eBelow) }
  }

  return (x) =>
    tf.customGrad((at, save) => {
      const keep = save as (tensors: Tensor[]) => void
      keep([at as Tensor])
      const { down, isTop, gap, others, sumBelow } = partsOf(at as Tensor)
      return {
        value: tf.where(isTop, add<Tensor>(gap, tf.log(sumBelow)), sub<Tensor>(tf.log(others), down)),
        // dz_c / dx_j = e_j / others_c for j other than c, and -1 for c itself
        gradFunc: (dy, [x]) => {
          const { isTop, zeros, e, eBelow, others, sumBelow } = partsOf(x)
          const shares = tf.where(isTop, zeros, div<Tensor>(dy, tf.where(isTop, tf.onesLike(others), others)))
          const ofTop = div<Tensor>(sumLast(tf, tf.where(isTop, dy, zeros)), sumBelow)
          return sub<Tensor>(add(mul(e, sub(sumLast(tf, shares), shares)), mul(eBelow, ofTop)), dy)
        },
      }
    })(x)
}
