/** Softmax focal loss: each row belongs to one of several classes. */
import type { RowFormula } from './formula.js'
import { probabilityAsPositive } from './probability.js'
import { focusedByComplement, softmaxRow } from './softmax_row.js'

/** The definition, in double precision: `sum_c w_c (1 - p_c)^gamma (-log p_c)`, w_c the class's weight times its target. */
export const softmaxFocal: RowFormula = {
  name: 'softmax',
  code: 1,
  positiveFrom: 0.5,
  perRow: true,
  row(row, weights, odds, { gamma }, hess, gammas) {
    return softmaxRow(row, weights, odds, hess, (c, weight, p, q, nll, to) => focusedByComplement(gammas === null ? gamma : gammas[c], weight, p, q, nll, to))
  },
  // 1 - p is taken from p itself, as every class's p is a variable of its own here
  probability(p, y, positive, _, { gamma }, to) {
    probabilityAsPositive(p, 1 - p, y * positive, gamma, to)
  },
}
