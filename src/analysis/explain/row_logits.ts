/** Rows of a softmax as examples of one logit each. */
import { logOddsAgainst } from '../../formulas/formula.js'
import { classesLeft, firstOf, hasClass } from '../../problem/positions.js'
import type { Problem } from '../../problem/problem.js'
import { inDouble } from '../in_full.js'
import { blocksOf } from './blocks.js'
import { binOf } from './examples.js'

/** Of a backend's double precision, with room to spare. */
const ROUNDING = 1e-9

/**
 * The log-odds of the true class of each row whose target is one, `log(p_t / (1 - p_t))`, from the cross entropy that a backend computes. What other rows
 * get is of no use.
 *
 * @param edges of the bins of p_t, on whose right side a row is to be.
 * @param run computes a problem on a backend. Throws what it throws: for an invalid target.
 */
export function rowLogits(whole: Problem, edges: readonly number[], run: (problem: Problem) => unknown): Float64Array {
  const { loss, outer, classes, inner, logits, targets } = whole
  const crossEntropy = { ...loss, gamma: 0, positiveWeight: 1, negativeWeight: 1 }
  const odds = new Float64Array(outer * inner)
  let from = 0
  for (const block of blocksOf(whole)) {
    const values = odds.subarray(from, (from += block.outer * block.inner))
    run({ ...inDouble(block), loss: crossEntropy, values })
  }
  const [row, against] = [new Float64Array(classes), new Float64Array(classes)]
  for (let r = 0; r < odds.length; r++) {
    const p = Math.exp(-odds[r])
    // 1 - p is no difference
    odds[r] = -odds[r] - Math.log(-Math.expm1(-odds[r]))
    // Where rounding decides on a bin, as equal logits have a p_t of 1/2 or 1/10
    if (binOf(edges, p * (1 - ROUNDING)) === binOf(edges, p * (1 + ROUNDING)) || !hasClass(whole, r) || classesLeft(whole, r) === 0) continue
    for (let c = 0, k = firstOf(whole, r); c < classes; c++, k += inner) row[c] = logits[k]
    logOddsAgainst(row, against)
    odds[r] = -against[targets[r]]
  }
  return odds
}
