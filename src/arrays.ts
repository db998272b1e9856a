/** Typed arrays from outside: which they are, whether their memory is still there, whether two share it. */
import { deviceArrayOf, deviceDtypes, type DevicePointer, type FloatDtype, newBeside } from './device.js'
import type { DeviceArray } from './device_array.js'
import { outOfRange, wrongType } from './errors.js'
import { type HalfDtype, halfDtypes } from './half.js'
import { lengthOf, tagOf } from './intrinsics.js'
import { oneOf } from './options.js'

/** Float16Array among others, for compilers whose library declares it. */
export type OrFloat16<Others> = typeof globalThis extends { Float16Array: { readonly prototype: infer A } } ? Others | A : Others

/** Float16Array, where there is such a type. */
export type Float16 = OrFloat16<never>

/** What a loss reads as logits; a Uint16Array holds the bits of what the call's `dtype` says. */
export type Logits = OrFloat16<Float32Array | Float64Array | Uint16Array>

/** Logits in a GPU's memory. */
export type DeviceLogits = DevicePointer<FloatDtype>

/** An array of the same kind as the logits: what gradients and unreduced losses come in. */
export type SameKind<A extends Logits | DeviceLogits> = A extends Float32Array
  ? Float32Array
  : A extends Float64Array
    ? Float64Array
    : A extends Uint16Array
      ? Uint16Array
      : A extends DevicePointer<infer D>
        ? DeviceArray<D>
        : Float16

/** What gradients and unreduced losses may be written to: an array of the logits' kind, on a GPU also another library's. */
export type Output<A extends Logits | DeviceLogits> = A extends DevicePointer<infer D> ? DevicePointer<D> : SameKind<A>

/** Every array that backends read. */
export type NumericArray = OrFloat16<
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
>

/** Numbers as callers may give them: any numeric typed array, or a plain array of numbers or booleans. */
export type Numbers = NumericArray | readonly number[] | readonly boolean[]

/** An array that has been checked: the host's, or a GPU's. */
export type AnyArray = NumericArray | DeviceArray

/** Logits that have been checked. */
export type AnyLogits = Logits | DeviceArray<FloatDtype>

/** Whether an array lies in the host's memory. */
export function onHost<A extends ArrayBufferView>(array: A | DeviceArray): array is A {
  return ArrayBuffer.isView(array)
}

/** Targets as callers may give them: also the 64-bit integers that PyTorch and NumPy keep class indices in. */
export type Targets = Numbers | BigInt64Array | BigUint64Array

/** The element type's number in cpp/problem.h (enum FocalDtype); -1 for what no backend reads. */
export function dtypeOf(array: ArrayBufferView | DeviceArray): number {
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
    case 'Float16Array':
      return FLOAT16
    default:
      return onHost(array) ? -1 : deviceDtypes.indexOf(array.dtype)
  }
}

const FLOAT16 = 8
const BFLOAT16 = 9

/** The number of the logits' element type in cpp/problem.h. */
export function dtypeOfLogits(logits: AnyLogits, dtype: HalfDtype | undefined): number {
  if (dtype === undefined) return dtypeOf(logits)
  return dtype === 'float16' ? FLOAT16 : BFLOAT16
}

/** The name of logits that are held as bits; `undefined` where the array's own elements are the numbers. */
export function bitsDtype(logits: Logits, dtype: number): HalfDtype | undefined {
  if (tagOf(logits) !== 'Uint16Array') return undefined
  return dtype === FLOAT16 ? 'float16' : 'bfloat16'
}

/** An array of the logits' kind, filled with zeros. */
export function newLike<A extends AnyLogits>(logits: A, length: number): A {
  return (onHost(logits) ? newOnHost(logits, length) : newBeside(logits, length)) as A
}

