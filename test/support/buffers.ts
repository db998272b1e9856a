/** Memory that the language has and its types here do not: resizable, growable, detached, of another realm. */
import { runInNewContext } from 'node:vm'
import type { NumericArray } from 'focal-loss'

interface Resizable extends ArrayBuffer {
  resize(bytes: number): void
}

interface Growable extends SharedArrayBuffer {
  grow(bytes: number): void
}

export function resizable(bytes: number, most: number): Resizable {
  const Type = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => Resizable
  return new Type(bytes, { maxByteLength: most })
}

export function growable(bytes: number, most: number): Growable {
  const Type = SharedArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => Growable
  return new Type(bytes, { maxByteLength: most })
}

/** An array whose memory has gone to another thread. */
export function detached(length = 6): Float32Array {
  const array = new Float32Array(length)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

/** An array that its resizable buffer no longer reaches. */
export function outOfBounds(length = 6): Float32Array {
  const buffer = resizable(4 * length, 8 * length)
  const array = new Float32Array(buffer, 0, length)
  buffer.resize(4)
  return array
}

/** The same numbers in an array made by the constructors of another realm, which `instanceof` does not know. */
export function ofAnotherRealm(values: readonly number[]): Float32Array {
  return runInNewContext(`Float32Array.of(${values.join(',')})`) as Float32Array
}

/** The same elements in memory that threads share, not at its beginning. */
export function shared<A extends NumericArray>(array: A): A {
  const Kind = array.constructor as new (buffer: SharedArrayBuffer, byteOffset: number, length: number) => A
  const there = new Kind(new SharedArrayBuffer(array.byteLength + 64), 24, array.length)
  there.set(array)
  return there
}
