/** Sums on a GPU in several steps, in a fixed order, and without waiting for each other: each number of a step adds up a few of the last. */
import type { ShaderText } from '../../formulas/shaders/language.js'
import type { Kernel } from './kernel.js'

/** Up to how many numbers are added up at once, once they are partial sums. */
const FAN = 128

/** As `FAN`, where each number takes some computing. */
const FIRST_FAN = 16

/** The text of a sum: `fn term_at(i: i32) -> f32` and `fn scale_of() -> f32`, what each sum is multiplied by. */
export function summed(term: string, scale: string): ShaderText {
  return `
fn term_at(i: i32) -> f32 {
  return ${term};
}

fn scale_of() -> f32 {
  return ${scale};
}
`
}

/**
 * Of groups of `uniforms.each` terms, `uniforms.parts` partial sums a group. Neighbours in a group go to neighbouring sums, so that memory is
 * read in order.
 */
const partialSums: ShaderText = `
fn output_at(k: i32) -> f32 {
  let group: i32 = k / uniforms.parts;
  let end: i32 = (group + 1) * uniforms.each;
  var total: f32 = 0.0;
  for (var i: i32 = group * uniforms.each + k % uniforms.parts; i < end; i += uniforms.parts) {
    total += term_at(i);
  }
  return total * scale_of();
}
`

/** A kernel's text with `output_at`. */
export function wholeText({ text, isSum }: Kernel): ShaderText {
  return isSum ? text + partialSums : text
}

/** Adds up partial sums, times `factor`. Input: partial. */
export const foldKernel: Kernel = {
  inputs: ['partial'],
  uniforms: { each: 'i32', parts: 'i32', factor: 'f32' },
  text: summed('read_partial(i)', 'uniforms.factor'),
  isSum: true,
}

/**
 * Of groups of `each` numbers, how many partial sums a group there are after each step; the last is 1. The first step adds up `fan` at
 * once; of four times as many it makes one sum, as others work meanwhile.
 */
export function stepsOf(each: number, fan = FIRST_FAN): number[] {
  const steps = [each <= 4 * fan ? 1 : Math.ceil(each / fan)]
  for (let parts = steps[0]; parts > 1; ) steps.push((parts = foldsTo(parts)))
  return steps
}

/** The `fan` of rows of so many classes, whose terms take computing in proportion. */
export function fanOfRows(classes: number): number {
  return Math.max(1, Math.min(FIRST_FAN, Math.floor((2 * FIRST_FAN) / classes)))
}

/** How many partial sums are left of as many after one step. */
export function foldsTo(parts: number): number {
  return Math.ceil(parts / FAN)
}
