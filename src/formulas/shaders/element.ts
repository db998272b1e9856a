/** The element-wise losses as shader functions: one text a loss, for WebGPU and, translated, for WebGL. */
import type { Parameters } from '../formula.js'
import type { NumberRange } from '../number_range.js'
import { asymmetric, asymmetricOfProbability } from './asymmetric.js'
import { elementary, focusing } from './elementary.js'
import { focalStar, focalStarOfProbability } from './focal_star.js'
import { heatmapFocal, heatmapFocalOfProbability } from './heatmap_focal.js'
import { literal, type ShaderText } from './language.js'
import { probability } from './probability.js'
import { qualityFocal, qualityFocalOfProbability } from './quality_focal.js'
import { sigmoidFocal, sigmoidFocalOfProbability } from './sigmoid_focal.js'
import { sigmoidGeneral, sigmoidGeneralOfProbability } from './sigmoid_general.js'
import { varifocal, varifocalOfProbability } from './varifocal.js'

type FormulaText = (parameters: Parameters, isPerClass: boolean) => ShaderText

/** By the number in cpp/problem.h (enum FocalLoss): `fn finite_element` of a logit, and of a probability. */
const texts: Readonly<Record<number, readonly [ofLogit: FormulaText, ofProbability: FormulaText]>> = {
  0: [sigmoidFocal, sigmoidFocalOfProbability],
  2: [focalStar, focalStarOfProbability],
  3: [qualityFocal, qualityFocalOfProbability],
  4: [varifocal, varifocalOfProbability],
  5: [heatmapFocal, heatmapFocalOfProbability],
  6: [asymmetric, asymmetricOfProbability],
  7: [sigmoidGeneral, sigmoidGeneralOfProbability],
}

/**
 * `fn element(x: f32, y: f32, rest: f32, wp: f32, wn: f32) -> Element`, with what it needs, for a loss of these parameters. `y` is
 * the target from 0 to 1, `rest` is 1 - y with all its digits, `wp` and `wn` are the weights of a positive and a negative. A NaN
 * among them gives NaN, an infinite logit its limit.
 *
 * @param code the loss's number in cpp/problem.h; that of an element-wise loss.
 * @param isPerClass whether two parameters more, `high` and `low`, are the gamma of the element's class, as `gammaParts` has it.
 */
export function elementShader(code: number, parameters: Parameters, isPerClass = false): ShaderText {
  const { declared, passed } = focusing('', isPerClass ? null : parameters.gamma)
  return `${elementary}${texts[code][0](parameters, isPerClass)}
fn element(x: f32, y: f32, rest: f32, wp: f32, wn: f32${declared}) -> Element {
  // In the tails terms would vanish whose sum does not
  let in_tail: bool = abs(x) > 8.0 && abs(x) < 1000.0;
  let lift: f32 = select(1.0, ${literal(2 ** 60)}, in_tail);
  let back: f32 = select(1.0, ${literal(2 ** -60)}, in_tail);
  let e: Element = finite_element(clamp(x, -3.0e38, 3.0e38), y, rest, wp * lift, wn * lift${passed});
  let not_number: bool = is_nan(x) || is_nan(y);
  // From a variable: constants may not be infinite
  var infinity_bits: i32 = 0x7f800000;
  let nan: f32 = not_a_number();
  let value: f32 = select(e.value * back, bitcast<f32>(infinity_bits), is_infinite(x) && e.value > 1.0e30);
  return Element(select(value, nan, not_number), select(e.grad * back, nan, not_number), select(e.hess * back, nan, not_number));
}
`
}

/**
 * The same of a probability p, with derivatives with respect to it, which go as far as the numbers of `range` reach. What is further outside of 0 to 1
 * than `tolerance` gives NaN, as a NaN does; what is below all normal numbers counts as 0.
 */
export function probabilityShader(code: number, parameters: Parameters, range: NumberRange, tolerance: number, isPerClass = false): ShaderText {
  const { declared, passed } = focusing('', isPerClass ? null : parameters.gamma)
  return `${elementary}${probability(range, tolerance)}${texts[code][1](parameters, isPerClass)}
fn element(p: f32, y: f32, rest: f32, wp: f32, wn: f32${declared}) -> Element {
  let e: Element = bounded_element(finite_element(known_probability(p), y, rest, wp, wn${passed}));
  let not_number: bool = !is_probability(p) || is_nan(y);
  let nan: f32 = not_a_number();
  return Element(select(e.value, nan, not_number), select(e.grad, nan, not_number), select(e.hess, nan, not_number));
}
`
}
