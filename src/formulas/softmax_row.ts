/** Shared by losses over a softmax: from the terms of the classes to the row's loss, gradient and Hessian diagonal. */
import { isUndecided, logOddsAgainst, modulatingFactor, sigmoid, softplus } from './formula.js'

/** A class's part of a row's loss. p is its probability, and nll is -log p. */
interface ClassTerm {
  value: number
  /** B = -d value / d log p. */
  pull: number
  /** -dB / d log p. */
  bend: number
}

/** Writes the term of class `c`, whose weight times target is `weight`, and 1 - p is `q`. */
type TermOf = (c: number, weight: number, p: number, q: number, nll: number, to: ClassTerm) => void

/**
 * The loss of a row. On entry `row` holds the logits and `weights[c]` a class's weight times its target; on return `row` holds the gradient and
 * `hess` the diagonal of the Hessian. With z_c = log(others_c) - x_c, where others_c sums every exponential of the row but e_c, p_c = sigmoid(-z_c)
 * and q_c = 1 - p_c = sigmoid(z_c): nothing is ever subtracted from 1. With B_c and D_c the pull and the bend of class c
 * dL/dx_j = p_j sum_{c != j} B_c - q_j B_j and d2L/dx_j2 = q_j^2 D_j + p_j (p_j sum_{c != j} D_c + q_j sum_c B_c).
 */
export function softmaxRow(row: Float64Array, weights: Float64Array, odds: Float64Array, hess: Float64Array | null, termOf: TermOf): number {
  if (isUndecided(row)) {
    row.fill(NaN)
    hess?.fill(NaN)
    return NaN
  }
  logOddsAgainst(row, odds)
  const term = { value: 0, pull: 0, bend: 0 }
  let value = 0
  let before = 0
  for (let c = 0; c < row.length; c++) {
    termOf(c, weights[c], sigmoid(-odds[c]), sigmoid(odds[c]), softplus(odds[c]), term)
    value += term.value
    weights[c] = term.pull
    if (hess !== null) hess[c] = term.bend
    row[c] = before
    before += term.pull
  }
  if (hess !== null) hessOfBends(hess, odds, before)
  let after = 0
  for (let j = row.length - 1; j >= 0; j--) {
    row[j] = sigmoid(-odds[j]) * (row[j] + after) - sigmoid(odds[j]) * weights[j]
    after += weights[j]
  }
  return value
}

/** Replaces the bends by the second derivatives; `pulls` is the sum of all B. Sums leave a class out: they are no differences. */
function hessOfBends(hess: Float64Array, odds: Float64Array, pulls: number): void {
  const own = hess.slice()
  let before = 0
  for (let c = 0; c < hess.length; c++) {
    hess[c] = before
    before += own[c]
  }
  let after = 0
  for (let j = hess.length - 1; j >= 0; j--) {
    const p = sigmoid(-odds[j])
    const q = sigmoid(odds[j])
    hess[j] = q * q * own[j] + p * (p * (hess[j] + after) + q * pulls)
    after += own[j]
  }
}

/** `weight q^gamma nll`: B = weight q^gamma (gamma p nll / q + 1) and D = weight q^gamma gamma p (2 - nll + (gamma - 1) p nll / q) / q. */
export function focusedByComplement(gamma: number, weight: number, p: number, q: number, nll: number, to: ClassTerm): void {
  const modulated = weight * modulatingFactor(q, gamma)
  // nll / q tends to 1 as q does to 0; p nll tends to 0 as p does
  const ratio = q === 0 ? 1 : p === 0 ? 0 : nll / q
  to.value = modulated === 0 ? 0 : modulated * nll
  to.pull = modulated * (gamma * p * ratio + 1)
  to.bend = q === 0 || p === 0 ? 0 : (modulated * gamma * p * (2 - nll + (gamma - 1) * p * ratio)) / q
}

/** `weight p^gamma nll`: B = weight p^gamma (1 - gamma nll) and D = weight p^gamma gamma (gamma nll - 2). */
export function focusedByProbability(gamma: number, weight: number, nll: number, to: ClassTerm): void {
  // A power of p by its logarithm: p may be too small for a number
  const modulated = weight * (gamma === 0 ? 1 : Math.exp(-gamma * nll))
  const isConstant = modulated === 0 || gamma === 0
  to.value = modulated === 0 ? 0 : modulated * nll
  to.pull = isConstant ? modulated : modulated * (1 - gamma * nll)
  to.bend = isConstant ? 0 : modulated * gamma * (gamma * nll - 2)
}
