/** A batch as TensorFlow.js hands it to a loss function. */
import type { Tensor } from '@tensorflow/tfjs-core'

export interface Batch {
  /** `yPred`: its shape ends with the classes; a vector has samples of one class. */
  readonly logits: Tensor
  readonly targets: Tensor
  readonly kind: 'dense' | 'class-index'
  readonly shape: readonly number[]
  readonly samples: number
  readonly rows: number
  readonly classes: number
}

/** Throws a TypeError or RangeError where the two tensors are no batch. */
export function batchOf(yTrue: Tensor, yPred: Tensor): Batch {
  if (yPred.dtype !== 'float32') throw new TypeError(`yPred has dtype ${yPred.dtype}; expected float32`)
  if (!['float32', 'int32', 'bool'].includes(yTrue.dtype)) throw new TypeError(`yTrue has dtype ${yTrue.dtype}; expected float32, int32 or bool`)
  const shape = yPred.rank > 1 ? yPred.shape : [yPred.size, 1]
  const classes = shape[shape.length - 1]
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1)
  if (yTrue.size !== yPred.size && yTrue.size !== rows) {
    throw new RangeError(
      `yTrue has shape [${yTrue.shape.join(', ')}]; expected yPred's, [${yPred.shape.join(', ')}], or that without its ` +
        'last axis for class indices',
    )
  }
  const kind = yTrue.size === yPred.size ? 'dense' : 'class-index'
  return { logits: yPred, targets: yTrue, kind, shape, samples: shape[0], rows, classes }
}
