/** Logits and what comes in arrays of their kind; the element types of arrays, by their numbers in cpp/problem.h. */
import { type DeviceArray, type DevicePointer, newBeside } from './device_array.js'
import { deviceDtypes, type FloatDtype } from './element_type.js'
import type { HalfDtype } from './half.js'
import { tagOf } from './intrinsics.js'
import type { Float16, NumericArray, OrFloat16 } from './numeric_array.js'

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

/** What unreduced losses may be written to: an array of the logits' kind, on a GPU also another library's. */
export type Output<A extends Logits | DeviceLogits> = A extends DevicePointer<infer D> ? DevicePointer<D> : SameKind<A>

/** What derivatives may be written to: as {@link Output}, and for logits of half precision also float32. */
export type DerivativeOutput<A extends Logits | DeviceLogits> =
  | Output<A>
  | (A extends DevicePointer<infer D>
      ? D extends HalfDtype
        ? DevicePointer<'float32'>
        : never
      : A extends Float32Array | Float64Array
        ? never
        : Float32Array)

/** An array that has been checked: the host's, or a GPU's. */
export type AnyArray = NumericArray | DeviceArray

/** Logits that have been checked. */
export type AnyLogits = Logits | DeviceArray<FloatDtype>

/** Whether an array lies in the host's memory. */
export function onHost<A extends ArrayBufferView>(array: A | DeviceArray): array is A {
  return ArrayBuffer.isView(array)
}

/** The element type's number in cpp/problem.h (enum FocalDtype); -1 for what no backend reads. */
export function dtypeOf(array: ArrayBufferView | DeviceArray): number {
  switch (tagOf(array)) {
    case 'Float32Array':
      return FLOAT32
    case 'Float64Array':
      return FLOAT64
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

export const FLOAT32 = 0
export const FLOAT64 = 1
export const FLOAT16 = 8
const BFLOAT16 = 9

/** The number of the logits' element type in cpp/problem.h. */
export function dtypeOfLogits(logits: AnyLogits, dtype: HalfDtype | undefined): number {
  if (dtype === undefined) return dtypeOf(logits)
  return dtype === 'float16' ? FLOAT16 : BFLOAT16
}

export function holdsBits(array: Logits): array is Uint16Array {
  return tagOf(array) === 'Uint16Array'
}

/** The name of logits that are held as bits; `undefined` where the array's own elements are the numbers. */
export function bitsDtype(logits: Logits, dtype: number): HalfDtype | undefined {
  if (!holdsBits(logits)) return undefined
  return dtype === FLOAT16 ? 'float16' : 'bfloat16'
}

/** The number of a derivative's element type: that of the logits, unless those are half precision and it is float32. */
export function dtypeOfDerivative(derivative: AnyLogits | null, dtype: number): number {
  return derivative !== null && isHalf(dtype) && dtypeOf(derivative) === FLOAT32 ? FLOAT32 : dtype
}

/** Whether the number of an element type is that of a half precision. */
export function isHalf(dtype: number): boolean {
  return dtype === FLOAT16 || dtype === BFLOAT16
}

/** Whether the number of an element type is that of an integer. */
export function isInteger(dtype: number): boolean {
  return dtype > FLOAT64 && dtype < FLOAT16
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
