/**
 * Losses over a softmax as kernels: what all classes of a row share, sums of the rows' losses, gradients, second derivatives. One
 * invocation reads a whole row, and may write its gradient; where that is a kernel of its own, an element of it needs only its own logit
 * and four numbers of its row.
 */
import { gammaParts } from '../../formulas/shaders/elementary.js'
import { literal, type ShaderText } from '../../formulas/shaders/language.js'
import { type RowFocusing, softmaxShader } from '../../formulas/shaders/softmax_focal.js'
import type { LossConstants } from '../../problem/constants.js'
import { goalOf, goalShader } from './goals.js'
import { boundedHess, extraInputs, type KernelOptions, layout, type LossKernels, maskText, ownInputs, scaleOf, seedsOf, targetInputs, weightText, withCount } from './kernel.js'
import { summed } from './sums.js'

/** Losses of so many classes at a time are added up, so that sums over many do not drift. */
const BLOCK = 64

export function softmaxKernels(loss: LossConstants, options: KernelOptions): LossKernels {
  const { isHalf } = options
  const seeds = seedsOf(options)
  const { classGamma, classPositive } = loss
  const balance = classPositive === null ? null : Float32Array.from([...classPositive, ...gammaParts(classGamma ?? [])])
  const weight = balance === null ? literal(loss.positiveWeight) : 'read_balance(c)'
  // Classes that are masked have no share in label smoothing
  const isThinned = options.mask === 'element'
  const e = loss.labelSmoothing
  const smoothed = e === 0 ? 'g.y' : `(g.y * ${literal(1 - e)} + select(0.0, ${literal(e)} / row.left, g.has_class))`
  const left = e !== 0 && isThinned ? 'classes_left(row)' : 'f32(uniforms.classes)'
  const focusing: RowFocusing = 'indicesOnly' in loss.formula ? 'asymmetric' : classGamma === null ? 'one' : 'per class'
  const least = literal(leastPull(isHalf))
  const terms: ShaderText = `${softmaxShader(loss, focusing)}${layout(options)}${weightText(options)}${goalShader(loss, options)}
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

fn term_of(i: i32, c: i32, row: Sample, top: f32, rest: f32) -> ClassTerm {
  return class_term(bounded(read_logits(i)), top, rest, weight_of(i, c, row)${focusOf[focusing]});
}

/** A sum without one of its terms, which is nothing where only rounding is left. */
fn without(total: f32, term: f32) -> f32 {
  let others: f32 = total - term;
  return select(others, 0.0, abs(others) < ${isHalf ? '2.0e-3' : '2.4e-7'} * abs(term));
}
`
  const beside = focusing === 'asymmetric' ? besideOwn : besideAny
  const kept = maskText(options) + classesLeft
  const inputs = ['logits', ...targetInputs(options), ...(balance === null ? [] : ['balance']), ...extraInputs(options, 'weights')]
  const shared = kept + rowsText(isHalf, left, least, focusing)
  const ofRows = [...inputs, ...extraInputs(options, 'mask')]
  const sizes = { classes: 'i32', inner: 'i32' } as const
  /** Of element i, of class c in a row of which `known` is what its classes share, times `seed`. */
  const gradientText: ShaderText = `
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
`
  return {
    balance,
    rows: {
      inputs: ofRows,
      uniforms: sizes,
      text: `${terms}${shared}
fn output_at(row: i32) -> vec4<f32> {
  return shared_by(row);
}
`,
      isVector: true,
    },
    sums: (isCounted) => ({
      inputs: withCount(['rows'], isCounted),
      vectors: ['rows'],
      uniforms: { factor: 'f32', least: 'f32', each: 'i32', parts: 'i32' },
      text: summed('read_rows(i).x', scaleOf(isCounted)),
      isSum: true,
    }),
    sumsAndGradient: (isCounted) => ({
      inputs: withCount(ofRows, isCounted),
      uniforms: { ...sizes, factor: 'f32', gradFactor: 'f32', least: 'f32', each: 'i32', parts: 'i32' },
      beside: 'grad',
      text: `${terms}${beside}${shared}${gradientText}
fn value_at(row: i32) -> f32 {
  let known: vec4<f32> = shared_by(row);
  let seed: f32 = ${scaleOf(isCounted, 'gradFactor')};
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    let i: i32 = element_of(row, c);
    set_grad(i, gradient_at(i, c, row, known, seed));
  }
  return known.x;
}
${summed('value_at(i)', scaleOf(isCounted))}`,
      isSum: true,
    }),
    gradient: (isCounted) => ({
      inputs: [...withCount([...inputs, ...(isThinned ? ['mask'] : []), 'rows'], isCounted), ...seeds.inputs],
      vectors: ['rows'],
      // An asymmetric one reads the logit of the row's class besides
      ...(focusing !== 'asymmetric' && { own: ownInputs(options) }),
      uniforms: { ...sizes, factor: 'f32', least: 'f32', each: 'i32' },
      text: `${terms}${beside}${isThinned ? kept : ''}${gradientText}
fn output_at(i: i32) -> f32 {
  let row: i32 = row_of(i);
  return gradient_at(i, class_of(i), row, read_rows(row), ${seeds.seed} * ${scaleOf(isCounted)});
}
`,
    }),
    curves: (isCounted) => ({
      inputs: withCount([...ofRows, 'rows'], isCounted),
      vectors: ['rows'],
      uniforms: { ...sizes, factor: 'f32', least: 'f32' },
      text: terms + kept + curvesText(left, least, scaleOf(isCounted)),
      isVector: true,
    }),
    hess: () => ({
      inputs: [...inputs, ...(isThinned ? ['mask'] : []), 'rows', 'curves'],
      vectors: ['rows', 'curves'],
      uniforms: { ...sizes, leastHess: 'f32' },
      text: `${terms}${beside}${bendText}${isThinned ? kept : ''}
fn output_at(i: i32) -> f32 {
  let c: i32 = class_of(i);
  let row: i32 = row_of(i);
  let known: vec4<f32> = read_rows(row);
  let pull: f32 = known.w;
  if (pull <= ${least}${isThinned ? ' || !is_kept(i)' : ''}) {
    return 0.0;
  }
  let top: f32 = known.y;
  let rest: f32 = known.z;
  let sampled: Sample = sample_of(row, ${left});
  let term: ClassTerm = term_of(i, c, sampled, top, rest);
  let pulls: f32 = pulls_beside(term, pull, row, c, sampled, top, rest) + term.pull;
  // The top's bend may be so large that a sum with it has no digits of the others
  let is_top: bool = bounded(read_logits(i)) == top;
  let curve: vec4<f32> = read_curves(row);
  let bends: f32 = select(curve.x, curve.y, is_top) + without(select(curve.y, curve.x, is_top), bend_of(term));
  let exact: f32 = (term.q * term.bend + term.p * (term.p * bends + term.q * pulls)) * curve.z;
  let hess: f32 = select(exact, not_a_number(), is_nan(pull));
  return ${boundedHess('hess')};
}
`,
    }),
  }
}

