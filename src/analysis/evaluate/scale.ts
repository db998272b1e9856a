/** From a logit to the probability, its complement and their logarithms, each with full precision. */
import { sigmoid, softplus } from '../../formulas/formula.js'
import type { ElementFormula } from '../../formulas/formula.js'
import type { LossConstants } from '../../problem/constants.js'
import { posteriorOfLogit } from '../posterior.js'

/** A logit as a probability. */
export interface Score {
  p: number
  /** -log p */
  costOfPositive: number
  /** -log(1 - p) */
  costOfNegative: number
  /** log(p / (1 - p)), by which scores are in order where p has been rounded to 1. */
  odds: number
}

/** Writes the score of logit `x` of class `c` to `to`; monotone in x. */
export type Scale = (x: number, c: number, to: Score) => void

/** The model's own probability, `sigmoid(x)`. */
export const rawScale: Scale = (x, _, to) => {
  to.p = sigmoid(x)
  to.costOfPositive = softplus(-x)
  to.costOfNegative = softplus(x)
  to.odds = x
}

/** What `toProbability` of an element-wise loss gives. */
export function recalibratedScale(loss: LossConstants, formula: ElementFormula): Scale {
  return (x, c, to) => {
    to.p = posteriorOfLogit(loss, formula, x, c)
    to.costOfPositive = -Math.log(to.p)
    to.costOfNegative = -Math.log(posteriorOfLogit(loss, formula, x, c, 0))
    to.odds = to.costOfNegative - to.costOfPositive
  }
}

/** The model's own, of logits that are divided by a temperature: one, or one for each class. */
export function temperedScale(temperature: readonly number[]): Scale {
  return (x, c, to) => {
    rawScale(x / temperature[temperature.length === 1 ? 0 : c], c, to)
  }
}