function newOnHost(logits: Logits, length: number): Logits {
  switch (tagOf(logits)) {
    case 'Float32Array':
      return new Float32Array(length)
    case 'Float64Array':
      return new Float64Array(length)
    case 'Uint16Array':
      return new Uint16Array(length)
    default: {
      // Where there are such arrays, there is their constructor, whatever the compiler's library knows
      const { Float16Array } = globalThis as unknown as { Float16Array: new (length: number) => Logits }
      return new Float16Array(length)
    }
  }
}

export function isFloatArray(array: ArrayBufferView | DeviceArray): boolean {
  if (!onHost(array)) return array.dtype.includes('float')
  const tag = tagOf(array)
  return tag === 'Float32Array' || tag === 'Float64Array' || tag === 'Float16Array'
}

/** Logits are float arrays, and where `dtype` says what they hold, arrays of 16 bits. */
export function checkLogits(value: unknown, dtype: HalfDtype | undefined): Logits {
  if (dtype !== undefined) {
    oneOf('dtype', dtype, halfDtypes)
    if (ArrayBuffer.isView(value) && tagOf(value) === 'Uint16Array') return value as Uint16Array
    throw wrongType('logits', value, `a Uint16Array, as dtype is '${dtype}'`)
  }
  if (ArrayBuffer.isView(value) && isFloatArray(value)) return value as Float32Array
  throw wrongType('logits', value, `a Float32Array or a Float64Array${hintFor(value)}`)
}

/** As {@link checkLogits}, or such numbers in a GPU's memory, where `dtype` may only say what they are. */
export function checkAnyLogits(value: unknown, dtype: HalfDtype | undefined): AnyLogits {
  const array = ArrayBuffer.isView(value) ? undefined : deviceArrayOf('logits', value)
  if (array === undefined) return checkLogits(value, dtype)
  if (!isFloatArray(array)) throw wrongType('logits', array, 'one of float32, float64, float16 or bfloat16')
  if (dtype !== undefined && dtype !== array.dtype) throw outOfRange('dtype', dtype, `'${array.dtype}', as logits is, or no dtype`)
  return array as DeviceArray<FloatDtype>
}

function hintFor(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'ptr' in value) return ' of the host (toHost() makes one)'
  if (Array.isArray(value)) return ' (Float32Array.from(...) makes one)'
  const isBits = ArrayBuffer.isView(value) && tagOf(value) === 'Uint16Array'
  return isBits ? " (dtype: 'float16' or 'bfloat16' says what its bits hold)" : ''
}

/** Anything numeric, plain arrays copied to typed ones. */
export function checkNumbers(name: string, value: unknown): AnyArray {
  const numbers = toNumbers(name, value) ?? deviceArrayOf(name, value)
  if (numbers === undefined) throw wrongType(name, value, 'a numeric typed array (BigInt arrays excepted) or an array of numbers')
  return numbers
}

/** As {@link checkNumbers}; 64-bit integers are copied to the 32 bits that hold every class index. */
export function checkTargets(name: string, value: unknown): AnyArray {
  const numbers = toNumbers(name, value) ?? deviceArrayOf(name, value)
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
  if (ArrayBuffer.isView(value) && dtypeOf(value) >= 0) return value as NumericArray
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
    new Uint8Array(array.buffer)
    return 'its resizable buffer has shrunk below the view'
  } catch {
    return 'its buffer is detached (transferred to another thread, perhaps)'
  }
}

export function overlap(a: AnyArray, b: AnyArray): boolean {
  if (onHost(a) && onHost(b)) {
    return a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength
  }
  if (onHost(a) || onHost(b)) return false
  return a.ptr < b.ptr + BigInt(b.byteLength) && b.ptr < a.ptr + BigInt(a.byteLength)
}

export function sameMemory(a: AnyArray, b: AnyArray): boolean {
  if (onHost(a) && onHost(b)) return a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.byteLength === b.byteLength
  return !onHost(a) && !onHost(b) && a.ptr === b.ptr && a.byteLength === b.byteLength
}
