/** The sigmoid focal loss with gamma per class, or a smoothed cross entropy, as a shader function: see src/formulas/sigmoid_general.ts and cpp/losses/sigmoid_general.h. */
import type { Parameters } from '../formula.js'
import { focusing } from './elementary.js'
import { literal, type ShaderText } from './language.js'
import { blendedOfProbability } from './probability.js'
import { sigmoidFocalOfProbability } from './sigmoid_focal.js'

export function sigmoidGeneral({ gamma, beta }: Parameters, isPerClass: boolean): ShaderText {
  const { text, declared, passed, gamma: g, lessOne } = focusing('modulator', isPerClass ? null : gamma)
  return `${text}
fn finite_element(x: f32, y: f32, rest: f32, wp: f32, wn: f32${declared}) -> Element {
  let l: Logistic = logistic(x);
  let q: f32 = rest * l.s + y * l.c;
  let at: f32 = max(q, SMALLEST_NORMAL);
  let logs: LogParts = log_parts(at);
  let m: f32 = modulator(q, logs.exponent, logs.mantissa${passed}) * (y * wp + rest * wn);
  // Less than nothing is left of an infinite cross entropy
  if (m == 0.0 || (q == 0.0 && ${g} > 0.0)) {
    return Element(0.0, 0.0, 0.0);
  }
  let smooth_y: f32 = ${smoothed('y', beta)};
  let smooth_rest: f32 = ${smoothed('rest', beta)};
  let entropy: f32 = cross_entropy(l, x, smooth_y, smooth_rest);
  let slope: f32 = smooth_rest * l.s - smooth_y * l.c;
  let variance: f32 = l.s * l.c;
  // q' / q, without a quotient of what may vanish
  let r: f32 = select(select((rest - y) * variance / at, -l.s, rest == 0.0), l.c, y == 0.0);
  let pull: f32 = ${g} * r;
  let bend: f32 = pull * (${lessOne} * r + (l.c - l.s));
  return Element(m * entropy, m * (pull * entropy + slope), m * (bend * entropy + (2.0 * pull * slope + variance)));
}
`
}

/** The same of a probability. Of a label that is right for certain the factor vanishes, as fast as gamma says, and the smoothed cross entropy is infinite. */
export function sigmoidGeneralOfProbability(parameters: Parameters, isPerClass: boolean): ShaderText {
  const { gamma, beta } = parameters
  if (beta === 0) return sigmoidFocalOfProbability(parameters, isPerClass)
  const ofClass = isPerClass ? null : gamma
  const { declared, passed, gamma: g } = focusing('', ofClass)
  return `${blendedOfProbability('blended', ofClass)}
fn finite_element(p: f32, y: f32, rest: f32, wp: f32, wn: f32${declared}) -> Element {
  let l: Probability = probability_at(p, y, rest);
  let e: Element = blended(l, y, rest, ${smoothed('y', beta)}, ${smoothed('rest', beta)}, y * wp + rest * wn${passed});
  let is_right: bool = rest * l.s + y * l.c == 0.0;
  return Element(select(e.value, 0.0, is_right && ${g} > 0.0), select(e.grad, 0.0, is_right && ${g} > 1.0), select(e.hess, 0.0, is_right && ${g} > 2.0));
}
`
}

function smoothed(y: string, beta: number): ShaderText {
  return beta === 0 ? y : `${y} * ${literal(1 - beta)} + ${literal(beta / 2)}`
}
