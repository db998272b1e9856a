/** One call as kernels: counts where the denominator needs them, sums of losses, gradients; in stretches where a binding ends before the data does. */
import { FLOAT32 } from '../../arrays/logits.js'
import { outOfRange } from '../../errors.js'
import { rangeOf, within } from '../../formulas/number_range.js'
import type { LossConstants } from '../../problem/constants.js'
import type { Reduction } from '../../problem/options.js'
import { areRowsCounted, countsKernel, denominatorOf } from '../shaders/counts.js'
import { elementwiseKernels } from '../shaders/elementwise.js'
import type { Kernel, KernelOptions } from '../shaders/kernel.js'
import { softmaxKernels } from '../shaders/softmax.js'
import { fanOfRows, foldKernel, foldsTo, stepsOf } from '../shaders/sums.js'
import { ALIGNMENT, type Numbers, type Recorder } from './recorder.js'

export interface GpuProblem extends Omit<KernelOptions, 'isLast' | 'isHalf' | 'hasRests' | 'isSeeded'> {
  readonly loss: LossConstants
  readonly reduction: Reduction
  readonly outer: number
  readonly classes: number
  readonly inner: number
  /** NaN: none. */
  readonly normalizer: number
  readonly gradScale: number
  /** `logits` and `targets`, and `rests`, `weights` and `mask` where there are such. */
  readonly arrays: Readonly<Record<string, Numbers>>
  /** One number; with reduction 'none' one an element, of a softmax one a row. */
  readonly value: Numbers
  readonly grad: Numbers | null
  /** `null`: none is wanted; else what it never falls below, too. */
  readonly hess: { readonly numbers: Numbers; readonly least: number } | null
}

/** Class indices are read as float32, which has all whole numbers up to here. */
const MOST_CLASSES = 2 ** 24

export function checkClasses(classes: number): void {
  if (classes > MOST_CLASSES) throw outOfRange('classes', classes, `at most ${MOST_CLASSES}, as kernels of WebGPU read class indices in float32`)
}

/** Records what fills `value`, `grad` and `hess`. @param limit the most bytes of a binding. */
export function recordSteps(recorder: Recorder, problem: GpuProblem, limit: number): void {
  const { loss, reduction, classes, inner, outer, normalizer, value, grad, hess } = problem
  const { perRow } = loss.formula
  const options: KernelOptions = { kind: problem.kind, isLast: inner === 1, hasRests: 'rests' in problem.arrays, weights: problem.weights, mask: problem.mask, isHalf: false, dtype: problem.dtype }
  const kernels = (perRow ? softmaxKernels : elementwiseKernels)(loss, options)
  const isWhole = reduction !== 'none'
  const isFixed = !isWhole || !Number.isNaN(normalizer)
  const { unit, constant } = isFixed ? { unit: null, constant: Number.isNaN(normalizer) ? 1 : normalizer } : denominatorOf(loss, reduction, options, outer * inner, classes)
  const isCounted = unit !== null
  const stretches = stretchesOf(problem, limit)
  const sizes = { classes, inner, least: 1, factor: isCounted ? 1 : 1 / (isFixed ? constant : Math.max(1, constant)) }
  const balance = kernels.balance === null ? {} : { balance: recorder.written(kernels.balance) }

  let shared = balance as Record<string, Numbers>
  if (unit !== null) {
    const count = recorder.temporary(1)
    const kernel = countsKernel(loss, options, unit)
    sumAll(recorder, count, stretches.map((stretch) => ({ kernel, inputs: stretch.arrays, each: areRowsCounted(options, unit) ? stretch.rows : stretch.rows * classes })), { ...sizes, factor: 1 })
    shared = { ...shared, count }
  }
  const kernel = grad === null ? kernels.sums(isCounted) : kernels.sumsAndGradient(isCounted)
  const gradFactor = sizes.factor * problem.gradScale
  // Neither what is large nor what is small is lost on the way: gradients are at most as large as what they are made of
  const scale = grad !== null && !perRow ? Math.max(1, gradFactor) : 1
  const summed = { ...sizes, factor: sizes.factor / scale, scale, gradFactor: gradFactor / scale }
  const parts = stretches.map((stretch) => {
    const rows = kernels.rows === null || (grad !== null && hess === null) ? {} : { rows: recorder.temporary(4 * stretch.rows) }
    const curves = kernels.curves === null || hess === null ? {} : { curves: recorder.temporary(4 * stretch.rows) }
    const inputs: Record<string, Numbers> = { ...shared, ...stretch.arrays, ...rows, ...curves } as Record<string, Numbers>
    if (kernels.rows !== null && 'rows' in rows) recorder.run(kernels.rows, inputs, inputs.rows, sizes)
    if (kernels.curves !== null && hess !== null) recorder.run(kernels.curves(isCounted), inputs, inputs.curves, { ...sizes, factor: gradFactor })
    const ofLogits = (numbers: Numbers) => part(numbers, stretch.start * inner * classes, stretch.rows * classes)
    return { ...stretch, kernel, inputs, each: perRow ? stretch.rows : stretch.rows * classes, ofLogits, beside: grad === null ? undefined : ofLogits(grad) }
  })
  if (isWhole) sumAll(recorder, value, parts, summed, perRow ? fanOfRows(classes) : undefined)
  else for (const { inputs, each, start, beside } of parts) recorder.run(kernel, inputs, part(value, start * (perRow ? inner : inner * classes), each), { ...summed, each: 1, parts: 1 }, beside)
  if (hess === null) return
  const leastHess = within(rangeOf(FLOAT32), hess.least)
  for (const { inputs, rows, ofLogits } of parts) recorder.run(kernels.hess(isCounted), inputs, ofLogits(hess.numbers), { ...sizes, factor: gradFactor, each: rows * classes, leastHess })
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
  readonly beside?: Numbers | undefined
}

/** The sum of what kernels make partial sums of, in `to`. */
function sumAll(recorder: Recorder, to: Numbers, summed: readonly Summed[], uniforms: Readonly<Record<string, number>>, fan?: number): void {
  const firsts = summed.map(({ each }) => stepsOf(each, fan)[0])
  const [only] = summed
  if (summed.length === 1 && firsts[0] === 1) {
    recorder.run(only.kernel, only.inputs, to, { ...uniforms, each: only.each, parts: 1 }, only.beside)
    return
  }
  const room = firsts.map((parts) => Math.ceil(parts / ALIGNMENT) * ALIGNMENT)
  let partial = recorder.temporary(room.reduce((a, b) => a + b))
  let offset = 0
  summed.forEach(({ kernel, inputs, each, beside }, i) => {
    recorder.run(kernel, inputs, part(partial, offset, firsts[i]), { ...uniforms, each, parts: firsts[i] }, beside)
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
