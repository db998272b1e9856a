/** The bytes that a call of an addon shares with it, and what is wrong where the addon says so: for native and cuda. */
import type { NumericArray } from '../../arrays/numeric_array.js'
import { type AnyProblem, checkOverlaps, type Sums } from '../../problem/problem.js'
import { offsets, PROBLEM_BYTES, type ProblemBytes, problemBytes, readResult, RESULT_BYTES } from '../layout.js'

/** Memory of a device. The garbage collector frees it if it was not freed before. */
export interface Memory {
  readonly address: bigint
  /** Another library's array, whose memory this is: not to be collected before this. */
  owner?: object
  /** As often as one likes. */
  free(): void
}

/** An array as an addon takes it: the host's, or the cuda addon's own. */
export type AddonArray = NumericArray | Memory

/** The bytes of a call: FocalProblem, FocalResult, FocalStatus, and a flag that cancels it. */
export const CALL_BYTES = PROBLEM_BYTES + RESULT_BYTES + 8

/** Where an output lies in the memory of another array, the addon runs nothing and leaves this status. */
const OVERLAP = -1

/** A call's bytes. The flags are the status, and what cancels. */
export interface CallViews {
  readonly bytes: ProblemBytes
  readonly result: Float64Array
  readonly flags: Int32Array
}

export function viewsOf(memory: ArrayBuffer): CallViews {
  return {
    bytes: problemBytes(memory),
    result: new Float64Array(memory, PROBLEM_BYTES, RESULT_BYTES / 8),
    flags: new Int32Array(memory, PROBLEM_BYTES + RESULT_BYTES, 2),
  }
}

/** Says which arrays there are: the addon puts their addresses where it finds something other than 0. */
export function announce({ integers }: ProblemBytes, { loss, weights, mask, values, grad, hess }: AnyProblem): void {
  integers[offsets.logits / 4] = 1
  integers[offsets.targets / 4] = 1
  integers[offsets.weights / 4] = weights === null ? 0 : 1
  integers[offsets.mask / 4] = mask === null ? 0 : 1
  integers[offsets.classPositive / 4] = loss.classPositive === null ? 0 : 1
  integers[offsets.classNegative / 4] = loss.classNegative === null ? 0 : 1
  integers[offsets.values / 4] = values === null ? 0 : 1
  integers[offsets.grad / 4] = grad === null ? 0 : 1
  integers[offsets.hess / 4] = hess === null ? 0 : 1
}

/** The sums that a call has left, or the error that its status stands for. */
export function sumsIn({ flags, result }: CallViews, problem: AnyProblem): Sums {
  if (flags[0] === OVERLAP) throw overlapError(problem)
  return readResult(flags[0], result, problem)
}

/** The addon compares addresses; the names for the error are known here. */
function overlapError(problem: AnyProblem): RangeError {
  checkOverlaps(problem)
  // Two buffers may be one memory: of a SharedArrayBuffer, every thread that gets it has a buffer of its own
  return new RangeError('an output overlaps another array in shared memory; expected memory of its own')
}
