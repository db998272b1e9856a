/** The numerics contract: how far a result may be from the exact one, and how far it is. */
import type { Precision } from './losses.js'

/** The powers that need no logarithm. */
const cheapPowers = [0, 0.5, 1, 1.5, 2, 3, 4, 5]

/** Below this, in absolute terms, an error does not matter: results that are no normal float32. */
const TINY = 1e-37

/** The largest error that the contract allows a loss of these powers, relative to the exact result or to the terms it is made of. */
export function allowed(precision: Precision, output: 'value' | 'grad' | 'hess', ...powers: readonly number[]): number {
  if (precision === 'float64') return 1e-12
  if (output === 'hess') return 2e-5
  return powers.every((power) => cheapPowers.includes(power)) ? 2e-6 : 8e-6
}

/**
 * The largest relative error, to `terms` where given (the size of what an exact result that may pass through zero is
 * made of), else to the exact results themselves. Infinity where one is NaN and the other not, or lengths differ.
 */
export function largestError(actual: ArrayLike<number>, exact: ArrayLike<number>, terms: ArrayLike<number> = exact): number {
  if (actual.length !== exact.length) return Infinity
  let largest = 0
  for (let i = 0; i < exact.length; i++) {
    const error = errorOf(actual[i], exact[i], terms[i])
    if (error > largest) largest = error
  }
  return largest
}

function errorOf(actual: number, exact: number, term: number): number {
  if (Object.is(actual, exact) || actual === exact) return 0
  const absolute = Math.abs(actual - exact)
  if (absolute <= TINY) return 0
  // Infinite logits have terms that are no numbers
  const relative = absolute / Math.abs(Number.isFinite(term) ? term : exact)
  return Number.isNaN(relative) ? Infinity : relative
}
