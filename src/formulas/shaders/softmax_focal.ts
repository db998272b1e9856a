/** The softmax focal loss, and the asymmetric one, as shader functions: see src/formulas/softmax_row.ts and cpp/losses/softmax_focal.h. */
import type { Parameters } from '../formula.js'
import type { NumberRange } from '../number_range.js'
import { elementary, focusing, power, powerByLogarithm } from './elementary.js'
import { literal, type ShaderText } from './language.js'
import { modulatedOfProbability, probability } from './probability.js'

/** How the classes of a row are focused: all alike, each by a gamma of its own, or the row's class and the others apart. */
export type RowFocusing = 'one' | 'per class' | 'asymmetric'

/** What {@link softmaxShader}'s function takes behind the other arguments. */
export const extraParameters: Readonly<Record<RowFocusing, string>> = { one: '', 'per class': ', high: f32, low: f32', asymmetric: ', is_own: bool' }

/**
 * `fn class_term(x: f32, top: f32, rest: f32, w: f32) -> ClassTerm` and what it needs. A row's exponentials are relative to its largest
 * logit, `top`; `rest` is the sum of all but that one, whose own is 1. `w` is the class's weight times its target. Where there are
 * {@link extraParameters}, they follow: the class's gamma in two parts, or whether it is the row's.
 */
export function softmaxShader(parameters: Parameters, of: RowFocusing): ShaderText {
  return `${elementary}${shared}${of === 'asymmetric' ? asymmetric(parameters) : complement('class_term', of === 'one' ? parameters.gamma : null)}`
}

/**
 * The same of probabilities: `fn class_cost(l: Probability, w: f32) -> Element` is a class's loss by its own probability alone, with
 * derivatives times this and its square.
 */
export function softmaxProbabilityShader({ gamma }: Parameters, of: RowFocusing, range: NumberRange, tolerance: number): ShaderText {
  const ofClass = of === 'per class' ? null : gamma
  const { declared, passed } = focusing('', ofClass)
  return `${elementary}${probability(range, tolerance)}${modulatedOfProbability('complement', ofClass)}
fn class_cost(l: Probability, w: f32${declared}) -> Element {
  return mirror(complement_scaled(complement_of(l), w${passed}));
}
`
}

const shared: ShaderText = `
/**
 * A class's probability p, 1 - p, loss, B = -d value / d log p, and q times D = -dB / d log p: dL/dx_j = p_j sum_{c != j} B_c - q_j B_j,
 * d2L/dx_j2 = q_j^2 D_j + p_j (p_j sum_{c != j} D_c + q_j sum_c B_c).
 */
struct ClassTerm { p: f32, q: f32, value: f32, pull: f32, bend: f32 }

/** Infinite logits as numbers whose differences are finite. */
fn bounded(x: f32) -> f32 {
  return clamp(x, -1.5e38, 1.5e38);
}

/** What the difference x - top loses to rounding. */
fn lost_of(x: f32, top: f32) -> f32 {
  let d: f32 = x - top;
  let back: f32 = d - x;
  return (x - (d - back)) - (top + back);
}

/** e^(x - top), for x up to top. */
fn exp_below(x: f32, top: f32) -> f32 {
  let d: f32 = x - top;
  let k: f32 = floor(max(d, -87.33) * 1.44269504 + 0.5);
  let e: f32 = times_power_of_two(exp_of_rest(minus_multiple_of_ln2(max(d, -87.33), k) + lost_of(x, top)), k);
  return select(e, 0.0, d < -87.33);
}

/** log(1 + rest), for a sum of exponentials. */
fn log_of_total(rest: f32) -> f32 {
  let w: f32 = rest / (1.0 + rest);
  return select(w * log_rest_ratio(min(w, 0.5)), logarithm(1.0 + rest), rest > 1.0);
}

fn odds_of(x: f32, top: f32, rest: f32) -> ClassTerm {
  let e: f32 = exp_below(x, top);
  // Nothing is subtracted from where little would be left
  let others: f32 = select(1.0 + (rest - e), rest, x == top);
  let inverse: f32 = 1.0 / (1.0 + rest);
  return ClassTerm(e * inverse, others * inverse, 0.0, 0.0, 0.0);
}
`

/** w q^gamma nll: B = w q^gamma (gamma p nll / q + 1), q D = w q^gamma gamma p (2 - nll + (gamma - 1) p nll / q). */
function complement(name: string, gamma: number | null): ShaderText {
  const { text, declared, passed, gamma: g, lessOne } = focusing(`${name}_power`, gamma)
  return `${text}
fn ${name}(x: f32, top: f32, rest: f32, w: f32${declared}) -> ClassTerm {
  let odds: ClassTerm = odds_of(x, top, rest);
  let nll: f32 = (top - x) + log_of_total(rest);
  let at: f32 = max(odds.q, SMALLEST_NORMAL);
  let logs: LogParts = log_parts(at);
  let m: f32 = w * ${name}_power(odds.q, logs.exponent, logs.mantissa${passed});
  let ratio: f32 = select(1.0, nll / at, odds.q > 0.0);
  let gain: f32 = ${g} * odds.p;
  var infinity_bits: i32 = 0x7f800000;
  let value: f32 = select(m * nll, bitcast<f32>(infinity_bits), top - x > 1.0e38 && m > 0.0);
  return ClassTerm(odds.p, odds.q, value, m * (gain * ratio + 1.0), m * gain * (${lessOne} * odds.p * ratio + (2.0 - nll)));
}
`
}

/** The row's class as above; of another w p^gamma nll: B = w p^gamma (1 - gamma nll), D = w p^gamma gamma (gamma nll - 2). */
function asymmetric({ gamma, gammaNegative }: Parameters): ShaderText {
  const g = literal(gammaNegative)
  // Below, where no power is left, digits are of no use
  const least = literal(-Math.min(1e30, Math.max(200, 130 / gammaNegative)))
  return `${complement('own_term', gamma)}${gammaNegative < 1 && gammaNegative > 0 ? powerByLogarithm('other_power', gammaNegative) : power('other_power', gammaNegative)}
fn other_term(x: f32, top: f32, rest: f32, w: f32) -> ClassTerm {
  let odds: ClassTerm = odds_of(x, top, rest);
  let log_total: f32 = log_of_total(rest);
  let d: f32 = max(x - top, ${least});
  let k: f32 = floor(d * 1.44269504 + 0.5);
  let m: f32 = w * other_power(odds.p, k, minus_multiple_of_ln2(d, k) + (lost_of(x, top) - log_total));
  if (m == 0.0${gammaNegative > 0 ? ' || top - x > 1.0e38' : ''}) {
    return odds;
  }
  let nll: f32 = (top - x) + log_total;
  let drop: f32 = ${g} * nll;
  var infinity_bits: i32 = 0x7f800000;
  let value: f32 = select(m * nll, bitcast<f32>(infinity_bits), top - x > 1.0e38);
  return ClassTerm(odds.p, odds.q, value, m * (1.0 - drop), odds.q * m * ${g} * (drop - 2.0));
}

fn class_term(x: f32, top: f32, rest: f32, w: f32, is_own: bool) -> ClassTerm {
  if (is_own) {
    return own_term(x, top, rest, w);
  }
  return other_term(x, top, rest, w);
}
`
}
