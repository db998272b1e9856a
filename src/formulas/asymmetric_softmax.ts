/** Asymmetric loss over a softmax: separate focusing parameters for the true class and the others, and label smoothing of the cross entropy only. */
import type { RowFormula } from './formula.js'
import { focusedByComplement, focusedByProbability, softmaxRow } from './softmax_row.js'

/**
 * The definition, in double precision: `w_t (1 - p_t)^gamma (-log p_t)` of the row's class t, and `w_c p_c^gammaNegative (-log p_c)` of any
 * other class c, w_c the class's weight times its smoothed target.
 */
export const asymmetricSoftmax: RowFormula = {
  name: 'asymmetric-softmax',
  code: 1,
  // FOCAL_ASYMMETRIC_ROWS
  flags: 8,
  indicesOnly: true,
  positiveFrom: 0.5,
  perRow: true,
  row(row, weights, odds, { gamma, gammaNegative }, hess, _gammas, target) {
    return softmaxRow(row, weights, odds, hess, (c, weight, p, q, nll, to) => {
      if (c === target) focusedByComplement(gamma, weight, p, q, nll, to)
      else focusedByProbability(gammaNegative, weight, nll, to)
    })
  },
  probability() {
    throw new Error('an asymmetric loss over a softmax takes logits')
  },
}
