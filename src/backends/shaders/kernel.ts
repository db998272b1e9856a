/** A computation on a GPU, apart from the interface that runs it. */
import type { ShaderText } from '../../formulas/shaders/language.js'

export interface Kernel {
  /** Arrays of numbers. The text reads entry i of the one called `logits` as `read_logits(i)`. */
  readonly inputs: readonly string[]
  /** Numbers that a call sets, which the text reads as `uniforms.name`, and their types. */
  readonly uniforms: Readonly<Record<string, 'i32' | 'f32'>>
  /** `fn output_at(i: i32) -> f32`, the i-th number of the result, with what it needs. */
  readonly text: ShaderText
}
