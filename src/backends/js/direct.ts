/**
 * The most frequent calls without what costs as much as the loss itself: focal losses of logits that nothing but alpha weighs and
 * no mask thins out. A loop so short that V8 compiles the loss into it; a call through the formula would put every number into an
 * object of its own. Results have the same bits as those of rows.ts.
 */
import { asNegative, type Derivatives, type ElementFormula } from '../../formulas/formula.js'
import { firstOf, targetOf } from '../../problem/positions.js'
import type { Problem } from '../../problem/problem.js'

/** Computes rows `begin` to `end - 1`, and returns what `sum` has become. */
export function computeDirect(problem: Problem, formula: ElementFormula, begin: number, end: number, divisor: number, sum: number): number {
  const { loss, logits, targets, background, classes, inner, values, grad, hess, gradScale } = problem
  const { gamma, positiveWeight, negativeWeight } = loss
  const isIndexed = problem.targetsKind === 'class-index'
  const valueDivisor = Number.isNaN(problem.normalizer) ? 1 : problem.normalizer
  const result: Derivatives = { value: 0, grad: 0, hess: 0 }
  for (let r = begin; r < end; r++) {
    const hot = isIndexed && targets[r] !== background ? targets[r] : NaN
    for (let c = 0, k = firstOf(problem, r); c < classes; c++, k += inner) {
      const x = logits[k]
      const positive = isIndexed ? c === hot : targets[k] === 1
      if (isIndexed || positive || targets[k] === 0) {
        // A positive is a negative seen in the mirror
        asNegative(positive ? -x : x, positive ? positiveWeight : negativeWeight, gamma, result)
        if (positive) result.grad = -result.grad
      } else {
        formula.element(x, targetOf(problem, r, k, c), positiveWeight, negativeWeight, loss, result)
      }
      sum += result.value
      if (values !== null) values[k] = result.value / valueDivisor
      if (grad !== null) grad[k] = (result.grad / divisor) * gradScale
      if (hess !== null) hess[k] = Math.max(problem.leastHess, result.hess / divisor) * gradScale
    }
  }
  return sum
}
