/** What a loss is to the backends: its number in cpp/problem.h, and its formula in plain TypeScript. */
import type { SoftTargets } from '../options.js'

/** Value, first and second derivative of one element, with respect to its logit. */
export interface Derivatives {
  value: number
  grad: number
  hess: number
}

/** The constants of a formula. */
export interface FormulaOptions {
  readonly gamma: number
  readonly softTargets: SoftTargets
}

/** A loss whose elements know nothing of each other. */
export interface ElementFormula {
  /** As in reports: 'sigmoid'. */
  readonly name: string
  readonly code: 0
  readonly perRow: false
  /** Writes the loss of one logit `x` with target `y` in [0, 1] to `to`. The weights of positive and negative are >= 0. */
  element(x: number, y: number, positive: number, negative: number, options: FormulaOptions, to: Derivatives): void
}

/** A loss whose rows are one choice between classes. */
export interface RowFormula {
  /** As in reports: 'softmax'. */
  readonly name: string
  readonly code: 1
  readonly perRow: true
  /**
   * Returns the loss of one row. On entry `row` holds the logits, on return the gradient. `weights[c]` is the class's
   * weight times its target. All three arrays have one entry a class, and all are overwritten.
   */
  row(row: Float64Array, weights: Float64Array, scratch: Float64Array, options: FormulaOptions): number
}

export type Formula = ElementFormula | RowFormula

/** 1 / (1 + e^-x), without overflow and without cancellation for very negative x. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x))
  const e = Math.exp(x)
  return e / (1 + e)
}

/** log(1 + e^x), exact to rounding at both ends. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
}

/** Writes z_c = log(others_c) - x_c, the log-odds against class c, to `odds`. The others are summed from both ends, not subtracted from the total. */
export function logOddsAgainst(row: Float64Array, odds: Float64Array): void {
  const top = row.reduce((a, b) => Math.max(a, b), -Infinity)
  // The top may be infinite, and Infinity - Infinity is no difference
  const below = (x: number) => (x === top ? 0 : x - top)
  let before = 0
  for (let c = 0; c < row.length; c++) {
    odds[c] = before
    before += Math.exp(below(row[c]))
  }
  let after = 0
  for (let c = row.length - 1; c >= 0; c--) {
    const others = odds[c] + after
    after += Math.exp(below(row[c]))
    odds[c] = Math.log(others) - below(row[c])
  }
}
