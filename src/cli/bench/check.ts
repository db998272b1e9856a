/** Nothing is timed before it is known to compute the same: a fast wrong answer is no answer. */
import type { BenchProblem } from './cases.js'

/** What a contestant made of a problem. */
export interface Outcome {
  readonly sum: number
  /** `null` where only the forward pass is computed. */
  readonly grad: ArrayLike<number> | null
}

/**
 * Room for float32 sums over 16 million terms in any order. Accuracy itself is tested elsewhere, this only tells whether
 * the same problem was solved.
 */
export const TOLERANCE = 1e-5

/** The problem in double precision by the plain TypeScript of the js backend. */
export function referenceOf({ case: benchCase, logits, targets }: BenchProblem): Outcome {
  const { value, grad } = benchCase.make('js').valueAndGrad(new Float64Array(logits), targets)
  return { sum: value, grad }
}

/** Throws where the sum is off by more than `tolerance` of itself, or a gradient by more than that of the largest. */
export function expectEqual(who: string, actual: Outcome, exact: Outcome, tolerance = TOLERANCE): void {
  const sumError = Math.abs(actual.sum - exact.sum) / Math.abs(exact.sum)
  // Written so that NaN fails
  if (!(sumError <= tolerance)) {
    throw new Error(`${who} gives the sum ${actual.sum}; expected ${exact.sum} to within ${tolerance} of itself`)
  }
  if (actual.grad === null || exact.grad === null) return
  if (actual.grad.length !== exact.grad.length) {
    throw new Error(`${who} gives ${actual.grad.length} gradients; expected ${exact.grad.length}`)
  }
  const { length } = exact.grad
  let largest = 0
  for (let i = 0; i < length; i++) largest = Math.max(largest, Math.abs(exact.grad[i]))
  for (let i = 0; i < length; i++) {
    if (!(Math.abs(actual.grad[i] - exact.grad[i]) <= tolerance * largest)) {
      throw new Error(
        `${who} gives grad[${i}] = ${actual.grad[i]}; expected ${exact.grad[i]} to within ${tolerance} of the largest, ${largest}`,
      )
    }
  }
}
