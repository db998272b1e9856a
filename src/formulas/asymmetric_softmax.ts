/** Asymmetric loss over a softmax: the row's class and the others focused apart, and label smoothing of the cross entropy alone. */
import { isUndecided, logOddsAgainst, modulatingFactor, type RowFormula, sigmoid, softplus } from './formula.js'
import { bend } from './softmax_focal.js'

/**
 * The definition, in double precision, as that of src/formulas/softmax_focal.ts: with z_c the log-odds against class c, the row's class has
 * w q^gamma nll with B = w q^gamma (gamma p nll / q + 1), and any other w p^g nll with B = w p^g (1 - g nll), where g is gammaNegative and w
 * the class's weight times its smoothed target; dL/dx_j = p_j sum_{c != j} B_c - q_j B_j.
 */
export const asymmetricSoftmax: RowFormula = {
  name: 'asymmetric-softmax',
  code: 1,
  // FOCAL_ASYMMETRIC_ROWS
  flags: 8,
  hostOnly: true,
  indicesOnly: true,
  positiveFrom: 0.5,
  perRow: true,
  row(row, weights, scratch, { gamma, gammaNegative }, hess, _gammas, target) {
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
      const [q, p, nll] = [sigmoid(odds[c]), sigmoid(-odds[c]), softplus(odds[c])]
      // A power of p by its logarithm: p may be too small for a number
      const modulated = weights[c] * (c === target ? modulatingFactor(q, gamma) : gammaNegative === 0 ? 1 : Math.exp(-gammaNegative * nll))
      if (modulated !== 0) value += modulated * nll
      // nll / q tends to 1 as q does to 0; p nll tends to 0 as p does
      const ratio = q === 0 ? 1 : p === 0 ? 0 : nll / q
      if (hess !== null) {
        if (c === target) hess[c] = q === 0 || p === 0 ? 0 : (modulated * gamma * p * (2 - nll + (gamma - 1) * p * ratio)) / q
        else hess[c] = modulated === 0 || gammaNegative === 0 ? 0 : modulated * gammaNegative * (gammaNegative * nll - 2)
      }
      if (c === target) weights[c] = modulated * (gamma * p * ratio + 1)
      else weights[c] = modulated === 0 || gammaNegative === 0 ? modulated : modulated * (1 - gammaNegative * nll)
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
  probability() {
    throw new Error('an asymmetric loss over a softmax takes logits')
  },
}
