/** A computation on a GPU, apart from the interface that runs it. */
import { FLOAT16, FLOAT32 } from '../../arrays/logits.js'
import { type NumberRange, rangeOf } from '../../formulas/number_range.js'
import type { ShaderText } from '../../formulas/shaders/language.js'
import type { TargetKind } from '../../problem/call.js'
import type { Per } from '../../problem/problem.js'

export interface Kernel {
  /** Arrays of numbers. The text reads entry i of the one called `logits` as `read_logits(i)`. */
  readonly inputs: readonly string[]
  /** Numbers that a call sets, which the text reads as `uniforms.name`, and their types. */
  readonly uniforms: Readonly<Record<string, 'i32' | 'f32'>>
  /** `fn output_at(i: i32) -> f32`, the i-th number of the result, with what it needs; of a sum its terms. */
  readonly text: ShaderText
  /** Whether the result is partial sums of what the text has as `term_at` and `scale_of`: see sums.ts, which adds them up. */
  readonly isSum?: true
  /** Inputs that come four numbers at a time: `read_NAME(i)` is a `vec4<f32>` of numbers 4 i to 4 i + 3. */
  readonly vectors?: readonly string[]
  /** Inputs as long as the result, or as the terms of a sum are many: its i-th number, or term, needs their i-th alone. */
  readonly own?: readonly string[]
  /** A second result, as long as the logits: the text fills it by `set_NAME(i, number)`. Only WebGPU has such. */
  readonly beside?: string
  /** Whether it is four numbers at a time, a `vec4<f32>`: numbers 4 i to 4 i + 3. */
  readonly isVector?: true
}

/** A loss as kernels. An element's number is its place in the logits; samples lie one after another. */
export interface LossKernels {
  /** Weights of the classes, or of positives and then of negatives, and gammas of classes: what the input `balance` is to hold. `null`: there is none. */
  readonly balance: Float32Array | null
  /** What its elements share of a row: four numbers, of which the first is its loss. `null`: elements know nothing of each other. */
  readonly rows: Kernel | null
  /**
   * `parts` numbers a sample: partial sums of its losses, of which it has `each`, times `factor`. Where it is made counted it divides by
   * the input `count`, though by no less than `least`.
   */
  sums(isCounted: boolean): Kernel
  /**
   * Both at once, which reads everything but once: sums of losses, those of elements `scale` times as large, times `factor`, and beside them
   * the gradients, `grad`, likewise times `gradFactor`. Where elements share rows it needs none of these.
   */
  sumsAndGradient(isCounted: boolean): Kernel
  /** One number an element: its gradient times `factor`, times its sample's seed where there are such; `each` elements are a sample. */
  gradient(isCounted: boolean): Kernel
  /** What second derivatives share of a row besides, likewise, as the input `curves`: the third number is what they are multiplied by. */
  readonly curves: ((isCounted: boolean) => Kernel) | null
  /** One number an element: its second derivative times `factor`, but no less than `leastHess`; 0 for what is not valid. */
  hess(isCounted: boolean): Kernel
}

/** The class and the row of an element, and the element of both. Divisions of integers are slow, so the frequent layout has few. */
export function layout({ isLast }: Pick<KernelOptions, 'isLast'>): ShaderText {
  return isLast ? ofLastAxis : ofAnyAxis
}

const ofLastAxis: ShaderText = `
fn row_of(i: i32) -> i32 {
  return i / uniforms.classes;
}

fn class_of(i: i32) -> i32 {
  return i - row_of(i) * uniforms.classes;
}

fn element_of(row: i32, c: i32) -> i32 {
  return row * uniforms.classes + c;
}
`

/** Classes are `inner` elements apart. */
const ofAnyAxis: ShaderText = `
fn class_of(i: i32) -> i32 {
  return (i / uniforms.inner) % uniforms.classes;
}

fn row_of(i: i32) -> i32 {
  return i / (uniforms.inner * uniforms.classes) * uniforms.inner + i % uniforms.inner;
}

fn element_of(row: i32, c: i32) -> i32 {
  return (row / uniforms.inner * uniforms.classes + c) * uniforms.inner + row % uniforms.inner;
}
`

