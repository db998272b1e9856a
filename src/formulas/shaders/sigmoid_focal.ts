/** The sigmoid focal loss as a shader function: see src/formulas/sigmoid_focal.ts and cpp/losses/sigmoid_focal.h. */
import type { Parameters } from '../formula.js'
import { focusing, modulated, power } from './elementary.js'
import { literal, type ShaderText } from './language.js'
import { blendedOfProbability, modulatedOfProbability } from './probability.js'

/** One formula for all labels: where invocations run side by side, labels of 0 and 1 would take their own way on top. */
export function sigmoidFocal({ gamma, softTargets }: Parameters): ShaderText {
  return softTargets === 'linear' ? linear(gamma) : mixture(gamma)
}

function mixture(gamma: number): ShaderText {
  return `${modulated('negative', gamma)}
fn finite_element(x: f32, y: f32, rest: f32, wp: f32, wn: f32) -> Element {
  let l: Logistic = logistic(x);
  return sum(negative(l, wn * rest), mirror(negative(mirrored(l), wp * y)));
}
`
}

function linear(gamma: number): ShaderText {
  const g = literal(gamma)
  return `${power('modulator', gamma)}
fn finite_element(x: f32, y: f32, rest: f32, wp: f32, wn: f32) -> Element {
  let l: Logistic = logistic(x);
  let as_negative: f32 = rest * l.s;
  let as_positive: f32 = y * l.c;
  let q: f32 = max(as_negative + as_positive, SMALLEST_NORMAL);
  let slope: f32 = as_negative - as_positive;
  let entropy: f32 = cross_entropy(l, x, y, rest);
  let variance: f32 = l.s * l.c;
  let r: f32 = (rest - y) * variance / q;
  let logs: LogParts = log_parts(q);
  let m: f32 = modulator(q, logs.exponent, logs.mantissa) * (y * wp + rest * wn);
  let bend: f32 = ${g} * r * (${literal(gamma - 1)} * r + (l.c - l.s));
  return Element(m * entropy, m * (${g} * r * entropy + slope), m * (bend * entropy + ${literal(2 * gamma)} * r * slope + variance));
}
`
}

/** The same of a probability; with `isPerClass` the gamma is that of the element's class. */
export function sigmoidFocalOfProbability({ gamma, softTargets }: Parameters, isPerClass: boolean): ShaderText {
  const ofClass = isPerClass ? null : gamma
  const { declared, passed } = focusing('', ofClass)
  const [text, soft] =
    softTargets === 'linear'
      ? [blendedOfProbability('blended', ofClass), `blended(l, y, rest, y, rest, y * wp + rest * wn${passed})`]
      : ['', `sum(negative(l, wn * rest${passed}), mirror(negative(complement_of(l), wp * y${passed})))`]
  return `${modulatedOfProbability('negative', ofClass)}${text}
fn finite_element(p: f32, y: f32, rest: f32, wp: f32, wn: f32${declared}) -> Element {
  let l: Probability = probability_at(p, y, rest);
  if (y == 0.0) {
    return negative(l, wn${passed});
  }
  if (rest == 0.0) {
    return mirror(negative(complement_of(l), wp${passed}));
  }
  return ${soft};
}
`
}
