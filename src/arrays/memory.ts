/** Whether an array is detached, and whether two arrays overlap in memory. */
import { bufferOf, byteLengthOf, byteOffsetOf, lengthOf } from './intrinsics.js'
import { type AnyArray, onHost } from './logits.js'
import type { NumericArray } from './numeric_array.js'


/**
 * An array's length, once its memory is known to be there. A detached array has length 0 and raises nothing, and so has
 * a view beyond the end of a shrunken resizable buffer. Only the array's own methods notice, so an empty one is asked.
 */
export function checkedLength(name: string, array: AnyArray | BigInt64Array): number {
  if (!onHost(array)) return array.length
  const length = lengthOf(array)
  if (length === 0) checkAlive(name, array)
  return length
}

function checkAlive(name: string, array: NumericArray | BigInt64Array): void {
  try {
    array.fill(0 as never, 0, 0)
  } catch {
    throw new TypeError(`${name} has lost its memory, as ${lostBecause(array)}; expected an array that has it`)
  }
}

function lostBecause(array: ArrayBufferView): string {
  try {
    new Uint8Array(bufferOf(array))
    return 'its resizable buffer has shrunk below the view'
  } catch {
    return 'its buffer is detached (transferred to another thread, perhaps)'
  }
}

export function overlap(a: AnyArray, b: AnyArray): boolean {
  if (onHost(a) && onHost(b)) {
    const [from, to] = [byteOffsetOf(a), byteOffsetOf(b)]
    return bufferOf(a) === bufferOf(b) && from < to + byteLengthOf(b) && to < from + byteLengthOf(a)
  }
  if (onHost(a) || onHost(b)) return false
  return a.ptr < b.ptr + BigInt(b.byteLength) && b.ptr < a.ptr + BigInt(a.byteLength)
}

export function sameMemory(a: AnyArray, b: AnyArray): boolean {
  if (onHost(a) && onHost(b)) return bufferOf(a) === bufferOf(b) && byteOffsetOf(a) === byteOffsetOf(b) && byteLengthOf(a) === byteLengthOf(b)
  return !onHost(a) && !onHost(b) && a.ptr === b.ptr && a.byteLength === b.byteLength
}
