/** Softmax focal loss: every row is one choice between classes. */
import { isUndecided, logOddsAgainst, modulatingFactor, type RowFormula, sigmoid, softplus } from './formula.js'
import { probabilityAsPositive } from './probability.js'

/**
 * The definition, in double precision. With z_c = log(others_c) - x_c, where others_c sums every exponential of the row
 * but e_c, p_c = sigmoid(-z_c) and 1 - p_c = sigmoid(z_c): nothing is ever subtracted from 1.
 *
 * With B_c = w_c q_c^gamma (gamma p_c nll_c / q_c + 1), q_c = 1 - p_c, nll_c = -log p_c and w_c the class's weight times
 * its target, the gradient is dL/dx_j = p_j sum_{c != j} B_c - q_j B_j. With D_c = -q_c dB_c/d(log p_c) =
 * w_c q_c^gamma gamma p_c (2 - nll_c + (gamma - 1) p_c nll_c / q_c) the second derivative is
 * d2L/dx_j2 = q_j D_j + p_j (p_j sum_{c != j} D_c / q_c + q_j sum_c B_c).
 */
export const softmaxFocal: RowFormula = {
  name: 'softmax',
  code: 1,
  positiveFrom: 0.5,
  perRow: true,
  row(row, weights, scratch, parameters, hess, gammas) {
    if (isUndecided(row)) {
      row.fill(NaN)
      hess?.fill(NaN)
      return NaN
    }
    const odds = scratch
    logOddsAgainst(row, odds)
    let value = 0
    let before = 0
    for (let c = 0; c < row.length; c++) {
      const gamma = gammas === null ? parameters.gamma : gammas[c]
      const q = sigmoid(odds[c])
      const p = sigmoid(-odds[c])
      const nll = softplus(odds[c])
      const modulated = weights[c] * modulatingFactor(q, gamma)
      // nll / q tends to 1 as q does to 0; p nll tends to 0 as p does
      const ratio = q === 0 ? 1 : p === 0 ? 0 : nll / q
      if (modulated !== 0) value += modulated * nll
      // Over q, of which there may be none
      if (hess !== null) hess[c] = q === 0 || p === 0 ? 0 : (modulated * gamma * p * (2 - nll + (gamma - 1) * p * ratio)) / q
      weights[c] = modulated * (gamma * p * ratio + 1)
      row[c] = before
      before += weights[c]
    }
    if (hess !== null) bend(hess, odds, before)
    let after = 0
    for (let j = row.length - 1; j >= 0; j--) {
      row[j] = sigmoid(-odds[j]) * (row[j] + after) - sigmoid(odds[j]) * weights[j]
      after += weights[j]
    }
    return value
  },
  // 1 - p is taken from p itself, as every class's p is a variable of its own here
  probability(p, y, positive, _, { gamma }, to) {
    probabilityAsPositive(p, 1 - p, y * positive, gamma, to)
  },
}

/** Replaces D_c / q_c by the second derivatives; `pulls` is the sum of all B. Sums leave a class out: they are no differences. */
export function bend(hess: Float64Array, odds: Float64Array, pulls: number): void {
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
