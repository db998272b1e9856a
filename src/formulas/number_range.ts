/** Losses of probabilities at the two ends of [0, 1], and how far derivatives reach: what `inputs` promises. */
import type { Derivatives, Formula, Parameters } from './formula.js'

/** Of an array's type: its smallest normal number, its largest below 1, and its largest of all. */
export interface NumberRange {
  readonly least: number
  readonly belowOne: number
  readonly largest: number
}

const float32: NumberRange = { least: 2 ** -126, belowOne: 1 - 2 ** -24, largest: (2 - 2 ** -23) * 2 ** 127 }

/** By the numbers of cpp/problem.h (enum FocalDtype). */
const ranges: Readonly<Record<number, NumberRange>> = {
  1: { least: 2 ** -1022, belowOne: 1 - 2 ** -53, largest: Number.MAX_VALUE },
  8: { least: 2 ** -14, belowOne: 1 - 2 ** -11, largest: 65504 },
  9: { least: 2 ** -126, belowOne: 1 - 2 ** -8, largest: (2 - 2 ** -7) * 2 ** 127 },
}

export function rangeOf(dtype: number): NumberRange {
  return ranges[dtype] ?? float32
}

/**
 * How far outside of [0, 1] rounding may leave a label or a probability of an array's type, which then counts as 0 or 1: 1e-6, in half
 * precision two units in the last place of 1.
 */
export function toleranceOf(dtype: number): number {
  return dtype === 8 ? 2 ** -9 : dtype === 9 ? 2 ** -6 : 1e-6
}

/** The same of the sum of a row of probabilities. */
export function sumToleranceOf(dtype: number): number {
  return Math.max(1e-3, toleranceOf(dtype))
}

/** Whether a number is outside of [0, 1] by more than rounding; NaN is not. */
export function isFarOutside(x: number, tolerance: number): boolean {
  return x < -tolerance || x - 1 > tolerance
}

/** 0 or 1 for what is beyond; NaN comes through. */
export function clamp(x: number): number {
  return x < 0 ? 0 : x > 1 ? 1 : x
}

/** A derivative, as far as the arrays' type reaches. */
export function within({ largest }: NumberRange, derivative: number): number {
  return Math.max(-largest, Math.min(largest, derivative))
}

/**
 * As {@link Formula}'s `probability`, but finite: where p is 0 or 1, what is not finite there is what it is at the nearest
 * probability inside.
 */
export function finiteProbability(
  formula: Formula,
  range: NumberRange,
  p: number,
  y: number,
  positive: number,
  negative: number,
  parameters: Parameters,
  to: Derivatives,
): void {
  formula.probability(p, y, positive, negative, parameters, to)
  if (p !== 0 && p !== 1) return
  const { value, grad, hess } = to
  if (Number.isFinite(value) && Number.isFinite(grad) && Number.isFinite(hess)) return
  formula.probability(p === 0 ? range.least : range.belowOne, y, positive, negative, parameters, to)
  if (Number.isFinite(value)) to.value = value
  if (Number.isFinite(grad)) to.grad = grad
  if (Number.isFinite(hess)) to.hess = hess
}
