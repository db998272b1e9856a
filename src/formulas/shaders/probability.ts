/** What losses of probabilities are made of as shader functions: see src/formulas/probability.ts and cpp/losses/element.h. */
import type { NumberRange } from '../number_range.js'
import { type Focusing, focusing, power } from './elementary.js'
import { literal, type ShaderText } from './language.js'

/**
 * Behind `elementary`.
 *
 * @param range of the arrays' type: the nearest probabilities to 0 and 1, and how far derivatives reach.
 * @param tolerance how far outside of 0 to 1 a probability may be, to be taken as 0 or 1.
 */
export function probability({ least, belowOne, largest }: NumberRange, tolerance: number): ShaderText {
  return `
const LEAST: f32 = ${literal(least)};
const BELOW_ONE: f32 = ${literal(belowOne)};
const GAP: f32 = ${literal(1 - belowOne)};
const LARGEST: f32 = ${literal(largest)};

/**
 * A probability s and c = 1 - s, -log c, -log s, 1 / s, 1 / c; the logarithms of both as their powers take them. At 0 and 1 what is infinite is
 * what it is at the nearest probability inside; powers vanish.
 */
struct Probability { s: f32, c: f32, loss: f32, loss_minus: f32, over_s: f32, over_c: f32, exponent_s: f32, mantissa_s: f32, exponent_c: f32, mantissa_c: f32 }

fn is_probability(p: f32) -> bool {
  return !is_nan(p) && abs(p - clamp(p, 0.0, 1.0)) <= ${literal(tolerance)};
}

/** 0 for what is below normal numbers, where devices differ. */
fn normal_or_zero(x: f32) -> f32 {
  return select(x, 0.0, x < SMALLEST_NORMAL);
}

/** From 0 to 1, whatever is given. */
fn known_probability(p: f32) -> f32 {
  return normal_or_zero(select(0.5, clamp(p, 0.0, 1.0), is_probability(p)));
}

/** With derivatives as far as numbers reach. */
fn bounded_element(e: Element) -> Element {
  return Element(e.value, clamp(e.grad, -LARGEST, LARGEST), clamp(e.hess, -LARGEST, LARGEST));
}

fn probability_of(s: f32, c: f32) -> Probability {
  let near_s: f32 = select(s, LEAST, s == 0.0);
  let near_c: f32 = select(c, GAP, c == 0.0);
  let is_high: bool = s > c;
  let smaller: f32 = min(s, c);
  let logs: LogParts = log_parts(min(near_s, near_c));
  let large: f32 = -(logs.exponent * 0.693359375 + (logs.exponent * -2.12194440e-4 + logs.mantissa));
  let small: f32 = smaller * log_rest_ratio(smaller);
  // So far below that every power of it is 0
  let exponent: f32 = select(logs.exponent, -1.0e20, smaller == 0.0);
  return Probability(s, c, select(small, large, is_high), select(large, small, is_high), 1.0 / near_s, 1.0 / near_c,
    select(exponent, 0.0, is_high), select(logs.mantissa, -small, is_high), select(0.0, exponent, is_high), select(-small, logs.mantissa, is_high));
}

/** With a label between 0 and 1 everything is infinite at 1. */
fn probability_at(p: f32, y: f32, rest: f32) -> Probability {
  let s: f32 = select(p, min(p, BELOW_ONE), y > 0.0 && rest > 0.0);
  return probability_of(s, 1.0 - s);
}

/** 1 - s in place of s. */
fn complement_of(l: Probability) -> Probability {
  return Probability(l.c, l.s, l.loss_minus, l.loss, l.over_c, l.over_s, l.exponent_c, l.mantissa_c, l.exponent_s, l.mantissa_s);
}

/** Derivatives that are multiplied by a probability, the second by its square, without that; \`over\` is its inverse. */
fn unscaled(e: Element, over: f32) -> Element {
  return Element(e.value, e.grad * over, e.hess * over * over);
}

/** y (-log s) + (1 - y) (-log c), times w. */
fn cross_entropy_of(l: Probability, y: f32, rest: f32, w: f32) -> Element {
  let up: f32 = w * y * l.over_s;
  let down: f32 = w * rest * l.over_c;
  return Element(w * (y * l.loss_minus + rest * l.loss), down - up, down * l.over_c + up * l.over_s);
}
`
}

