/** The focal star loss as a shader function: see src/formulas/focal_star.ts and cpp/losses/focal_star.h. */
import type { Parameters } from '../formula.js'
import { leadingBits } from './elementary.js'
import { literal, type ShaderText } from './language.js'

export function focalStar({ gamma, beta }: Parameters): ShaderText {
  // gamma x - beta in two parts: rounding it would cost digits of the tail e^z
  const high = leadingBits(gamma)
  return `
fn leading_bits(x: f32) -> f32 {
  return bitcast<f32>(bitcast<i32>(x) & ~0xfff);
}

fn negative(given: f32, w: f32) -> Element {
  // gamma x is to be a number; so far out the loss is x itself
  let x: f32 = clamp(given, -1.0e30, 1.0e30);
  let x_high: f32 = leading_bits(x);
  let product: f32 = ${literal(high)} * x_high;
  let near: f32 = product - ${literal(beta)};
  let back: f32 = near - product;
  let lost: f32 = (product - (near - back)) - (back + ${literal(beta)});
  let rest: f32 = ${literal(high)} * (x - x_high) + (${literal(gamma - high)} * x - ${literal(beta - Math.fround(beta))}) + lost;
  let z: f32 = clamp(near + rest, -3.0e38, 3.0e38);
  let missing: f32 = select(rest - (z - near), 0.0, abs(z) > 100.0);
  let l: Logistic = logistic(z);
  let s: f32 = l.s + l.s * l.c * missing;
  let value: f32 = (l.s * missing + l.softplus) * w * ${literal(1 / gamma)};
  return Element(select(value, w * max(given, 0.0), abs(given) > 1.0e30), s * w, ${literal(gamma)} * s * w * (l.c - l.s * l.c * missing));
}

fn finite_element(x: f32, y: f32, rest: f32, wp: f32, wn: f32) -> Element {
  return sum(negative(x, wn * rest), mirror(negative(-x, wp * y)));
}
`
}

/**
 * The same of a probability. With z = gamma log(s / c) - beta and S = sigmoid(z) / s the derivatives of a negative are w S / c and
 * w ((gamma - 1) S / s + S (2 - gamma S)) / c^2. Below 1/2 S is e^-beta s^(gamma - 1) c^-gamma sigmoid(-z), which has a limit at 0.
 */
export function focalStarOfProbability({ gamma, beta }: Parameters): ShaderText {
  const [g, b] = [literal(gamma), literal(beta)]
  const high = leadingBits(gamma)
  // Negative powers have no limit at 0
  const bend = gamma === 1 ? '0.0' : `${literal(gamma - 1)} * (w * of_bend(l) * c_z)${gamma < 2 ? ' * l.over_s' : ''}`
  return `${ofPower('of_slope', gamma, beta, 1, gamma < 1)}${ofPower('of_bend', gamma, beta, gamma < 2 ? 1 : 2, gamma < 2)}
fn negative(l: Probability, w: f32) -> Element {
  let is_high: bool = l.s > l.c;
  // Where e^z is what the loss is, without rounding gamma log s
  let exponent: f32 = select(${gamma < 1 ? 'max(l.exponent_s, -log_parts(l.over_s).exponent)' : 'l.exponent_s'}, 0.0, is_high);
  let mantissa: f32 = select(l.mantissa_s + l.loss, l.loss - l.loss_minus, is_high);
  let fraction: f32 = (${g} * mantissa - ${b}) * 1.44269504;
  let z: f32 = ${g} * exponent + fraction;
  let side: f32 = select(1.0, -1.0, z > 0.0);
  let n: f32 = floor(max(side * z, -126.0) + 0.5);
  let remainder: f32 = (side * ${literal(high)} * exponent - n) + side * (${literal(gamma - high)} * exponent + fraction);
  let e: f32 = select(times_power_of_two(exp_of_rest(remainder * 0.69314718), n), 0.0, side * z < -126.0);
  let near: f32 = 1.0 / (1.0 + e);
  let far: f32 = e * near;
  let s_z: f32 = select(far, near, z > 0.0);
  let c_z: f32 = select(near, far, z > 0.0);
  let s_over: f32 = of_slope(l) * c_z;
  let low: f32 = w * s_over;
  let slope: f32 = select(low, w * s_z * l.over_s, is_high);
  let value: f32 = w * ${literal(1 / gamma)} * (max(z, 0.0) * 0.69314718 + far * log_rest_ratio(far));
  // In the upper half without the difference of 2 and gamma S
  let hess: f32 = select(${bend} + low * (2.0 - ${g} * s_over), slope * l.over_s * (${g} * c_z + (l.s - l.c)), is_high);
  // What a positive adds is larger still
  return Element(select(value, 0.0, l.s == 0.0), slope * l.over_c, max(hess * l.over_c * l.over_c, -LARGEST));
}

fn finite_element(p: f32, y: f32, rest: f32, wp: f32, wn: f32) -> Element {
  let l: Probability = probability_at(p, y, rest);
  return sum(negative(l, wn * rest), mirror(negative(complement_of(l), wp * y)));
}
`
}

/** e^-beta s^(gamma - less) c^-gamma, for s up to c; at 0 its limit, or what it is at the nearest probability inside. */
function ofPower(name: string, gamma: number, beta: number, less: number, isNearest: boolean): ShaderText {
  const power = gamma - less
  const high = leadingBits(power)
  const logs = isNearest ? '  let logs: LogParts = log_parts(l.over_s);\n' : ''
  const [exponent, mantissa] = isNearest ? ['-logs.exponent', '-logs.mantissa'] : ['l.exponent_s', 'l.mantissa_s']
  return `
fn ${name}(l: Probability) -> f32 {
${logs}  let exponent: f32 = ${exponent};
  let fraction: f32 = (${literal(power)} * ${mantissa} + (${literal(gamma)} * min(l.loss, 0.7) - ${literal(beta)})) * 1.44269504;
  let total: f32 = ${literal(power)} * exponent + fraction;
  let n: f32 = floor(clamp(total, -126.0, 126.0) + 0.5);
  let remainder: f32 = (${literal(high)} * exponent - n) + (${literal(power - high)} * exponent + fraction);
  return select(times_power_of_two(exp_of_rest(remainder * 0.69314718), n), 0.0, total < -126.0);
}
`
}
