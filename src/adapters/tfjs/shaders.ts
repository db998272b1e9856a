/**
 * The loss by this package's kernels on TensorFlow.js's own GPU backend: one kernel forward and one back, beside sums. Nothing is read
 * back, so an invalid target makes its sample's loss and gradient NaN. If the gradient may be differentiated again, it is that of the
 * composed form.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import { FLOAT16, FLOAT32 } from '../../arrays/logits.js'
import { areRowsCounted, countsKernel, type CountedUnit, denominatorOf } from '../../backends/shaders/counts.js'
import { elementwiseKernels } from '../../backends/shaders/elementwise.js'
import type { Kernel, KernelOptions } from '../../backends/shaders/kernel.js'
import { softmaxKernels } from '../../backends/shaders/softmax.js'
import { foldKernel, stepsOf } from '../../backends/shaders/sums.js'
import type { LossConstants } from '../../problem/constants.js'
import type { Reduction } from '../../problem/options.js'
import type { Batch } from './batch.js'
import { composedLoss, type ComposedOperations } from './composed.js'
import { type GpuOperations, hasHalfFloats, kernelRunner, type RunKernel } from './gpu.js'

export type ShaderOperations = GpuOperations & ComposedOperations & Pick<typeof tfjs, 'grad'>

/** On half floats partial sums of means are so much larger, to keep the digits of small ones. */
const HALF_LIFT = 8

/** The largest count, where half floats hold them: digits enough below and above. */
const HALF_COUNT = 4096

/** `null` where there are no kernels: for losses that are none of this package. */
export function shaderLoss(tf: ShaderOperations, loss: LossConstants | undefined, reduction: Reduction, batch: Batch): Tensor1D | null {
  if (loss === undefined || loss.formula.code < 0) return null
  const run = kernelRunner(tf)
  if (run === null) return null
  return batch.logits.size === 0 ? nothingOf(tf, batch) : lossOf(tf, run, loss, reduction, batch)
}

/** Of a batch without logits: TensorFlow.js's webgpu backend sums up no tensor without numbers. */
function nothingOf(tf: ShaderOperations, { logits, samples }: Batch): Tensor1D {
  const forward = tf.customGrad((at) => ({ value: tf.tensor1d(new Float32Array(samples)), gradFunc: () => tf.zerosLike(at as Tensor) }))
  return forward(logits)
}

function lossOf(tf: ShaderOperations, run: RunKernel, loss: LossConstants, reduction: Reduction, batch: Batch): Tensor1D {
  const { kind, samples, classes, rows } = batch
  const { perRow } = loss.formula
  const isHalf = hasHalfFloats(tf)
  const options: KernelOptions = { kind, isLast: true, isHalf, dtype: isHalf ? FLOAT16 : FLOAT32, isSeeded: true, weights: null, mask: null }
  const kernels = (perRow ? softmaxKernels : elementwiseKernels)(loss, options)
  const each = (rows / samples) * classes
  const { unit, constant } = denominatorOf(loss, reduction, options, rows, classes)
  const isCounted = unit !== null
  const least = isHalf ? Math.min(1, HALF_COUNT / constant) : 1
  const factor = isCounted ? samples * least : samples / constant
  const uniforms = { classes, inner: 1, each, factor, least }
  const lift = isHalf && reduction !== 'sum' && reduction !== 'mean-rows' ? HALF_LIFT : 1
  const balanceOf = (): Tensors => (kernels.balance === null ? {} : { balance: tf.tensor1d(kernels.balance) })

  const forward = tf.customGrad((at, save) => {
    const given: Tensors = { logits: at as Tensor, targets: batch.targets }
    const counts = (of: CountedUnit): Tensor => sumEach(run, countsKernel(loss, options, of), given, 1, { ...uniforms, each: areRowsCounted(options, of) ? rows : rows * classes, factor: least })
    const shared: Tensors = {
      ...(kernels.rows !== null && { rows: run(kernels.rows, { ...given, ...balanceOf() }, [2 * rows, 2], uniforms) }),
      ...(unit !== null && { count: counts(unit) }),
    }
    const ofSample = { ...uniforms, each: perRow ? rows / samples : each }
    const value = sumEach(run, kernels.sums(isCounted), { ...given, ...balanceOf(), ...shared }, samples, ofSample, lift)
    const saved = Object.entries({ ...given, ...shared })
    const keep = save as (tensors: Tensor[]) => void
    keep(saved.map(([, tensor]) => tensor))
    const names = saved.map(([name]) => name)
    return { value, gradFunc: (dy, tensors) => backward(dy, Object.fromEntries(names.map((name, i) => [name, tensors[i]]))) }
  })

  const backward = (dy: Tensor, saved: Tensors): Tensor => {
    const { logits, targets } = saved
    // What is recorded may be differentiated again
    if (tf.engine().isTapeOn()) return tf.grad((at) => composedLoss(tf, loss, reduction, { ...batch, logits: at, targets }))(logits, dy)
    return tf.tidy(() => run(kernels.gradient(isCounted), { ...saved, ...balanceOf(), seeds: dy }, logits.shape, uniforms))
  }

  return forward(batch.logits) as Tensor1D
}

type Tensors = Readonly<Record<string, Tensor>>

type Uniforms = Readonly<Record<string, number>> & { readonly each: number; readonly factor: number }

/** Of each of `groups` samples the sum of what a kernel makes partial sums of. Those are `lift` times as large on the way. */
function sumEach(run: RunKernel, kernel: Kernel, inputs: Tensors, groups: number, uniforms: Uniforms, lift = 1): Tensor {
  const [first, ...steps] = stepsOf(uniforms.each)
  const lifted = steps.length === 0 ? 1 : lift
  let each = first
  let partial = run(kernel, inputs, [groups * first], { ...uniforms, parts: first, factor: uniforms.factor * lifted })
  for (const parts of steps) {
    partial = run(foldKernel, { partial }, [groups * parts], { each, parts, factor: parts === 1 ? 1 / lifted : 1 })
    each = parts
  }
  return partial
}
