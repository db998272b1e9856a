/**
 * The elements of a problem in blocks of numbers of one kind, counted row by row: element `r * classes + c` is class c of row r. A loop over
 * the caller's arrays would be slow in a program with several kinds of them: V8 compiles accesses to more than four kinds as calls.
 */
import { bufferOf, byteOffsetOf, setIn, tagOf } from '../arrays/intrinsics.js'
import { kinds } from '../arrays/kinds.js'
import type { NumericArray } from '../arrays/numeric_array.js'
import { firstOf } from '../problem/positions.js'
import type { Problem } from '../problem/problem.js'

/** Elements a block. */
export const BLOCK = 1024

/** Fewer elements are copied faster one by one. */
const SHORT = 64

/** Where the elements of a block lie, if not side by side. */
const positions = new Float64Array(BLOCK)

/** Copies elements `from` to `to - 1` of the caller's array to the beginning of `block`. */
export function gather(problem: Problem, array: NumericArray, block: Float64Array, from: number, to: number): void {
  const count = to - from
  if (problem.inner > 1) {
    locate(problem, from, to)
    for (let i = 0; i < count; i++) block[i] = array[positions[i]]
  } else if (count < SHORT) {
    for (let i = 0; i < count; i++) block[i] = array[from + i]
  } else {
    setIn(block, part(array, from, to))
  }
}

/** The other way round. */
export function scatter(problem: Problem, block: Float64Array, array: NumericArray, from: number, to: number): void {
  const count = to - from
  if (problem.inner > 1) {
    locate(problem, from, to)
    for (let i = 0; i < count; i++) array[positions[i]] = block[i]
  } else if (count < SHORT) {
    for (let i = 0; i < count; i++) array[from + i] = block[i]
  } else {
    setIn(part(array, from, to), count === BLOCK ? block : part(block, 0, count))
  }
}

/** A view of elements `from` to `to - 1`: a subclass may say otherwise what its subarray() is. */
function part(array: NumericArray, from: number, to: number): NumericArray {
  const Kind = kinds[tagOf(array)]
  return new Kind(bufferOf(array), byteOffsetOf(array) + from * Kind.BYTES_PER_ELEMENT, to - from)
}

/** Where element `i` lies. */
export function locationOf(problem: Problem, i: number): number {
  const r = Math.floor(i / problem.classes)
  return firstOf(problem, r) + (i - r * problem.classes) * problem.inner
}

function locate(problem: Problem, from: number, to: number): void {
  const { classes, inner } = problem
  let r = Math.floor(from / classes)
  let c = from - r * classes
  let k = locationOf(problem, from)
  for (let i = 0; i < to - from; i++) {
    positions[i] = k
    k += inner
    if (++c === classes) {
      c = 0
      k = firstOf(problem, ++r)
    }
  }
}
