/** The heatmap focal loss as a shader function: see src/formulas/heatmap_focal.ts and cpp/losses/heatmap_focal.h. */
import type { Parameters } from '../formula.js'
import { modulated, power } from './elementary.js'
import type { ShaderText } from './language.js'

export function heatmapFocal({ gamma, beta }: Parameters): ShaderText {
  return `${modulated('negative', gamma)}${power('fading', beta)}
fn finite_element(x: f32, y: f32, rest: f32, wp: f32, wn: f32) -> Element {
  if (rest <= 0.0) {
    return mirror(negative(logistic(-x), wp));
  }
  let beside: f32 = max(rest, SMALLEST_NORMAL);
  let logs: LogParts = log_parts(beside);
  return negative(logistic(x), fading(beside, logs.exponent, logs.mantissa) * wn);
}
`
}
