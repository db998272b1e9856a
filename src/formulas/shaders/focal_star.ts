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
