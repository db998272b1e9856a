/** A fingerprint of data, independent of its order and chunks. */
import { firstOf, isValid, targetOf } from '../../problem/positions.js'
import type { Problem } from '../../problem/problem.js'
import { keyOf } from './keys.js'
import { logitOf, weightOf } from './numbers.js'

/** The sum, modulo 2^32, of what logit, label and class are hashed to; of data in parts the parts' sum. */
export function fingerprintOf(problem: Problem): number {
  const { outer, classes, inner, positiveFrom } = problem
  let sum = 0
  for (let r = 0; r < outer * inner; r++) {
    const first = firstOf(problem, r)
    for (let c = 0; c < classes; c++) {
      const k = first + c * inner
      if (weightOf(problem, r, k) === 0 || !isValid(problem, r, k)) continue
      const label = targetOf(problem, r, k, c) >= positiveFrom ? 1 : 0
      const mixed = Math.imul(keyOf(logitOf(problem, k)) ^ Math.imul(2 * c + label, 0x85ebca6b), 0x9e3779b1)
      sum = (sum + Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35)) >>> 0
    }
  }
  return sum
}
