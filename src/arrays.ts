/** Typed arrays from outside: which they are, whether their memory is still there, whether two share it. */
import { outOfRange, wrongType } from './errors.js'
import { lengthOf, tagOf } from './intrinsics.js'

/** What a loss reads as logits. */
export type Logits = Float32Array | Float64Array

/** An array of the same kind as the logits: what gradients and unreduced losses are written to. */
export type SameKind<A extends Logits> = A extends Float32Array ? Float32Array : Float64Array

/** Every array that backends read. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array

/** Numbers as callers may give them: any numeric typed array, or a plain array of numbers or booleans. */
export type Numbers = NumericArray | readonly number[] | readonly boolean[]

/** Targets as callers may give them: also the 64-bit integers that PyTorch and NumPy keep class indices in. */
export type Targets = Numbers | BigInt64Array | BigUint64Array

/** The element type's number in cpp/problem.h (enum FocalDtype); -1 for what no backend reads. */
export function dtypeOf(array: ArrayBufferView): number {
  switch (tagOf(array)) {
    case 'Float32Array':
      return 0
    case 'Float64Array':
      return 1
    case 'Int8Array':
      return 2
    case 'Uint8Array':
    case 'Uint8ClampedArray':
      return 3
    case 'Int16Array':
      return 4
    case 'Uint16Array':
      return 5
    case 'Int32Array':
      return 6
    case 'Uint32Array':
      return 7
    default:
      return -1
  }
}

export function isFloatArray(array: ArrayBufferView): array is Logits {
  const tag = tagOf(array)
  return tag === 'Float32Array' || tag === 'Float64Array'
}

/** `logits`, `grad`, `hess` and `out`: float arrays only. */
export function checkLogits(name: string, value: unknown): Logits {
  if (ArrayBuffer.isView(value) && isFloatArray(value)) return value
  const hint = Array.isArray(value) ? ' (Float32Array.from(...) makes one)' : ''
  throw wrongType(name, value, `a Float32Array or a Float64Array${hint}`)
}

/** Anything numeric, plain arrays copied to typed ones. */
export function checkNumbers(name: string, value: unknown): NumericArray {
  const numbers = toNumbers(name, value)
  if (numbers === undefined) throw wrongType(name, value, 'a numeric typed array (BigInt arrays excepted) or an array of numbers')
  return numbers
}

/** As {@link checkNumbers}; 64-bit integers are copied to the 32 bits that hold every class index. */
export function checkTargets(name: string, value: unknown): NumericArray {
  const numbers = toNumbers(name, value)
  if (numbers !== undefined) return numbers
  if (!ArrayBuffer.isView(value) || !tagOf(value).startsWith('Big')) {
    throw wrongType(name, value, 'a numeric typed array or an array of numbers')
  }
  const big = value as BigInt64Array
  checkedLength(name, big)
  return Int32Array.from(big as Iterable<bigint>, (each, i) => {
    const index = Number(each)
    if ((index | 0) !== index) throw outOfRange(`${name}[${i}]`, each, 'an integer of 32 bits')
    return index
  })
}

function toNumbers(name: string, value: unknown): NumericArray | undefined {
  if (ArrayBuffer.isView(value)) {
    if (dtypeOf(value) >= 0) return value as NumericArray
    // Where the runtime has it; its values are exact in float32.
    if (tagOf(value) === 'Float16Array') return Float32Array.from(value as unknown as Iterable<number>)
  }
  return Array.isArray(value) ? fromPlain(name, value) : undefined
}

function fromPlain(name: string, values: readonly unknown[]): NumericArray {
  let integers = true
  const copy = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value !== 'number' && typeof value !== 'boolean') throw wrongType(`${name}[${i}]`, value, 'a number')
    const number = Number(value)
    copy[i] = number
    integers &&= (number | 0) === number
  }
  // Integers become an Int32Array, which is what makes a plain array of class indices one.
  return integers ? Int32Array.from(copy) : copy
}

/**
 * An array's length, once its memory is known to be there. A detached array has length 0 and raises nothing, and so has
 * a view beyond the end of a shrunken resizable buffer. Only the array's own methods notice, so an empty one is asked.
 */
export function checkedLength(name: string, array: NumericArray | BigInt64Array): number {
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
    new Uint8Array(array.buffer)
    return 'its resizable buffer has shrunk below the view'
  } catch {
    return 'its buffer is detached (transferred to another thread, perhaps)'
  }
}

export function overlap(a: NumericArray, b: NumericArray): boolean {
  return (
    a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength
  )
}

export function sameMemory(a: NumericArray, b: NumericArray): boolean {
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.byteLength === b.byteLength
}
