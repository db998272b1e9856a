/** Logits of half precision as float32, which has all their numbers; logits of any type in double precision. */
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

/** The problem with logits of double precision, and so losses and derivatives. */
export function inDouble(problem: Problem): Problem {
  const { logits, ...others } = inFull(problem)
  return { ...others, logits: logits instanceof Float64Array ? logits : Float64Array.from(logits), dtype: 1, gradDtype: 1, hessDtype: 1 }
}
