/** The varifocal loss as a shader function: see src/formulas/varifocal.ts and cpp/losses/varifocal.h. */
import type { Parameters } from '../formula.js'
import { modulated } from './elementary.js'
import type { ShaderText } from './language.js'
import { modulatedOfProbability } from './probability.js'

export function varifocal({ gamma, constantModulator }: Parameters): ShaderText {
  return `${modulated('negative', gamma, constantModulator ? 0 : gamma)}
fn finite_element(x: f32, y: f32, rest: f32, wp: f32, wn: f32) -> Element {
  let l: Logistic = logistic(x);
  if (y == 0.0) {
    return negative(l, wn);
  }
  let w: f32 = y * wp;
  return Element(w * cross_entropy(l, x, y, rest), w * (rest * l.s - y * l.c), w * l.s * l.c);
}
`
}

/** The same of a probability. */
export function varifocalOfProbability({ gamma, constantModulator }: Parameters): ShaderText {
  return `${modulatedOfProbability('negative', gamma, constantModulator ? 0 : gamma)}
fn finite_element(p: f32, y: f32, rest: f32, wp: f32, wn: f32) -> Element {
  let l: Probability = probability_at(p, y, rest);
  if (y == 0.0) {
    return negative(l, wn);
  }
  return cross_entropy_of(l, y, rest, y * wp);
}
`
}
