/** What rows of logits and rows of probabilities have in common as shader functions, and in which they differ. */
import { literal, type ShaderText } from '../../formulas/shaders/language.js'
import type { RowFocusing } from '../../formulas/shaders/softmax_focal.js'
import type { LossConstants } from '../../problem/constants.js'
import { goalOf, goalShader } from './goals.js'
import { type KernelOptions, layout, weightText } from './kernel.js'

/** What a row is made of, for the texts of its kernels. */
export interface RowOptions {
  readonly loss: LossConstants
  readonly options: KernelOptions
  readonly focusing: RowFocusing
  /** How many classes of a row the mask leaves, as an expression. */
  readonly left: ShaderText
  /** A fourth number that stands for a row which is not valid: less than any other. */
  readonly least: ShaderText
  /** Whether a class may be left out of its row. */
  readonly isThinned: boolean
}

/** A row as shader functions; all may use {@link rowShader}'s. */
export interface RowTexts {
  /** The formula, before all else. */
  readonly formula: ShaderText
  /** What all that follow use. */
  readonly terms: ShaderText
  /** `fn shared_by(row: i32) -> vec4<f32>`: a row's loss, and three numbers that its classes share. The fourth is {@link RowOptions.least} where it is not valid. */
  readonly shared: ShaderText
  /** `fn gradient_at(i: i32, c: i32, row: i32, known: vec4<f32>, seed: f32) -> f32` of element i, of class c, times `seed`; `known` is what its row shares. */
  readonly gradient: ShaderText
  /** Whether that reads no other element. */
  readonly isOwn: boolean
  /** `fn curve_of(row: i32, known: vec4<f32>) -> vec4<f32>`: two numbers more of a valid row, which its second derivatives share. `null`: they need none. */
  readonly curve: ShaderText | null
  /** `fn hess_at(i: i32, c: i32, row: i32, known: vec4<f32>, scale: f32) -> f32` of an element of a valid row, times `scale`; it may read the numbers of `curve` as `read_curves(row)`. */
  readonly hess: ShaderText
}

/** What a class's function takes of class c, or of element i, besides. */
export const focusOf: Readonly<Record<RowFocusing, string>> = {
  one: '',
  'per class': ', read_balance(uniforms.classes + c), read_balance(2 * uniforms.classes + c)',
  asymmetric: ', goal_at(i, c, row).is_labelled',
}

/** Losses of so many classes at a time are added up, so that sums over many do not drift. */
const BLOCK = 64

/** Targets and weights of a row, and sums over its classes. */
export function rowShader(loss: LossConstants, options: KernelOptions): ShaderText {
  const e = loss.labelSmoothing
  const weight = loss.classPositive === null ? literal(loss.positiveWeight) : 'read_balance(c)'
  const smoothed = e === 0 ? 'g.y' : `(g.y * ${literal(1 - e)} + select(0.0, ${literal(e)} / row.left, g.has_class))`
  return `${layout(options)}${weightText(options)}${goalShader(loss, options)}
/** What a row's classes share: its target, where that is a class index, its weight, and how many of them the mask leaves. */
struct Sample { given: f32, weight: f32, left: f32 }

fn sample_of(row: i32, left: f32) -> Sample {
  return Sample(${options.kind === 'class-index' ? 'read_targets(row)' : '0.0'}, weight_at(element_of(row, 0)), left);
}

fn goal_at(i: i32, c: i32, row: Sample) -> Goal {
  return ${goalOf(options, 'row.given')};
}

fn weight_of(i: i32, c: i32, row: Sample) -> f32 {
  let g: Goal = goal_at(i, c, row);
  return ${smoothed} * ${weight} * row.weight;
}

/** A sum without one of its terms, which is nothing where only rounding is left. */
fn without(total: f32, term: f32) -> f32 {
  let others: f32 = total - term;
  return select(others, 0.0, abs(others) < ${options.isHalf ? '2.0e-3' : '2.4e-7'} * abs(term));
}
`
}

