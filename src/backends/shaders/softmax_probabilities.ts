/**
 * Rows of probabilities as shader functions: each class costs by its own probability alone, see src/formulas/shaders/softmax_focal.ts. Where rows
 * are divided by their sums, these are shares u of them, and with f the classes' losses the derivatives are
 * f'_j (1 - u_j) - sum_{c != j} f'_c u_c and (f''_j (1 - u_j) - 2 f'_j) (1 - u_j) + sum_{c != j} (f''_c u_c + 2 f'_c) u_c, over the sum and its square.
 */
import { sumToleranceOf, toleranceOf } from '../../formulas/number_range.js'
import { literal, type ShaderText } from '../../formulas/shaders/language.js'
import { softmaxProbabilityShader } from '../../formulas/shaders/softmax_focal.js'
import { rangeOfOptions } from './kernel.js'
import { BLOCK, focusOf, type RowOptions, type RowTexts } from './softmax_row.js'

/** Sums in float32 are not so exact: what is just allowed is to stay so. */
const SLACK = 1.01

export function rowsOfProbabilities({ loss, options, focusing, left, least, isThinned }: RowOptions): RowTexts {
  const { renormalize } = loss
  const sample = `  let top: f32 = known.y;
  let rest: f32 = known.z;
  let sampled: Sample = sample_of(row, ${left});
  let l: Probability = share_of(i, top, rest);
  let cost: Element = cost_of(i, c, sampled, l);
`
  const isGood = renormalize ? 'top + rest > 0.0' : `abs(top + rest - 1.0) <= ${literal(SLACK * sumToleranceOf(options.dtype))}`
  return {
    formula: softmaxProbabilityShader(loss, focusing, rangeOfOptions(options), toleranceOf(options.dtype)),
    terms: `${renormalize ? shareOfSum : share}
/** Of a class without a weight nothing, whatever its probability. Derivatives are times this and its square; a NaN comes through. */
fn cost_of(i: i32, c: i32, row: Sample, l: Probability) -> Element {
  let w: f32 = weight_of(i, c, row);
  let nan: f32 = not_a_number();
  if (is_nan(read_logits(i)) && w > 0.0) {
    return Element(nan, nan, nan);
  }
  return class_cost(l, w${focusOf[focusing]});
}

fn bounded_number(x: f32) -> f32 {
  return select(clamp(x, -LARGEST, LARGEST), x, is_nan(x));
}
`,
    shared: sharedText(left, least, isGood, renormalize),
    gradient: `
fn gradient_at(i: i32, c: i32, row: i32, known: vec4<f32>, seed: f32) -> f32 {
  if (known.w <= ${least}${isThinned ? ' || !is_kept(i)' : ''}) {
    return 0.0;
  }
${sample}  let scale: f32 = ${renormalize ? 'seed / (top + rest)' : 'seed'};
  let slope: f32 = cost.grad * scale * l.over_s;
  return select(bounded_number(slope${renormalize ? ' * l.c - without(known.w, part_of(l, cost.grad)) * scale' : ''}), not_a_number(), is_nan(known.w));
}
`,
    isOwn: true,
    curve: renormalize ? curveText(left) : null,
    hess: `
fn hess_at(i: i32, c: i32, row: i32, known: vec4<f32>, scale: f32) -> f32 {
${sample}${renormalize ? hessOfShare : '  return bounded_number(cost.hess * scale * l.over_s * l.over_s);\n'}}
`,
  }
}

const share: ShaderText = `
fn share_of(i: i32, top: f32, rest: f32) -> Probability {
  let s: f32 = known_probability(read_logits(i));
  return probability_of(s, 1.0 - s);
}
`

/** The top's complement is what the others have: a difference would have few digits. */
const shareOfSum: ShaderText = `
fn share_of(i: i32, top: f32, rest: f32) -> Probability {
  let p: f32 = known_probability(read_logits(i));
  let s: f32 = normal_or_zero(p / (top + rest));
  return probability_of(s, select(1.0 - s, normal_or_zero(rest / (top + rest)), p == top));
}

/** What a class without a share has of a row's sums: nothing, as large as its derivatives may be. */
fn part_of(l: Probability, x: f32) -> f32 {
  return select(x, 0.0, l.s == 0.0);
}

fn bend_of(l: Probability, cost: Element) -> f32 {
  return part_of(l, cost.hess + 2.0 * cost.grad);
}
`

const hessOfShare: ShaderText = `  let is_top: bool = known_probability(read_logits(i)) == top;
  let curve: vec4<f32> = read_curves(row);
  let others: f32 = select(curve.x, curve.y, is_top) + without(select(curve.y, curve.x, is_top), bend_of(l, cost));
  let rest_over: f32 = l.c * l.over_s;
  let whole: f32 = scale / (top + rest) / (top + rest);
  let own: f32 = cost.hess * whole * rest_over * rest_over - 2.0 * cost.grad * whole * rest_over;
  return bounded_number(own + others * whole);
`

/** Of a row what its classes' second derivatives have of each other: of the classes on top, and of the others. */
const curveText = (left: ShaderText): ShaderText => `
fn curve_of(row: i32, known: vec4<f32>) -> vec4<f32> {
  var of_top: f32 = 0.0;
  var of_others: f32 = 0.0;
  let top: f32 = known.y;
  let rest: f32 = known.z;
  let sampled: Sample = sample_of(row, ${left});
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    let i: i32 = element_of(row, c);
    if (weight_of(i, c, sampled) > 0.0 && is_kept(i)) {
      let l: Probability = share_of(i, top, rest);
      let bend: f32 = bend_of(l, cost_of(i, c, sampled, l));
      if (known_probability(read_logits(i)) == top) {
        of_top += bend;
      } else {
        of_others += bend;
      }
    }
  }
  return vec4<f32>(of_top, of_others, 0.0, 0.0);
}
`

/**
 * Of a row its loss, its largest probability, the sum of the others, and the sum of f' u over its classes where they are shares, else 0;
 * {@link RowOptions.least} where the row is not valid, NaN where it is not known.
 */
const sharedText = (left: ShaderText, least: ShaderText, isGood: ShaderText, renormalize: boolean): ShaderText => `
fn shared_by(row: i32) -> vec4<f32> {
  var top: f32 = 0.0;
  var is_valid: bool = false;
  var has_class: bool = true;
  var is_good: bool = true;
  var has_nan: bool = false;
  let sampled: Sample = sample_of(row, ${left});
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    let i: i32 = element_of(row, c);
    let g: Goal = goal_at(i, c, sampled);
    if (is_kept(i)) {
      let given: f32 = read_logits(i);
      top = max(top, known_probability(given));
      has_nan = has_nan || is_nan(given);
      is_valid = is_valid || g.is_valid;
      has_class = has_class && g.has_class;
      is_good = is_good && g.is_known && (is_nan(given) || is_probability(given)) && !is_nan(sampled.weight);
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
      let p: f32 = known_probability(read_logits(i));
      let is_first_top: bool = p == top && !is_top_met;
      is_top_met = is_top_met || is_first_top;
      block += select(p, 0.0, is_first_top);
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
      let l: Probability = share_of(i, top, rest);
      let cost: Element = cost_of(i, c, sampled, l);
      value += cost.value;
      pull += ${renormalize ? 'part_of(l, cost.grad)' : '0.0'};
    }
  }
  let is_known: bool = is_good && ${renormalize ? `!has_nan && ${isGood}` : `(has_nan || ${isGood})`};
  let nan: f32 = not_a_number();
  return vec4<f32>(select(nan, value, is_known), top, rest, select(nan, pull, is_known));
}
`
