/** Where the arrays of a call lie in the memory of the WebAssembly module. */
import type { NumericArray } from '../../arrays/numeric_array.js'
import type { Problem } from '../../problem/problem.js'
import type { ProblemBytes } from '../layout.js'

/** Enough for any vector load. */
const ALIGNMENT = 16

/** What the arrays of a call need at most. */
export function bytesOf(problem: Problem): number {
  const { loss, logits, targets, weights, mask, values, grad, hess } = problem
  const { classPositive, classNegative } = loss
  let bytes = 9 * ALIGNMENT + logits.byteLength + targets.byteLength
  if (weights !== null) bytes += weights.byteLength
  if (mask !== null) bytes += mask.byteLength
  if (classPositive !== null) bytes += classPositive.byteLength
  if (classNegative !== null) bytes += classNegative.byteLength
  if (values !== null) bytes += values.byteLength
  if (grad !== null && !sharesLogits(problem)) bytes += grad.byteLength
  if (hess !== null) bytes += hess.byteLength
  return bytes
}

/** Whether the gradient may be written over the copy of the logits: it is of their type. */
export function sharesLogits({ dtype, gradDtype }: Problem): boolean {
  return gradDtype === dtype
}

/** Makes a problem point to an array's address and returns the one behind it. */
export function point(problem: ProblemBytes, slot: number, array: NumericArray | null, at: number): number {
  problem.integers[slot / 4] = array === null ? 0 : at
  return array === null ? at : at + Math.ceil(array.byteLength / ALIGNMENT) * ALIGNMENT
}
