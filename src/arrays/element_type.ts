/** The element types of arrays on GPUs, and the typed arrays that hold the same on the host. */
import type { NumericArray } from './numeric_array.js'
import type { HalfDtype } from './half.js'

/** The element type of an array in a GPU's memory. */
export type DeviceDtype = 'float32' | 'float64' | 'float16' | 'bfloat16' | 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32'

/** All of them, in the order of cpp/problem.h (enum FocalDtype). */
export const deviceDtypes: readonly DeviceDtype[] = [
  'float32',
  'float64',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'float16',
  'bfloat16',
]

/** The element types that logits may have. */
export type FloatDtype = Extract<DeviceDtype, `${string}float${number}`>

/** The typed arrays of the element types. Half precision is held as bits. */
interface HostArrays {
  float32: Float32Array
  float64: Float64Array
  int8: Int8Array
  uint8: Uint8Array
  int16: Int16Array
  uint16: Uint16Array
  int32: Int32Array
  uint32: Uint32Array
  float16: Uint16Array
  bfloat16: Uint16Array
}

/** The typed array that holds elements of a type on the host: float16 and bfloat16 as bits in a Uint16Array. */
export type HostArray<D extends DeviceDtype> = HostArrays[D]

/** What the elements of a typed array are on a GPU. */
export type DtypeOf<A extends NumericArray> = A extends Uint8ClampedArray
  ? 'uint8'
  : A extends HostArrays[Exclude<DeviceDtype, HalfDtype>]
    ? { [D in Exclude<DeviceDtype, HalfDtype>]: A extends HostArrays[D] ? D : never }[Exclude<DeviceDtype, HalfDtype>]
    : 'float16'

/** Their constructors. */
export const hostArrays: { readonly [D in DeviceDtype]: { new (length: number): HostArrays[D]; readonly BYTES_PER_ELEMENT: number } } = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
}
