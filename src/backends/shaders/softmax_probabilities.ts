/**
 * Rows of probabilities as shader functions: each class costs by its own probability alone, see src/formulas/shaders/softmax_focal.ts. Where rows
 * are divided by their sums, these are shares u of them, and with f the classes' losses the derivatives are
 * f'_j (1 - u_j) - sum_{c != j} f'_c u_c and (f''_j (1 - u_j) - 2 f'_j) (1 - u_j) + sum_{c != j} (f''_c u_c + 2 f'_c) u_c, over the sum and its square.
 */
import { sumToleranceOf, toleranceOf } from '../../formulas/number_range.js'
import { literal, type ShaderText } from '../../formulas/shaders/language.js'
import { softmaxProbabilityShader } from '../../formulas/shaders/softmax_focal.js'
import { rangeOfOptions } from './kernel.js'
import { curveText, focusOf, type RowOptions, type RowSums, type RowTexts, sharedText } from './softmax_row.js'

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
  const sums = sumsOf(isGood, renormalize)
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
    shared: sharedText(left, least, sums),
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
    curve: renormalize ? curveText(left, sums) : null,
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

/** A class's part is its probability. Where they are shares, its pull is f' u; else rows have none. A NaN in a row without a sum says nothing of the others. */
const sumsOf = (isGood: ShaderText, renormalize: boolean): RowSums => ({
  number: 'known_probability(read_logits(i))',
  least: '0.0',
  isAllowed: 'is_nan(given) || is_probability(given)',
  isSpecial: 'is_nan(given)',
  part: 'x',
  kept: 'rest',
  term: 'let l: Probability = share_of(i, top, rest);\n      let cost: Element = cost_of(i, c, sampled, l);',
  value: 'cost.value',
  pull: renormalize ? 'part_of(l, cost.grad)' : '0.0',
  bend: 'bend_of(l, cost)',
  isKnown: renormalize ? `!is_special && ${isGood}` : `(is_special || ${isGood})`,
})
