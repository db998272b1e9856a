/**
 * exp, log, sigmoid, softplus and powers in multiplications and additions of float32: WGSL promises little of its own exp, log and
 * pow. The polynomials are those of cpp/elementary.h. Results below 1.2e-38 may be 0, and so may what such numbers are multiplied by.
 */
import { literal, type ShaderText } from './language.js'

export const elementary: ShaderText = `
/** What an element costs: its loss, first and second derivative with respect to the logit. */
struct Element { value: f32, grad: f32, hess: f32 }

/** log x = exponent ln 2 + mantissa. */
struct LogParts { exponent: f32, mantissa: f32 }

/** sigmoid(z), sigmoid(-z), log(1 + e^z), log(1 + e^-z), log(1 + e^-|z|); the logarithms of the first two. */
struct Logistic { s: f32, c: f32, softplus: f32, softplus_minus: f32, log1p_e: f32, exponent_s: f32, mantissa_s: f32, exponent_c: f32, mantissa_c: f32 }

const SMALLEST_NORMAL: f32 = 1.17549435e-38;

/** By the bits, as compilers may take it that there is no such thing. */
fn is_nan(x: f32) -> bool {
  return (bitcast<i32>(x) & 0x7fffffff) > 0x7f800000;
}

fn is_infinite(x: f32) -> bool {
  return (bitcast<i32>(x) & 0x7fffffff) == 0x7f800000;
}

/** From a variable: constants may not be NaN. */
fn not_a_number() -> f32 {
  var bits: i32 = 0x7fc00000;
  return bitcast<f32>(bits);
}

/** t - k ln 2 for a whole number k of few bits. */
fn minus_multiple_of_ln2(t: f32, k: f32) -> f32 {
  return (t - k * 0.693359375) + k * 2.12194440e-4;
}

/** e^r for |r| at most about ln 2 / 2. */
fn exp_of_rest(r: f32) -> f32 {
  let tail: f32 = (((1.381446726e-3 * r + 8.368780323e-3) * r + 4.166839418e-2) * r + 1.666652012e-1) * r + 4.999999341e-1;
  return (tail * r + 1.0) * r + 1.0;
}

/** x 2^k for a whole number k from -126 to 127. */
fn times_power_of_two(x: f32, k: f32) -> f32 {
  return x * bitcast<f32>((i32(k) + 127) << 23u);
}

/** The logarithm of a positive normal number. */
fn log_parts(x: f32) -> LogParts {
  let k: i32 = (bitcast<i32>(x) - 0x3f3504f3) >> 23u;
  let f: f32 = bitcast<f32>(bitcast<i32>(x) - (k << 23u)) - 1.0;
  let s: f32 = f / (f + 2.0);
  let u: f32 = s * s;
  let half_square: f32 = 0.5 * f * f;
  let tail: f32 = (1.494218552e-1 * u + 1.998855665e-1) * u + 3.333338973e-1;
  let correction: f32 = s * (2.0 * u * tail + half_square);
  return LogParts(f32(k), f - (half_square - correction));
}

fn logarithm(x: f32) -> f32 {
  let parts: LogParts = log_parts(x);
  return parts.exponent * 0.693359375 + (parts.exponent * -2.12194440e-4 + parts.mantissa);
}

/** -log(1 - w) / w for w from 0 to 1/2. */
fn log_rest_ratio(w: f32) -> f32 {
  let high: f32 = ((1.184923470646107 * w - 1.081527157083983) * w + 0.7854228444949485) * w + 0.03802056653208933;
  return (((high * w + 0.2722501476936031) * w + 0.3318626498982039) * w + 0.5000365421967735) * w + 0.9999998524401335;
}

fn logistic(x: f32) -> Logistic {
  let z: f32 = clamp(x, -87.33, 87.33);
  let k: f32 = floor(z * 1.44269504 + 0.5);
  let e: f32 = times_power_of_two(exp_of_rest(minus_multiple_of_ln2(z, k)), k);
  // Further out the smaller of the two is 0 beside any logit that it is multiplied by
  let is_far: bool = abs(x) > 87.33;
  let near: f32 = 1.0 / (1.0 + e);
  let c: f32 = select(near, select(1.0, 0.0, x > 0.0), is_far);
  let s: f32 = select(e * near, select(0.0, 1.0, x > 0.0), is_far);
  let w: f32 = min(s, c);
  let log1p_e: f32 = w * log_rest_ratio(w);
  let below: f32 = min(k, 0.0);
  let above: f32 = min(-k, 0.0);
  return Logistic(s, c, max(x, 0.0) + log1p_e, max(-x, 0.0) + log1p_e, log1p_e,
    below, minus_multiple_of_ln2(min(z, 0.0), below) - log1p_e, above, minus_multiple_of_ln2(min(-z, 0.0), above) - log1p_e);
}

/** The logistic of -x. */
fn mirrored(l: Logistic) -> Logistic {
  return Logistic(l.c, l.s, l.softplus_minus, l.softplus, l.log1p_e, l.exponent_c, l.mantissa_c, l.exponent_s, l.mantissa_s);
}

/** The loss of -x is the loss of x seen in the mirror. */
fn mirror(e: Element) -> Element {
  return Element(e.value, -e.grad, e.hess);
}

fn sum(a: Element, b: Element) -> Element {
  return Element(a.value + b.value, a.grad + b.grad, a.hess + b.hess);
}

/** y softplus(-x) + (1 - y) softplus(x); rest is 1 - y with all its digits. */
fn cross_entropy(l: Logistic, x: f32, y: f32, rest: f32) -> f32 {
  return y * max(-x, 0.0) + (rest * max(x, 0.0) + l.log1p_e);
}
`

