/**
 * The loss by this package's kernels on TensorFlow.js's own GPU backend: one kernel forward and one back. Nothing is read, so a target
 * that is none makes its sample's loss, and its gradient, NaN. Where the gradient may be differentiated again, it is that of the composed
 * form.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import { type CountedUnit, elementwiseKernels } from '../../backends/shaders/elementwise.js'
import type { Kernel } from '../../backends/shaders/kernel.js'
import { foldKernel, stepsOf } from '../../backends/shaders/sums.js'
import type { LossConstants } from '../../problem/constants.js'
import type { Reduction } from '../../problem/options.js'
import type { Batch } from './batch.js'
import { composedLoss, type ComposedOperations, toleranceOf } from './composed.js'
import { type GpuOperations, hasHalfFloats, kernelRunner, type RunKernel } from './gpu.js'

export type ShaderOperations = GpuOperations & ComposedOperations & Pick<typeof tfjs, 'grad'>

/** On half floats partial sums of means are so much larger, to keep the digits of small ones. */
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
  const { unit, constant } = denominatorOf(loss, reduction, batch)
  const isCounted = unit !== null
  const shrink = isHalf ? Math.min(1, HALF_COUNT / constant) : 1
  const factor = isCounted ? samples * shrink : samples / constant
  const balanceOf = () => (kernels.balance === null ? [] : [tf.tensor1d(kernels.balance)])

  const forward = tf.customGrad((at, save) => {
    const x = at as Tensor
    const count = isCounted ? [sumEach(run, kernels.counts(unit), [targets], 1, { classes, each: constant, factor: shrink })] : []
    const lift = isHalf && reduction !== 'sum' && reduction !== 'mean-rows' ? HALF_LIFT : 1
    const value = sumEach(run, kernels.sums(isCounted), [x, targets, ...balanceOf(), ...count], samples, { classes, each, factor, least: shrink }, lift)
    const keep = save as (tensors: Tensor[]) => void
    keep([x, targets, ...count])
    return { value, gradFunc: (dy, saved) => backward(dy, saved) }
  })

  const backward = (dy: Tensor, [x, targets, ...count]: Tensor[]): Tensor => {
    // What is recorded may be differentiated again
    if (tf.engine().isTapeOn()) return tf.grad((at) => composedLoss(tf, loss, reduction, { ...batch, logits: at, targets }))(x, dy)
    return tf.tidy(() => run(kernels.gradient(isCounted), [x, targets, ...balanceOf(), ...count, dy], x.shape, { classes, each, factor, least: shrink }))
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

type Uniforms = Readonly<Record<string, number>> & { readonly each: number; readonly factor: number }

/** Of each of `groups` samples the sum of what a kernel makes partial sums of. Those are `lift` times as large on the way. */
function sumEach(run: RunKernel, kernel: Kernel, inputs: readonly Tensor[], groups: number, uniforms: Uniforms, lift = 1): Tensor {
  const [first, ...steps] = stepsOf(uniforms.each)
  const lifted = steps.length === 0 ? 1 : lift
  const partial = run(kernel, inputs, [groups * first], { ...uniforms, parts: first, factor: uniforms.factor * lifted })
  return steps.reduce<{ sums: Tensor; each: number }>(
    ({ sums, each }, parts) => ({ sums: run(foldKernel, [sums], [groups * parts], { each, parts, factor: parts === 1 ? 1 / lifted : 1 }), each: parts }),
    { sums: partial, each: first },
  ).sums
}
