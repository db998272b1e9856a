/** The softmax focal loss as shader functions: see src/formulas/softmax_focal.ts and cpp/losses/softmax_focal.h. */
import type { Parameters } from '../formula.js'
import { elementary, power } from './elementary.js'
import { literal, type ShaderText } from './language.js'

/**
 * `fn class_term(x: f32, top: f32, rest: f32, w: f32) -> ClassTerm` and what it needs. A row's exponentials are relative to its largest
 * logit, `top`; `rest` is the sum of all but that one, whose own is 1. `w` is the class's weight times its target.
 */
export function softmaxShader({ gamma }: Parameters): ShaderText {
  return `${elementary}${power('modulator', gamma)}
/** A class's probability p, 1 - p, loss, and B = w q^gamma (gamma p nll / q + 1): dL/dx_j = p_j sum_{c != j} B_c - q_j B_j. */
struct ClassTerm { p: f32, q: f32, value: f32, pull: f32 }

/** Infinite logits as numbers whose differences are finite. */
fn bounded(x: f32) -> f32 {
  return clamp(x, -1.5e38, 1.5e38);
}

/** e^(x - top), for x up to top: what the difference loses to rounding is put back. */
fn exp_below(x: f32, top: f32) -> f32 {
  let d: f32 = x - top;
  let back: f32 = d - x;
  let lost: f32 = (x - (d - back)) - (top + back);
  let k: f32 = floor(max(d, -87.33) * 1.44269504 + 0.5);
  let e: f32 = times_power_of_two(exp_of_rest(minus_multiple_of_ln2(max(d, -87.33), k) + lost), k);
  return select(e, 0.0, d < -87.33);
}

/** log(1 + rest), for a sum of exponentials. */
fn log_of_total(rest: f32) -> f32 {
  let w: f32 = rest / (1.0 + rest);
  return select(w * log_rest_ratio(min(w, 0.5)), logarithm(1.0 + rest), rest > 1.0);
}

fn class_term(x: f32, top: f32, rest: f32, w: f32) -> ClassTerm {
  let e: f32 = exp_below(x, top);
  // Nothing is subtracted from where little would be left
  let others: f32 = select(1.0 + (rest - e), rest, x == top);
  let inverse: f32 = 1.0 / (1.0 + rest);
  let p: f32 = e * inverse;
  let q: f32 = others * inverse;
  let nll: f32 = (top - x) + log_of_total(rest);
  let at: f32 = max(q, SMALLEST_NORMAL);
  let logs: LogParts = log_parts(at);
  let m: f32 = w * modulator(q, logs.exponent, logs.mantissa);
  let ratio: f32 = select(1.0, nll / at, q > 0.0);
  var infinity_bits: i32 = 0x7f800000;
  let value: f32 = select(m * nll, bitcast<f32>(infinity_bits), top - x > 1.0e38 && m > 0.0);
  return ClassTerm(p, q, value, m * (${literal(gamma)} * p * ratio + 1.0));
}
`
}