/** As `focusing`, with `fn NAME_less(q, exponent, mantissa, over)`, which is q^(gamma - 1), beside q^gamma. Negative powers are those of `over`, 1 / q, which is finite at 0. */
function lowered(name: string, gamma: number | null): Focusing {
  const of = focusing(name, gamma)
  const head = `
fn ${name}_less(q: f32, exponent: f32, mantissa: f32, over: f32${of.declared}) -> f32 {`
  const ofOver = '  let logs: LogParts = log_parts(over);\n'
  if (gamma === null) {
    const less = `${head}
  if (high + low >= 1.0) {
    return ${name}(q, exponent, mantissa, high - 1.0, low);
  }
${ofOver}  return ${name}(over, logs.exponent, logs.mantissa, 1.0 - high, -low);
}
`
    return { ...of, text: of.text + less }
  }
  const inner = power(`${name}_lowered`, Math.abs(gamma - 1))
  const body = gamma >= 1 ? `  return ${name}_lowered(q, exponent, mantissa);\n` : `${ofOver}  return ${name}_lowered(over, logs.exponent, logs.mantissa);\n`
  return { ...of, text: `${of.text}${inner}${head}\n${body}}\n` }
}

/**
 * A negative, w s^gamma (-log c) with c = 1 - s, as the function `name` of its probability; `slope` is gamma, or 0 to differentiate as if
 * s^gamma were a constant. `NAME_scaled` has its derivatives times c and c^2: with k = -log(c) / s these are w s^g (g k c + 1) and
 * w (s^g + g s^(g - 1) c ((g - 1) k c + 2)).
 *
 * @param gamma `null`: the parameters `high` and `low` are the gamma of the element's class.
 */
export function modulatedOfProbability(name: string, gamma: number | null, slope = gamma): ShaderText {
  const of = lowered(`${name}_power`, gamma)
  const [g, lessOne] = slope === gamma ? [of.gamma, of.lessOne] : [literal(slope ?? 0), literal((slope ?? 0) - 1)]
  const bend = slope === 0 ? '0.0' : `w * ${name}_power_less(l.s, l.exponent_s, l.mantissa_s, l.over_s${of.passed}) * ${g} * c * (${lessOne} * k * c + 2.0)`
  return `${of.text}
fn ${name}_scaled(l: Probability, w: f32${of.declared}) -> Element {
  let m: f32 = w * ${name}_power(l.s, l.exponent_s, l.mantissa_s${of.passed});
  let k: f32 = select(log_rest_ratio(min(l.s, 0.5)), l.loss * l.over_s, l.s > 0.5);
  let c: f32 = max(l.c, 1.0 / l.over_c);
  return Element(m * l.loss, m * (${g} * k * c + 1.0), m + ${bend});
}

fn ${name}(l: Probability, w: f32${of.declared}) -> Element {
  return unscaled(${name}_scaled(l, w${of.passed}), l.over_c);
}
`
}

/**
 * w q^gamma times the cross entropy of a smoothed label, with q = y (1 - p) + (1 - y) p, as the function `name`. Where q is 0 it is what it is at the
 * nearest probability inside.
 */
export function blendedOfProbability(name: string, gamma: number | null): ShaderText {
  const { text, declared, passed, gamma: g, lessOne } = lowered(`${name}_power`, gamma)
  return `${text}
fn ${name}(l: Probability, y: f32, rest: f32, smooth_y: f32, smooth_rest: f32, w: f32${declared}) -> Element {
  let missing: f32 = rest * l.s + y * l.c;
  let q: f32 = max(select(missing, rest / l.over_s + y / l.over_c, missing == 0.0), SMALLEST_NORMAL);
  let over: f32 = 1.0 / q;
  let logs: LogParts = log_parts(q);
  let less: f32 = w * ${name}_power_less(q, logs.exponent, logs.mantissa, over${passed});
  let entropy: f32 = smooth_y * l.loss_minus + smooth_rest * l.loss;
  let pull: f32 = ${g} * (rest - y);
  // The ratios of q first: what else there is may be too large or too small
  let of_s: f32 = q * l.over_s;
  let of_c: f32 = q * l.over_c;
  let up: f32 = of_s * smooth_y;
  let down: f32 = of_c * smooth_rest;
  let bend: f32 = (less * up) * (of_s - 2.0 * pull) + ((less * down) * (of_c + 2.0 * pull) + less * pull * (rest - y) * ${lessOne} * entropy);
  return Element(w * ${name}_power(q, logs.exponent, logs.mantissa${passed}) * entropy, less * (pull * entropy + (down - up)), bend * over);
}
`
}