/** Weights and a mask, and what each of their numbers is for: the inputs `weights` and `mask`, where there are such. */
export interface Extras {
  readonly weights: Per | null
  readonly mask: Per | null
}

/** How a loss comes as kernels: how targets are read, what else there is, and whether numbers are stored as half floats. */
export interface KernelOptions extends Extras {
  readonly kind: TargetKind
  /** Whether the classes of a row lie one after another. */
  readonly isLast: boolean
  /** Whether labels come with 1 minus them, the input `rests`: those in double precision may be nearer to 1 than float32 tells. */
  readonly hasRests?: boolean
  /** Whether gradients are multiplied by the input `seeds`, one number a sample. */
  readonly isSeeded?: boolean
  readonly isHalf: boolean
  /** What the logits' own arrays hold, by the numbers of cpp/problem.h: which probabilities there are. */
  readonly dtype: number
}

/** Which probabilities the arrays have, and how far derivatives reach where they are written. */
export function rangeOfOptions({ dtype, isHalf }: KernelOptions): NumberRange {
  return { ...rangeOf(dtype), largest: rangeOf(isHalf ? FLOAT16 : FLOAT32).largest }
}

/** The inputs that targets are. */
export function targetInputs({ hasRests }: KernelOptions): readonly string[] {
  return hasRests ? ['targets', 'rests'] : ['targets']
}

/** What a loss, or gradient, of an element reads of this element alone. */
export function ownInputs({ kind }: KernelOptions): readonly string[] {
  return kind === 'labels' ? ['logits', 'targets'] : ['logits']
}

/** The inputs of these names that there are. */
export function extraInputs(extras: Extras, ...names: readonly (keyof Extras)[]): readonly string[] {
  return names.filter((name) => extras[name] !== null)
}

/** `fn weight_at(i: i32) -> f32` of element i, for kernels with the input `weights` where there is one. */
export function weightText({ weights }: Extras): ShaderText {
  if (weights === null) return '\nfn weight_at(i: i32) -> f32 {\n  return 1.0;\n}\n'
  // What is infinite is no weight, as little as a NaN
  return `
fn weight_at(i: i32) -> f32 {
  let w: f32 = read_weights(${indexOf(weights)});
  return select(w, not_a_number(), is_infinite(w));
}
`
}

/** `fn is_kept(i: i32) -> bool` of element i, likewise. */
export function maskText({ mask }: Extras): ShaderText {
  return `
fn is_kept(i: i32) -> bool {
  return ${mask === null ? 'true' : `read_mask(${indexOf(mask)}) != 0.0`};
}
`
}

const indexOf = (per: Per) => (per === 'row' ? 'row_of(i)' : 'i')

/** The inputs of a gradient's kernel beside the loss's, and what it is multiplied by. */
export function seedsOf({ isSeeded }: KernelOptions): { readonly inputs: readonly string[]; readonly seed: ShaderText } {
  return isSeeded ? { inputs: ['seeds'], seed: 'read_seeds(i / uniforms.each)' } : { inputs: [], seed: '1.0' }
}

/** What sums and gradients are multiplied by. */
export function scaleOf(isCounted: boolean, factor: 'factor' | 'gradFactor' = 'factor'): ShaderText {
  return isCounted ? `(uniforms.${factor} / max(read_count(0), uniforms.least))` : `uniforms.${factor}`
}

/** A second derivative that its call bounds from below; what is not a number stays so. */
export function boundedHess(hess: string): ShaderText {
  return `select(max(${hess}, uniforms.leastHess), ${hess}, is_nan(${hess}))`
}

export function withCount(inputs: readonly string[], isCounted: boolean): readonly string[] {
  return isCounted ? [...inputs, 'count'] : inputs
}
