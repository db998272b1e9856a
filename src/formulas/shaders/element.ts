/** The element-wise losses as shader functions: one text a loss, for WebGPU and, translated, for WebGL. */
import type { Parameters } from '../formula.js'
import { asymmetric } from './asymmetric.js'
import { elementary, focusing } from './elementary.js'
import { focalStar } from './focal_star.js'
import { heatmapFocal } from './heatmap_focal.js'
import { literal, type ShaderText } from './language.js'
import { qualityFocal } from './quality_focal.js'
import { sigmoidFocal } from './sigmoid_focal.js'
import { sigmoidGeneral } from './sigmoid_general.js'
import { varifocal } from './varifocal.js'

/** By the number in cpp/problem.h (enum FocalLoss). */
const texts: Readonly<Record<number, (parameters: Parameters, isPerClass: boolean) => ShaderText>> = {
  0: sigmoidFocal,
  2: focalStar,
  3: qualityFocal,
  4: varifocal,
  5: heatmapFocal,
  6: asymmetric,
  7: sigmoidGeneral,
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
  return `${elementary}${texts[code](parameters, isPerClass)}
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