/**
 * A power q^gamma as the function `name` of q, which lies in (0, 1], and of its logarithm; the usual gammas need no logarithm. As in
 * cpp/elementary.h, the exponent's product is carried in two parts.
 */
export function power(name: string, gamma: number): ShaderText {
  const special = specialPowers.get(gamma)
  return special === undefined ? powerByLogarithm(name, gamma) : `\nfn ${name}(q: f32, exponent: f32, mantissa: f32) -> f32 {\n  return ${special};\n}\n`
}

/** The same, always of its logarithm: q itself may be too small for a number. */
export function powerByLogarithm(name: string, gamma: number): ShaderText {
  // So few bits that its product with an exponent is exact
  const high = leadingBits(gamma)
  return `
fn ${name}(q: f32, exponent: f32, mantissa: f32) -> f32 {
${ofLogarithm(literal(gamma), literal(high), literal(gamma - high))}}
`
}

function ofLogarithm(gamma: string, high: string, low: string): ShaderText {
  return `  let fraction: f32 = mantissa * 1.44269504;
  let total: f32 = ${gamma} * exponent + ${gamma} * fraction;
  let n: f32 = floor(max(total, -126.0) + 0.5);
  let rest: f32 = (${high} * exponent - n) + (${low} * exponent + ${gamma} * fraction);
  return select(times_power_of_two(exp_of_rest(rest * 0.69314718), n), 0.0, total < -126.0);
`
}

/** How a gamma comes to a shader function: in its text, or as two parameters, which are those of an element's class. */
export interface Focusing {
  /** The power, a function of q and its logarithm, and of what `passed` has. */
  readonly text: ShaderText
  /** Behind the other parameters of a function, and behind the other arguments of a call. */
  readonly declared: string
  readonly passed: string
  /** Gamma and gamma - 1 as expressions. */
  readonly gamma: string
  readonly lessOne: string
}

/** @param gamma `null`: each class has its own. */
export function focusing(name: string, gamma: number | null): Focusing {
  if (gamma !== null) return { text: power(name, gamma), declared: '', passed: '', gamma: literal(gamma), lessOne: literal(gamma - 1) }
  return { text: powerOfClass(name), declared: ', high: f32, low: f32', passed: ', high, low', gamma: '(high + low)', lessOne: '((high - 1.0) + low)' }
}

/** Gammas of classes in two parts each, `high` and `low`, all of the first before the second. Half floats hold both. */
export function gammaParts(gammas: ArrayLike<number>): number[] {
  const high = Array.from(gammas, (gamma) => leadingBits(gamma, 11))
  return [...high, ...high.map((each, c) => gammas[c] - each)]
}

/** Multiples of a half up to 5 need no logarithm. */
function powerOfClass(name: string): ShaderText {
  return `
fn ${name}(q: f32, exponent: f32, mantissa: f32, high: f32, low: f32) -> f32 {
  let whole: f32 = floor(high);
  let beyond: f32 = high - whole;
  if (low == 0.0 && high >= 0.0 && high <= 5.0 && (beyond == 0.0 || beyond == 0.5)) {
    var product: f32 = select(1.0, sqrt(q), beyond == 0.5);
    for (var k: f32 = 0.0; k < whole; k += 1.0) {
      product *= q;
    }
    return product;
  }
  let gamma: f32 = high + low;
${ofLogarithm('gamma', 'high', 'low')}}
`
}

const specialPowers: ReadonlyMap<number, string> = new Map([
  [0, '1.0'],
  [0.5, 'sqrt(q)'],
  [1, 'q'],
  [1.5, 'q * sqrt(q)'],
  [2, 'q * q'],
  [3, 'q * q * q'],
  [4, '(q * q) * (q * q)'],
  [5, '(q * q) * (q * q) * q'],
])

/** A float32 of so many bits: the product of two such numbers is exact where they have 24 together. */
export function leadingBits(value: number, kept = 12): number {
  const float = Float32Array.of(value)
  const bits = new Int32Array(float.buffer)
  bits[0] &= -1 << (24 - kept)
  return float[0]
}

/**
 * A negative, w s^gamma softplus(x) with s = sigmoid(x), as the function `name` of its logistic; `slope` is gamma, or 0 to
 * differentiate as if s^gamma were a constant. Its derivatives are those of cpp/losses/element.h.
 */
export function modulated(name: string, gamma: number, slope = gamma): ShaderText {
  const g = literal(slope)
  return `${power(`${name}_power`, gamma)}
fn ${name}(l: Logistic, w: f32) -> Element {
  let m: f32 = ${name}_power(l.s, l.exponent_s, l.mantissa_s) * w;
  let value: f32 = m * l.softplus;
  let tilt: f32 = ${g} * l.c - l.s;
  // Far out it is infinite, or its multiples are
  let near: f32 = select(value, 0.0, l.c == 0.0);
  return Element(value, ${g} * l.c * near + m * l.s, l.c * (${g} * tilt * near + ${literal(2 * slope + 1)} * l.s * m));
}
`
}
