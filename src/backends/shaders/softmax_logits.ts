/** Rows of logits as shader functions: see src/formulas/shaders/softmax_focal.ts. */
import { softmaxShader, type RowFocusing } from '../../formulas/shaders/softmax_focal.js'
import type { ShaderText } from '../../formulas/shaders/language.js'
import { BLOCK, focusOf, type RowOptions, type RowTexts } from './softmax_row.js'

export function rowsOfLogits({ loss, options: { isHalf }, focusing, left, least, isThinned }: RowOptions): RowTexts {
  return {
    formula: softmaxShader(loss, focusing),
    terms: `
fn term_of(i: i32, c: i32, row: Sample, top: f32, rest: f32) -> ClassTerm {
  return class_term(bounded(read_logits(i)), top, rest, weight_of(i, c, row)${focusOf[focusing]});
}
${focusing === 'asymmetric' ? besideOwn : besideAny}`,
    shared: sharedText(isHalf, left, least, focusing),
    gradient: `
fn gradient_at(i: i32, c: i32, row: i32, known: vec4<f32>, seed: f32) -> f32 {
  let pull: f32 = known.w;
  if (pull <= ${least}${isThinned ? ' || !is_kept(i)' : ''}) {
    return 0.0;
  }
  let rest: f32 = ${isHalf ? 'exp_below(known.z, 0.0)' : 'known.z'};
  let top: f32 = known.y;
  let sampled: Sample = sample_of(row, ${left});
  let term: ClassTerm = term_of(i, c, sampled, top, rest);
  return select((term.p * pulls_beside(term, pull, row, c, sampled, top, rest) - term.q * term.pull) * seed, not_a_number(), is_nan(pull));
}
`,
    // An asymmetric one reads the logit of the row's class besides
    isOwn: focusing !== 'asymmetric',
    curve: curveText(left),
    hess: hessText(left),
  }
}

/** The pulls of a row but that of class c, whose term is given. */
const besideAny: ShaderText = `
fn pulls_beside(term: ClassTerm, pull: f32, row: i32, c: i32, sampled: Sample, top: f32, rest: f32) -> f32 {
  return without(pull, term.pull);
}
`

/** The same where those of the row's class are apart: beside them the others may be so small that a sum has no digits of them. */
const besideOwn: ShaderText = `
fn pulls_beside(term: ClassTerm, pull: f32, row: i32, c: i32, sampled: Sample, top: f32, rest: f32) -> f32 {
  let own: i32 = clamp(i32(sampled.given), 0, uniforms.classes - 1);
  if (c == own) {
    return pull;
  }
  return term_of(element_of(row, own), own, sampled, top, rest).pull + without(pull, term.pull);
}
`

/** D of a class's term; of the only class in its row it is nothing. */
const bendText: ShaderText = `
fn bend_of(term: ClassTerm) -> f32 {
  return select(0.0, term.bend / max(term.q, SMALLEST_NORMAL), term.q > 0.0);
}
`

/** Of a row the bends of the classes on top, and those of the others. */
const curveText = (left: ShaderText): ShaderText => `${bendText}
fn curve_of(row: i32, known: vec4<f32>) -> vec4<f32> {
  var of_top: f32 = 0.0;
  var of_others: f32 = 0.0;
  let top: f32 = known.y;
  let rest: f32 = known.z;
  let sampled: Sample = sample_of(row, ${left});
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    let i: i32 = element_of(row, c);
    if (weight_of(i, c, sampled) > 0.0 && is_kept(i)) {
      let bend: f32 = bend_of(term_of(i, c, sampled, top, rest));
      if (bounded(read_logits(i)) == top) {
        of_top += bend;
      } else {
        of_others += bend;
      }
    }
  }
  return vec4<f32>(of_top, of_others, 0.0, 0.0);
}
`

const hessText = (left: ShaderText): ShaderText => `${bendText}
fn hess_at(i: i32, c: i32, row: i32, known: vec4<f32>, scale: f32) -> f32 {
  let top: f32 = known.y;
  let rest: f32 = known.z;
  let sampled: Sample = sample_of(row, ${left});
  let term: ClassTerm = term_of(i, c, sampled, top, rest);
  let pulls: f32 = pulls_beside(term, known.w, row, c, sampled, top, rest) + term.pull;
  // The top's bend may be so large that a sum with it has no digits of the others
  let is_top: bool = bounded(read_logits(i)) == top;
  let curve: vec4<f32> = read_curves(row);
  let bends: f32 = select(curve.x, curve.y, is_top) + without(select(curve.y, curve.x, is_top), bend_of(term));
  return (term.q * term.bend + term.p * (term.p * bends + term.q * pulls)) * scale;
}
`

/**
 * Of a row its loss, its largest logit, the sum of the other exponentials, of which half floats hold the logarithm, and the sum of the
 * pulls (of an asymmetric loss that of the row's class is apart), which is {@link RowOptions.least} where the row is not valid.
 */
const sharedText = (isHalf: boolean, left: string, least: string, focusing: RowFocusing): ShaderText => `
fn shared_by(row: i32) -> vec4<f32> {
  var top: f32 = -1.5e38;
  var is_valid: bool = false;
  var has_class: bool = true;
  var is_good: bool = true;
  var is_endless: bool = false;
  let sampled: Sample = sample_of(row, ${left});
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    let i: i32 = element_of(row, c);
    let g: Goal = goal_at(i, c, sampled);
    if (is_kept(i)) {
      let given: f32 = read_logits(i);
      top = max(top, bounded(given));
      is_endless = is_endless || (is_infinite(given) && given > 0.0);
      is_valid = is_valid || g.is_valid;
      has_class = has_class && g.has_class;
      is_good = is_good && g.is_known && !is_nan(given) && !is_nan(sampled.weight);
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
      let x: f32 = bounded(read_logits(i));
      let is_first_top: bool = x == top && !is_top_met;
      is_top_met = is_top_met || is_first_top;
      block += select(exp_below(x, top), 0.0, is_first_top);
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
      let term: ClassTerm = term_of(i, c, sampled, top, rest);
      value += term.value;
      pull += ${focusing === 'asymmetric' ? 'select(term.pull, 0.0, goal_at(i, c, sampled).is_labelled)' : 'term.pull'};
    }
  }
  // Several infinities share a row in no way that can be known
  let is_decided: bool = is_good && !((is_endless || top <= -1.5e38) && rest >= 1.0);
  let nan: f32 = not_a_number();
  return vec4<f32>(select(nan, value, is_decided), top, ${isHalf ? 'logarithm(max(rest, SMALLEST_NORMAL))' : 'rest'}, select(nan, pull, is_decided));
}
`
