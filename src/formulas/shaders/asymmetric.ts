/** The asymmetric loss as a shader function: see src/formulas/asymmetric.ts and cpp/losses/asymmetric.h. */
import type { Parameters } from '../formula.js'
import { modulated, power } from './elementary.js'
import { literal, type ShaderText } from './language.js'

export function asymmetric({ gamma, gammaNegative, margin, constantModulator }: Parameters): ShaderText {
  const positive = modulated('positive', gamma, constantModulator ? 0 : gamma)
  const rest = `
fn finite_element(x: f32, y: f32, rest: f32, wp: f32, wn: f32) -> Element {
  let l: Logistic = logistic(x);
  return sum(negative(l, x, wn * rest), mirror(positive(mirrored(l), wp * y)));
}
`
  const slope = constantModulator ? 0 : gammaNegative
  if (margin === 0) {
    return `${positive}${modulated('unshifted', gammaNegative, slope)}
fn negative(l: Logistic, x: f32, w: f32) -> Element {
  return unshifted(l, w);
}
${rest}`
  }
  const start = Math.log(margin / (1 - margin))
  const [m, g] = [literal(margin), literal(slope)]
  return `${positive}${power('negative_power', gammaNegative)}
/** e^d - 1 for d from 0 to 4/3 or so: with it sigmoid(x) - margin loses no digits just above the margin. */
fn excess(above: f32) -> f32 {
  let d: f32 = clamp(0.25 * above, 0.0, 0.3465735);
  let tail: f32 = (((1.381446726e-3 * d + 8.368780323e-3) * d + 4.166839418e-2) * d + 1.666652012e-1) * d + 4.999999341e-1;
  let one: f32 = d * d * tail + d;
  let two: f32 = one * (one + 2.0);
  return two * (two + 2.0);
}

/** A negative of t = p - margin. */
fn negative(l: Logistic, x: f32, w: f32) -> Element {
  // s + c is 1: compilers may add two constants up, and would lose the second
  let above: f32 = (x - ${literal(start)}) - ${literal(start - Math.fround(start))} * (l.s + l.c);
  if (above <= 0.0) {
    return Element(0.0, 0.0, 0.0);
  }
  let t: f32 = max(select(l.c * ${m} * excess(above), l.s - ${m}, above > 1.386294), SMALLEST_NORMAL);
  let u: f32 = l.c + ${m};
  let h: f32 = l.c / u;
  let k: f32 = select(log_rest_ratio(min(t, 0.5)), -logarithm(u) / t, t > 0.5);
  let logs: LogParts = log_parts(t);
  let m_t: f32 = negative_power(t, logs.exponent, logs.mantissa) * w;
  let pull: f32 = ${g} * l.c * k + h;
  let bend: f32 = ${g} * (m_t / t) * (${literal(slope - 1)} * l.c * k + 2.0 * h);
  let hess: f32 = l.s * (m_t * ((l.c - l.s) * pull + l.s * h * h) + l.s * l.c * bend);
  return Element(m_t * t * k, m_t * l.s * pull, hess);
}
${rest}`
}
