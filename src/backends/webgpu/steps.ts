/** One call as kernels: counts where the denominator needs them, sums of losses, gradients; in stretches where a binding ends before the data does. */
import type { LossConstants } from '../../problem/constants.js'
import type { Reduction } from '../../problem/options.js'
import { countsKernel, denominatorOf } from '../shaders/counts.js'
import { elementwiseKernels } from '../shaders/elementwise.js'
import type { Kernel, KernelOptions } from '../shaders/kernel.js'
import { softmaxKernels } from '../shaders/softmax.js'
import { foldKernel, foldsTo, stepsOf } from '../shaders/sums.js'
import { ALIGNMENT, type Numbers, type Recorder } from './recorder.js'

export interface GpuProblem extends Omit<KernelOptions, 'isHalf'> {
  readonly loss: LossConstants
  readonly reduction: Reduction
  readonly outer: number
  readonly classes: number
  readonly inner: number
  /** NaN: none. */
  readonly normalizer: number
  readonly gradScale: number
  /** `logits` and `targets`, and `weights` and `mask` where there are such. */
  readonly arrays: Readonly<Record<string, Numbers>>
  /** One number; with reduction 'none' one an element, of a softmax one a row. */
  readonly value: Numbers
  readonly grad: Numbers | null
}

/** Records what fills `value` and `grad`. @param limit the most bytes of a binding. */
export function recordSteps(recorder: Recorder, problem: GpuProblem, limit: number): void {
  const { loss, reduction, classes, inner, outer, normalizer, value, grad } = problem
  const { perRow } = loss.formula
  const options: KernelOptions = { kind: problem.kind, weights: problem.weights, mask: problem.mask, isHalf: false }
  const kernels = (perRow ? softmaxKernels : elementwiseKernels)(loss, options)
  const isWhole = reduction !== 'none'
  const isFixed = !isWhole || !Number.isNaN(normalizer)
  const { unit, constant } = isFixed ? { unit: null, constant: Number.isNaN(normalizer) ? 1 : normalizer } : denominatorOf(loss, reduction, options, outer * inner, classes)
  const isCounted = unit !== null
  const stretches = stretchesOf(problem, limit)
  const sizes = { classes, inner, least: 1, factor: isCounted ? 1 : 1 / (isFixed ? constant : Math.max(1, constant)) }
  const balance = kernels.balance === null ? {} : { balance: recorder.written(kernels.balance) }

  let shared = { ...balance, seeds: recorder.written(Float32Array.of(problem.gradScale)) } as Record<string, Numbers>
  if (unit !== null) {
    const count = recorder.temporary(1)
    const kernel = countsKernel(loss, options, unit)
    sumAll(recorder, count, stretches.map((stretch) => ({ kernel, inputs: stretch.arrays, each: unit === 'rows' ? stretch.rows : stretch.rows * classes })), { ...sizes, factor: 1 })
    shared = { ...shared, count }
  }
  const parts = stretches.map((stretch) => {
    const rows = kernels.rows === null ? {} : { rows: recorder.temporary(4 * stretch.rows) }
    const inputs: Record<string, Numbers> = { ...shared, ...stretch.arrays, ...rows } as Record<string, Numbers>
    if (kernels.rows !== null) recorder.run(kernels.rows, inputs, inputs.rows, sizes)
    return { ...stretch, kernel: kernels.sums(isCounted), inputs, each: perRow ? stretch.rows : stretch.rows * classes }
  })
  if (isWhole) sumAll(recorder, value, parts, sizes)
  else for (const { kernel, inputs, each, start } of parts) recorder.run(kernel, inputs, part(value, start * (perRow ? inner : inner * classes), each), { ...sizes, each: 1, parts: 1 })
  if (grad === null) return
  for (const { inputs, rows, start } of parts) {
    recorder.run(kernels.gradient(isCounted), inputs, part(grad, start * inner * classes, rows * classes), { ...sizes, each: rows * classes })
  }
}

interface Stretch {
  /** Of the outer index. */
  readonly start: number
  readonly rows: number
  readonly arrays: Readonly<Record<string, Numbers>>
}

/** Parts of the call, none of whose arrays is longer than a binding may be. */
function stretchesOf({ loss, outer, classes, inner, arrays }: GpuProblem, limit: number): Stretch[] {
  const widest = Math.max(classes, loss.formula.perRow ? 4 : 1) * inner * 4
  const most = Math.floor(limit / widest)
  // Where the second begins, all arrays are aligned
  const length = most >= outer ? outer : Math.floor(most / ALIGNMENT) * ALIGNMENT
  if (length === 0) {
    throw new RangeError(`${ALIGNMENT} times ${inner * classes} logits take ${ALIGNMENT * widest} bytes; expected at most ${limit}, the device's maxStorageBufferBindingSize: request a device with a larger one, or give fewer at a time`)
  }
  return Array.from({ length: Math.ceil(outer / length) }, (_, i) => {
    const start = i * length
    const rows = Math.min(length, outer - start) * inner
    const cut = Object.entries(arrays).map(([name, numbers]) => {
      const each = numbers.length / outer
      return [name, part(numbers, start * each, (rows / inner) * each)] as const
    })
    return { start, rows, arrays: Object.fromEntries(cut) }
  })
}

function part(numbers: Numbers, start: number, length: number): Numbers {
  return { ...numbers, offset: numbers.offset + start, length }
}

interface Summed {
  readonly kernel: Kernel
  readonly inputs: Readonly<Record<string, Numbers>>
  readonly each: number
}

/** The sum of what kernels make partial sums of, in `to`. */
function sumAll(recorder: Recorder, to: Numbers, summed: readonly Summed[], uniforms: Readonly<Record<string, number>>): void {
  const firsts = summed.map(({ each }) => stepsOf(each)[0])
  const [only] = summed
  if (summed.length === 1 && firsts[0] === 1) {
    recorder.run(only.kernel, only.inputs, to, { ...uniforms, each: only.each, parts: 1 })
    return
  }
  const room = firsts.map((parts) => Math.ceil(parts / ALIGNMENT) * ALIGNMENT)
  let partial = recorder.temporary(room.reduce((a, b) => a + b))
  let offset = 0
  summed.forEach(({ kernel, inputs, each }, i) => {
    recorder.run(kernel, inputs, part(partial, offset, firsts[i]), { ...uniforms, each, parts: firsts[i] })
    offset += room[i]
  })
  for (let each = partial.length; each > 1; ) {
    const parts = foldsTo(each)
    const next = parts === 1 ? to : recorder.temporary(parts)
    recorder.run(foldKernel, { partial }, next, { each, parts, factor: 1 })
    partial = next
    each = parts
  }
}
