/** The asymmetric loss as a shader function: see src/formulas/asymmetric.ts and cpp/losses/asymmetric.h. */
import type { Parameters } from '../formula.js'
import { modulated, power } from './elementary.js'
import { literal, type ShaderText } from './language.js'
import { modulatedOfProbability } from './probability.js'

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

/** The same of a probability. */
export function asymmetricOfProbability({ gamma, gammaNegative, margin, constantModulator }: Parameters): ShaderText {
  const positive = modulatedOfProbability('positive', gamma, constantModulator ? 0 : gamma)
  const unshifted = modulatedOfProbability('unshifted', gammaNegative, constantModulator ? 0 : gammaNegative)
  const [l, negative] = margin === 0 ? ['probability_at(p, y, rest)', 'unshifted(l, wn * rest)'] : ['probability_of(p, 1.0 - p)', 'shifted(l, wn * rest)']
  return `${positive}${unshifted}${margin === 0 ? '' : shifted(margin)}
fn finite_element(p: f32, y: f32, rest: f32, wp: f32, wn: f32) -> Element {
  let l: Probability = ${l};
  return sum(${negative}, mirror(positive(complement_of(l), wp * y)));
}
`
}

/** A negative of t = p - margin. */
function shifted(margin: number): ShaderText {
  return `
fn shifted(l: Probability, w: f32) -> Element {
  // As above, in a way that compilers cannot add up: the other probability is 1 - p
  let t: f32 = (l.s - ${literal(margin)}) - select(0.0, ${literal(margin - Math.fround(margin))}, l.s < 1.0);
  let c: f32 = l.c + select(0.0, ${literal(margin)}, l.s <= 1.0);
  if (t <= 0.0) {
    return Element(0.0, 0.0, 0.0);
  }
  let s: f32 = max(t, SMALLEST_NORMAL);
  let logs: LogParts = log_parts(s);
  let loss: f32 = select(s * log_rest_ratio(min(s, 0.5)), -logarithm(c), s > 0.5);
  return unshifted(Probability(s, c, loss, 0.0, 1.0 / s, 1.0 / c, logs.exponent, logs.mantissa, 0.0, 0.0), w);
}
`
}
