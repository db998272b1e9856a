/** A batch as TensorFlow.js hands it to a loss function. */
import type { Tensor } from '@tensorflow/tfjs-core'
import type { TargetKind } from '../../problem/call.js'
import type { LossConstants } from '../../problem/constants.js'
import { checkBackground, checkClassCount } from '../../problem/shape.js'
import { checkTakesLabels, kindOfOneClass } from '../../problem/targets.js'

export interface Batch {
  /** `yPred`: its shape ends with the classes; a vector has samples of one class. */
  readonly logits: Tensor
  readonly targets: Tensor
  readonly kind: TargetKind
  readonly shape: readonly number[]
  readonly samples: number
  readonly rows: number
  readonly classes: number
}

/** Throws a TypeError or RangeError where the two tensors are no batch. `loss` is missing for a loss of the caller's own. */
export function batchOf(loss: LossConstants | undefined, yTrue: Tensor, yPred: Tensor, stated: TargetKind | undefined): Batch {
  if (yPred.dtype !== 'float32') throw new TypeError(`yPred has dtype ${yPred.dtype}; expected float32`)
  if (!['float32', 'int32', 'bool'].includes(yTrue.dtype)) throw new TypeError(`yTrue has dtype ${yTrue.dtype}; expected float32, int32 or bool`)
  const shape = yPred.rank > 1 ? yPred.shape : [yPred.size, 1]
  const classes = shape[shape.length - 1]
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1)
  const perLogit = yTrue.size === yPred.size && stated !== 'class-index'
  const perRow = yTrue.size === rows && stated !== 'labels'
  if (!perLogit && !perRow) throw wrongShape(yTrue, yPred, stated)
  if (loss !== undefined) checkClassCount(loss, classes, { shape })
  const kind = perLogit && perRow ? kindOf(loss, yTrue) : perLogit ? 'labels' : 'class-index'
  if (loss !== undefined && kind === 'labels' && yPred.size > 0) checkTakesLabels(loss, 'yTrue', yTrue)
  if (loss !== undefined) checkBackground(loss, kind, classes)
  return { logits: yPred, targets: yTrue, kind, shape, samples: shape[0], rows, classes }
}

/** With one class, there are as many of both; a batch without logits has either. */
function kindOf(loss: LossConstants | undefined, yTrue: Tensor): TargetKind {
  return loss === undefined ? 'labels' : kindOfOneClass(loss, yTrue.dtype === 'int32', undefined)
}

function wrongShape(yTrue: Tensor, yPred: Tensor, stated: TargetKind | undefined): RangeError {
  const labels = `yPred's, [${yPred.shape.join(', ')}]`
  const expected = {
    labels: `${labels}, as targetKind is 'labels'`,
    'class-index': `${labels}, without its last axis, as targetKind is 'class-index'`,
    any: `${labels}, or that without its last axis for class indices`,
  }
  return new RangeError(`yTrue has shape [${yTrue.shape.join(', ')}]; expected ${expected[stated ?? 'any']}`)
}
