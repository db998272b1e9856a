/** A computation on a GPU, apart from the interface that runs it. */
import type { ShaderText } from '../../formulas/shaders/language.js'
import type { TargetKind } from '../../problem/call.js'
import type { Per } from '../../problem/problem.js'

export interface Kernel {
  /** Arrays of numbers. The text reads entry i of the one called `logits` as `read_logits(i)`. */
  readonly inputs: readonly string[]
  /** Numbers that a call sets, which the text reads as `uniforms.name`, and their types. */
  readonly uniforms: Readonly<Record<string, 'i32' | 'f32'>>
  /** `fn output_at(i: i32) -> f32`, the i-th number of the result, with what it needs. */
  readonly text: ShaderText
  /** Whether it is four numbers at a time, a `vec4<f32>`: numbers 4 i to 4 i + 3. */
  readonly isVector?: true
}

/** A loss as kernels. An element's number is its place in the logits; samples lie one after another. */
export interface LossKernels {
  /** Weights of the classes, or of positives and then of negatives: what the input `balance` is to hold. `null`: there is none. */
  readonly balance: Float32Array | null
  /** What its elements share of a row: four numbers, of which the first is its loss. `null`: elements know nothing of each other. */
  readonly rows: Kernel | null
  /**
   * `parts` numbers a sample: partial sums of its losses, of which it has `each`, times `factor`. Where it is made counted it divides by
   * the input `count`, though by no less than `least`.
   */
  sums(isCounted: boolean): Kernel
  /** One number an element: its gradient times its sample's seed times `factor`; `each` elements are a sample. */
  gradient(isCounted: boolean): Kernel
}

/** Classes are `inner` elements apart. */
export const layout: ShaderText = `
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
  readonly isHalf: boolean
}

/** The inputs of these names that there are. */
export function extraInputs(extras: Extras, ...names: readonly (keyof Extras)[]): readonly string[] {
  return names.filter((name) => extras[name] !== null)
}

/** `fn weight_at(i: i32) -> f32` of element i, for kernels with the input `weights` where there is one. */
export function weightText({ weights }: Extras): ShaderText {
  return `
fn weight_at(i: i32) -> f32 {
  return ${weights === null ? '1.0' : `read_weights(${indexOf(weights)})`};
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

/** What sums and gradients are multiplied by. */
export function scaleOf(isCounted: boolean): ShaderText {
  return isCounted ? '(uniforms.factor / max(read_count(0), uniforms.least))' : 'uniforms.factor'
}

export function withCount(inputs: readonly string[], isCounted: boolean): readonly string[] {
  return isCounted ? [...inputs, 'count'] : inputs
}
