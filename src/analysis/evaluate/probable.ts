/** Whether logits may be probabilities, passed as logits by mistake. */

/** What is said where all are from 0 to 1. */
export const MAY_BE_PROBABILITIES = "all logits are from 0 to 1: if they are probabilities, set inputs: 'probabilities' in the loss's options"

/** Logits usually have a number outside near their beginning, and nothing after it is read. */
export function areFrom0To1(logits: ArrayLike<number>): boolean {
  for (let k = 0; k < logits.length; k++) if (!(logits[k] >= 0 && logits[k] <= 1)) return false
  return true
}