/** In which the sums over a row's classes differ. In these texts `i` is a class's element, `given` its number as it is read, and `x` the same within bounds. */
export interface RowSums {
  /** `x`. */
  readonly number: ShaderText
  /** What no `x` is below. */
  readonly least: ShaderText
  /** Whether `given` may be there, and whether it is one that decides about its row: `is_special` says that there was one. */
  readonly isAllowed: ShaderText
  readonly isSpecial: ShaderText
  /** What a class that is not the top adds to `rest`; and how its row keeps that. */
  readonly part: ShaderText
  readonly kept: ShaderText
  /** Statements that make what `value` and `pull` are of a class with a weight, and `bend`, its part in the second derivatives of others. */
  readonly term: ShaderText
  readonly value: ShaderText
  readonly pull: ShaderText
  readonly bend: ShaderText
  /** Whether the row's sums can be known. */
  readonly isKnown: ShaderText
}

/** `shared_by` of {@link RowTexts}: of a row its loss, its largest number, the sum of the others' parts, and the sum of the pulls. */
export const sharedText = (left: ShaderText, least: ShaderText, sums: RowSums): ShaderText => `
fn shared_by(row: i32) -> vec4<f32> {
  var top: f32 = ${sums.least};
  var is_valid: bool = false;
  var has_class: bool = true;
  var is_good: bool = true;
  var is_special: bool = false;
  let sampled: Sample = sample_of(row, ${left});
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    let i: i32 = element_of(row, c);
    let g: Goal = goal_at(i, c, sampled);
    if (is_kept(i)) {
      let given: f32 = read_logits(i);
      top = max(top, ${sums.number.replace('read_logits(i)', 'given')});
      is_special = is_special || (${sums.isSpecial});
      is_valid = is_valid || g.is_valid;
      has_class = has_class && g.has_class;
      is_good = is_good && g.is_known && (${sums.isAllowed}) && !is_nan(sampled.weight);
    } else {
      // The truth must not be left out
      is_good = is_good && !g.is_labelled;
    }
  }
  if (!is_valid || !has_class) {
    return vec4<f32>(0.0, 0.0, 0.0, ${least});
  }
  var rest: f32 = 0.0;
  var block: f32 = 0.0;
  var is_top_met: bool = false;
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    let i: i32 = element_of(row, c);
    if (is_kept(i)) {
      let x: f32 = ${sums.number};
      let is_first_top: bool = x == top && !is_top_met;
      is_top_met = is_top_met || is_first_top;
      block += select(${sums.part}, 0.0, is_first_top);
    }
    if (c % ${BLOCK} == ${BLOCK - 1}) {
      rest += block;
      block = 0.0;
    }
  }
  rest += block;
  var value: f32 = 0.0;
  var pull: f32 = 0.0;
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    let i: i32 = element_of(row, c);
    if (weight_of(i, c, sampled) > 0.0 && is_kept(i)) {
      ${sums.term}
      value += ${sums.value};
      pull += ${sums.pull};
    }
  }
  let is_known: bool = is_good && ${sums.isKnown};
  let nan: f32 = not_a_number();
  return vec4<f32>(select(nan, value, is_known), top, ${sums.kept}, select(nan, pull, is_known));
}
`

/** `curve_of` of {@link RowTexts}: of a row the bends of the classes on top, and those of the others. */
export const curveText = (left: ShaderText, { term, bend, number }: RowSums): ShaderText => `
fn curve_of(row: i32, known: vec4<f32>) -> vec4<f32> {
  var of_top: f32 = 0.0;
  var of_others: f32 = 0.0;
  let top: f32 = known.y;
  let rest: f32 = known.z;
  let sampled: Sample = sample_of(row, ${left});
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    let i: i32 = element_of(row, c);
    if (weight_of(i, c, sampled) > 0.0 && is_kept(i)) {
      ${term}
      let bend: f32 = ${bend};
      if (${number} == top) {
        of_top += bend;
      } else {
        of_others += bend;
      }
    }
  }
  return vec4<f32>(of_top, of_others, 0.0, 0.0);
}
`

/** How many classes of a row the mask leaves. */
export const classesLeft: ShaderText = `
fn classes_left(row: i32) -> f32 {
  var left: f32 = 0.0;
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    left += select(0.0, 1.0, is_kept(element_of(row, c)));
  }
  return left;
}
`