/** What a class's function takes of class c, or of element i, besides. */
const focusOf: Readonly<Record<RowFocusing, string>> = {
  one: '',
  'per class': ', read_balance(uniforms.classes + c), read_balance(2 * uniforms.classes + c)',
  asymmetric: ', goal_at(i, c, row).is_labelled',
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

/** What stands for a row's pulls where the row is not valid: less than any sum of them. */
const leastPull = (isHalf: boolean) => (isHalf ? -6e4 : -3e38)

/** D of a class's term; of the only class in its row it is nothing. */
const bendText: ShaderText = `
fn bend_of(term: ClassTerm) -> f32 {
  return select(0.0, term.bend / max(term.q, SMALLEST_NORMAL), term.q > 0.0);
}
`

/** Of a row the bends of the classes on top and those of the others, and the scale. */
const curvesText = (left: string, least: string, scale: string): ShaderText => `${bendText}
fn output_at(row: i32) -> vec4<f32> {
  var of_top: f32 = 0.0;
  var of_others: f32 = 0.0;
  let known: vec4<f32> = read_rows(row);
  if (known.w <= ${least}) {
    return vec4<f32>(0.0, 0.0, 0.0, 0.0);
  }
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
  return vec4<f32>(of_top, of_others, ${scale}, 0.0);
}
`

/** How many classes of a row the mask leaves. */
const classesLeft: ShaderText = `
fn classes_left(row: i32) -> f32 {
  var left: f32 = 0.0;
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    left += select(0.0, 1.0, is_kept(element_of(row, c)));
  }
  return left;
}
`

/**
 * Of a row its loss, its largest logit, the sum of the other exponentials, of which half floats hold the logarithm, and the sum of the
 * pulls (of an asymmetric loss that of the row's class is apart), which is {@link leastPull} where the row is not valid.
 */
const rowsText = (isHalf: boolean, left: string, least: string, focusing: RowFocusing): ShaderText => `
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
