/** The heatmap focal loss as a shader function: see src/formulas/heatmap_focal.ts and cpp/losses/heatmap_focal.h. */
import type { Parameters } from '../formula.js'
import { modulated, power } from './elementary.js'
import type { ShaderText } from './language.js'
import { modulatedOfProbability } from './probability.js'

export function heatmapFocal({ gamma, beta }: Parameters): ShaderText {
  return `${modulated('negative', gamma)}${fading(beta)}
fn finite_element(x: f32, y: f32, rest: f32, wp: f32, wn: f32) -> Element {
  if (rest <= 0.0) {
    return mirror(negative(logistic(-x), wp));
  }
  return negative(logistic(x), fading_beside(rest) * wn);
}
`
}

/** The same of a probability. */
export function heatmapFocalOfProbability({ gamma, beta }: Parameters): ShaderText {
  return `${modulatedOfProbability('negative', gamma)}${fading(beta)}
fn finite_element(p: f32, y: f32, rest: f32, wp: f32, wn: f32) -> Element {
  let l: Probability = probability_of(p, 1.0 - p);
  if (rest <= 0.0) {
    return mirror(negative(complement_of(l), wp));
  }
  return negative(l, fading_beside(rest) * wn);
}
`
}

/** What a negative weighs beside a peak, by 1 minus its label. */
function fading(beta: number): ShaderText {
  return `${power('fading', beta)}
fn fading_beside(rest: f32) -> f32 {
  let beside: f32 = max(rest, SMALLEST_NORMAL);
  let logs: LogParts = log_parts(beside);
  return fading(beside, logs.exponent, logs.mantissa);
}
`
}
