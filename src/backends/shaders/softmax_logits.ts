/** Rows of logits as shader functions: see src/formulas/shaders/softmax_focal.ts. */
import { softmaxShader, type RowFocusing } from '../../formulas/shaders/softmax_focal.js'
import type { ShaderText } from '../../formulas/shaders/language.js'
import { curveText, focusOf, type RowOptions, type RowSums, type RowTexts, sharedText } from './softmax_row.js'

export function rowsOfLogits({ loss, options: { isHalf }, focusing, left, least, isThinned }: RowOptions): RowTexts {
  const sums = sumsOf(isHalf, focusing)
  return {
    formula: softmaxShader(loss, focusing),
    terms: `
fn term_of(i: i32, c: i32, row: Sample, top: f32, rest: f32) -> ClassTerm {
  return class_term(bounded(read_logits(i)), top, rest, weight_of(i, c, row)${focusOf[focusing]});
}
${focusing === 'asymmetric' ? besideOwn : besideAny}`,
    shared: sharedText(left, least, sums),
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
    curve: bendText + curveText(left, sums),
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
 * A class's part is its exponential over the top's; of their sum half floats hold the logarithm. Of an asymmetric loss the pull of the row's class is apart.
 */
const sumsOf = (isHalf: boolean, focusing: RowFocusing): RowSums => ({
  number: 'bounded(read_logits(i))',
  least: '-1.5e38',
  isAllowed: '!is_nan(given)',
  isSpecial: 'is_infinite(given) && given > 0.0',
  part: 'exp_below(x, top)',
  kept: isHalf ? 'logarithm(max(rest, SMALLEST_NORMAL))' : 'rest',
  term: 'let term: ClassTerm = term_of(i, c, sampled, top, rest);',
  value: 'term.value',
  pull: focusing === 'asymmetric' ? 'select(term.pull, 0.0, goal_at(i, c, sampled).is_labelled)' : 'term.pull',
  bend: 'bend_of(term)',
  // Several infinities share a row in no way that can be known
  isKnown: '!((is_special || top <= -1.5e38) && rest >= 1.0)',
})
