/**
 * The loss by this package's kernels on TensorFlow.js's own GPU backend: one kernel forward and one back. Nothing is read, so a target
 * that is none makes its sample's loss, and its gradient, NaN. Where the gradient may be differentiated again, it is that of the composed
 * form.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import { type CountedUnit, type ElementwiseKernels, elementwiseKernels, totalKernel } from '../../backends/shaders/elementwise.js'
import type { LossConstants } from '../../problem/constants.js'
import type { Reduction } from '../../problem/options.js'
import type { Batch } from './batch.js'
import { composedLoss, type ComposedOperations, toleranceOf } from './composed.js'
import { type GpuOperations, hasHalfFloats, kernelRunner, type RunKernel } from './gpu.js'

export type ShaderOperations = GpuOperations & ComposedOperations & Pick<typeof tfjs, 'grad'>

/** How many losses a partial sum adds up: so few that writing the sums costs little, and so many that enough of them run at once. */
const PART = 16

/** On half floats sums are made of so many parts at most, */
const HALF_PARTS = 64

/** which for means are so much larger, to keep the digits of small ones. */
const HALF_LIFT = 8

/** What counts are at most, where half floats hold them: digits enough below and above. */
const HALF_COUNT = 4096

/** `null` where there are no kernels: for losses other than the element-wise ones of this package, of logits, and for empty batches. */
export function shaderLoss(tf: ShaderOperations, loss: LossConstants | undefined, reduction: Reduction, batch: Batch): Tensor1D | null {
  if (loss === undefined || loss.formula.perRow || loss.inputs === 'probabilities' || batch.logits.size === 0) return null
  const run = kernelRunner(tf)
  return run && lossOf(tf, run, loss, reduction, batch)
}

function lossOf(tf: ShaderOperations, run: RunKernel, loss: LossConstants, reduction: Reduction, batch: Batch): Tensor1D {
  const { logits, targets, kind, samples, classes } = batch
  const isHalf = hasHalfFloats(tf)
  const kernels = elementwiseKernels(loss, kind, toleranceOf(tf))
  const each = logits.size / samples
  const parts = isHalf ? Math.min(each, HALF_PARTS) : Math.ceil(each / PART)
  const lift = isHalf && parts > 1 && reduction !== 'sum' && reduction !== 'mean-rows' ? HALF_LIFT : 1
  const { unit, constant } = denominatorOf(loss, reduction, batch)
  const shrink = isHalf ? Math.min(1, HALF_COUNT / constant) : 1
  const factor = unit === null ? samples / constant : samples * shrink
  const balanceOf = () => (kernels.balance === null ? [] : [tf.tensor1d(kernels.balance)])

  const forward = tf.customGrad((at, save) => {
    const x = at as Tensor
    const count = unit === null ? [] : [countOf(run, kernels, unit, targets, { classes, units: constant, shrink })]
    const inputs = [x, targets, ...balanceOf(), ...count]
    const sums = run(kernels.sums(unit !== null), inputs, parts === 1 ? [samples] : [samples, parts], { classes, each, parts, factor: factor * lift })
    const whole = parts === 1 ? sums : tf.sum(sums, 1)
    const keep = save as (tensors: Tensor[]) => void
    keep([x, targets, ...count])
    return { value: lift === 1 ? whole : tf.mul(whole, 1 / lift), gradFunc: (dy, saved) => backward(dy, saved) }
  })

  const backward = (dy: Tensor, [x, targets, ...count]: Tensor[]): Tensor => {
    // What is recorded may be differentiated again
    if (tf.engine().isTapeOn()) return tf.grad((at) => composedLoss(tf, loss, reduction, { ...batch, logits: at, targets }))(x, dy)
    return tf.tidy(() => run(kernels.gradient(unit !== null), [x, targets, ...balanceOf(), ...count, dy], x.shape, { classes, each, factor }))
  }

  return forward(logits) as Tensor1D
}

/** What the sum of losses is divided by: `constant`, or what is counted among as many. */
function denominatorOf({ formula, ignoreIndex }: LossConstants, reduction: Reduction, { kind, rows, classes }: Batch): { unit: CountedUnit | null; constant: number } {
  const ofRows = reduction === 'mean-rows' || formula.perRow
  const all = ofRows ? rows : rows * classes
  if (reduction === 'sum') return { unit: null, constant: 1 }
  if (reduction === 'mean-positives') return { unit: 'positives', constant: rows * classes }
  // A label from 0 to 1 is never ignored
  const isIgnoring = ignoreIndex !== null && !(kind === 'labels' && ignoreIndex >= 0 && ignoreIndex <= 1)
  return { unit: isIgnoring ? (ofRows ? 'rows' : 'elements') : null, constant: all }
}

interface CountUniforms {
  readonly classes: number
  readonly units: number
  readonly shrink: number
}

function countOf(run: RunKernel, kernels: ElementwiseKernels, unit: CountedUnit, targets: Tensor, { classes, units, shrink }: CountUniforms): Tensor {
  // As many sums as each has numbers
  const parts = Math.ceil(Math.sqrt(units))
  const counts = run(kernels.counts(unit), [targets], [parts], { classes, units, parts, shrink })
  return run(totalKernel, [counts], [1], { parts, shrink })
}
