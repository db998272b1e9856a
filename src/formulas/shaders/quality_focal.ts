/** The quality focal loss as a shader function: see src/formulas/quality_focal.ts and cpp/losses/quality_focal.h. */
import type { Parameters } from '../formula.js'
import { power } from './elementary.js'
import { literal, type ShaderText } from './language.js'
import { modulatedOfProbability } from './probability.js'

export function qualityFocal({ beta, constantModulator }: Parameters): ShaderText {
  const slope = constantModulator ? 0 : beta
  const b = literal(slope)
  return `${power('distance_power', beta)}
fn finite_element(x: f32, y: f32, rest: f32, wp: f32, wn: f32) -> Element {
  let l: Logistic = logistic(x);
  let d: f32 = y * l.c - rest * l.s;
  let variance: f32 = l.s * l.c;
  // Only rounding brings |d| this far below p (1 - p), or an exact hit: r is to be finite there
  let distance: f32 = max(max(abs(d), variance * 9.09494702e-13), SMALLEST_NORMAL);
  let sign: f32 = d / distance;
  let r: f32 = variance / distance;
  let logs: LogParts = log_parts(distance);
  let u: f32 = distance_power(distance, logs.exponent, logs.mantissa) * (y * wp + rest * wn);
  let value: f32 = u * cross_entropy(l, x, y, rest);
  let pull: f32 = ${b} * sign * r;
  let hess: f32 = value * pull * (${literal(slope - 1)} * sign * r - (l.c - l.s)) + u * (${literal(2 * slope + 1)} * variance);
  return Element(value, -(pull * value + u * d), hess);
}
`
}

/** The same of a probability. */
export function qualityFocalOfProbability({ beta, constantModulator }: Parameters): ShaderText {
  const slope = constantModulator ? 0 : beta
  const b = literal(slope)
  return `${modulatedOfProbability('negative', beta, slope)}${power('distance_power', beta)}
fn finite_element(p: f32, y: f32, rest: f32, wp: f32, wn: f32) -> Element {
  let l: Probability = probability_at(p, y, rest);
  if (y == 0.0) {
    return negative(l, wn);
  }
  if (rest == 0.0) {
    return mirror(negative(complement_of(l), wp));
  }
  let d: f32 = y - l.s;
  let distance: f32 = max(max(abs(d), l.s * l.c * 9.09494702e-13), SMALLEST_NORMAL);
  let over: f32 = 1.0 / distance;
  let logs: LogParts = log_parts(distance);
  let u: f32 = distance_power(distance, logs.exponent, logs.mantissa) * (y * wp + rest * wn);
  let entropy: f32 = y * l.loss_minus + rest * l.loss;
  let up: f32 = u * y * l.over_s;
  let down: f32 = u * rest * l.over_c;
  let pull: f32 = ${b} * (d * over) * over;
  let bend: f32 = up * (l.over_s + 2.0 * pull) + (down * (l.over_c - 2.0 * pull) + u * ${b} * ${literal(slope - 1)} * entropy * over * over);
  return Element(u * entropy, (down - up) - u * pull * entropy, bend);
}
`
}
