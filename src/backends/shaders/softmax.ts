/**
 * The softmax focal loss as kernels: what all classes of a row share, sums of the rows' losses, and gradients. One invocation reads a
 * whole row; an element of the gradient then needs only its own logit and four numbers of its row.
 */
import { literal, type ShaderText } from '../../formulas/shaders/language.js'
import { softmaxShader } from '../../formulas/shaders/softmax_focal.js'
import type { LossConstants } from '../../problem/constants.js'
import { goalShader } from './goals.js'
import { extraInputs, type KernelOptions, layout, type LossKernels, maskText, scaleOf, weightText, withCount } from './kernel.js'
import { partsOf } from './sums.js'

/** Losses of so many classes at a time are added up, so that sums over many do not drift. */
const BLOCK = 64

export function softmaxKernels(loss: LossConstants, options: KernelOptions): LossKernels {
  const { kind, isHalf } = options
  const balance = loss.classPositive === null ? null : Float32Array.from(loss.classPositive)
  const weight = balance === null ? literal(loss.positiveWeight) : 'read_balance(c)'
  const goals = goalShader(loss, kind, isHalf)
  const terms: ShaderText = `${softmaxShader(loss)}${layout}${weightText(options)}${goals}
fn goal_at(i: i32, row: i32, c: i32) -> Goal {
  return goal_of(read_targets(${kind === 'labels' ? 'i' : 'row'}), c);
}

fn weight_of(i: i32, row: i32, c: i32) -> f32 {
  return goal_at(i, row, c).y * ${weight} * weight_at(i);
}
`
  const inputs = ['logits', 'targets', ...(balance === null ? [] : ['balance']), ...extraInputs(options, 'weights')]
  const sizes = { classes: 'i32', inner: 'i32' } as const
  return {
    balance,
    rows: { inputs: [...inputs, ...extraInputs(options, 'mask')], uniforms: sizes, text: terms + maskText(options) + rowsText(isHalf), isVector: true },
    sums: (isCounted) => ({
      inputs: withCount(['rows'], isCounted),
      uniforms: { factor: 'f32', least: 'f32', each: 'i32', parts: 'i32' },
      text: partsOf('read_rows(4 * i)', scaleOf(isCounted)),
    }),
    gradient: (isCounted) => ({
      inputs: [...withCount([...inputs, 'rows'], isCounted), 'seeds'],
      uniforms: { ...sizes, factor: 'f32', least: 'f32', each: 'i32' },
      text: `${terms}
fn output_at(i: i32) -> f32 {
  let c: i32 = class_of(i);
  let row: i32 = row_of(i);
  let rest: f32 = ${isHalf ? 'exp_below(read_rows(4 * row + 2), 0.0)' : 'read_rows(4 * row + 2)'};
  let pull: f32 = read_rows(4 * row + 3);
  let seed: f32 = read_seeds(i / uniforms.each) * ${scaleOf(isCounted)};
  if (pull < 0.0) {
    return 0.0;
  }
  let term: ClassTerm = class_term(bounded(read_logits(i)), read_rows(4 * row + 1), rest, weight_of(i, row, c));
  let others: f32 = pull - term.pull;
  return select((term.p * ${isHalf ? ofHalves : 'others'} - term.q * term.pull) * seed, not_a_number(), is_nan(pull));
}
`,
    }),
  }
}

/** What half floats leave of a difference to this class's own pull: below their last digit it is nothing. */
const ofHalves = 'select(others, 0.0, abs(others) < 2.0e-3 * term.pull)'

/**
 * Of a row its loss, its largest logit, the sum of the other exponentials, of which half floats hold the logarithm, and the sum of the
 * pulls, which is -1 where the row is not valid.
 */
const rowsText = (isHalf: boolean): ShaderText => `
fn output_at(row: i32) -> vec4<f32> {
  var top: f32 = -1.5e38;
  var is_valid: bool = false;
  var is_good: bool = true;
  var is_endless: bool = false;
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    let i: i32 = element_of(row, c);
    let given: f32 = read_logits(i);
    let g: Goal = goal_at(i, row, c);
    top = max(top, bounded(given));
    is_endless = is_endless || (is_infinite(given) && given > 0.0);
    is_valid = is_valid || (g.is_valid && is_kept(i));
    is_good = is_good && g.is_known && !is_nan(given);
  }
  if (!is_valid) {
    return vec4<f32>(0.0, 0.0, 0.0, -1.0);
  }
  var rest: f32 = 0.0;
  var block: f32 = 0.0;
  var is_top_met: bool = false;
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    let x: f32 = bounded(read_logits(element_of(row, c)));
    let is_first_top: bool = x == top && !is_top_met;
    is_top_met = is_top_met || is_first_top;
    block += select(exp_below(x, top), 0.0, is_first_top);
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
    let w: f32 = weight_of(i, row, c);
    if (w > 0.0) {
      let term: ClassTerm = class_term(bounded(read_logits(i)), top, rest, w);
      value += term.value;
      pull += term.pull;
    }
  }
  // Several infinities share a row in no way that can be known
  let is_decided: bool = is_good && !((is_endless || top <= -1.5e38) && rest >= 1.0);
  let nan: f32 = not_a_number();
  return vec4<f32>(select(nan, value, is_decided), top, ${isHalf ? 'logarithm(max(rest, SMALLEST_NORMAL))' : 'rest'}, select(nan, pull, is_decided));
}
`
