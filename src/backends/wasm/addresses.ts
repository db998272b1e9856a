/** Where the arrays of a call lie in the memory of the WebAssembly module. */
import { byteLengthOf } from '../../arrays/intrinsics.js'
import type { NumericArray } from '../../arrays/numeric_array.js'
import type { Problem } from '../../problem/problem.js'
import type { ProblemBytes } from '../layout.js'

/** Enough for any vector load. */
const ALIGNMENT = 16

/** What the arrays of a call need at most. */
export function bytesOf(problem: Problem): number {
  const { loss, logits, targets, weights, mask, values, grad, hess } = problem
  const { classTable, classNegative } = loss
  let bytes = 9 * ALIGNMENT + byteLengthOf(logits) + byteLengthOf(targets)
  if (weights !== null) bytes += byteLengthOf(weights)
  if (mask !== null) bytes += byteLengthOf(mask)
  if (classTable !== null) bytes += byteLengthOf(classTable)
  if (classNegative !== null) bytes += byteLengthOf(classNegative)
  if (values !== null) bytes += byteLengthOf(values)
  if (grad !== null && !sharesLogits(problem)) bytes += byteLengthOf(grad)
  if (hess !== null) bytes += byteLengthOf(hess)
  return bytes
}

/** Whether the gradient may be written over the copy of the logits: it is of their type. */
export function sharesLogits({ dtype, gradDtype }: Problem): boolean {
  return gradDtype === dtype
}

/** Makes a problem point to an array's address and returns the one behind it. */
export function point(problem: ProblemBytes, slot: number, array: NumericArray | null, at: number): number {
  problem.integers[slot / 4] = array === null ? 0 : at
  if (array === null) return at
  const end = at + byteLengthOf(array)
  return end + ((ALIGNMENT - (end % ALIGNMENT)) % ALIGNMENT)
}
