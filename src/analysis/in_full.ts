/** Logits of half precision as float32, which has all their numbers. */
import { fromBits } from '../arrays/half.js'
import { bitsDtype } from '../arrays/logits.js'
import type { Problem } from '../problem/problem.js'

/** The problem with logits that can be computed with. */
export function inFull(problem: Problem): Problem {
  const { logits, dtype } = problem
  if (logits.BYTES_PER_ELEMENT !== 2) return problem
  const bits = bitsDtype(logits, dtype)
  return { ...problem, logits: Float32Array.from(bits === undefined ? logits : fromBits(logits as Uint16Array, bits)), dtype: 0 }
}
