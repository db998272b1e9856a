/** The typed arrays that hold on the host what arrays on GPUs hold. */
import type { NumericArray } from './arrays.js'
import type { DeviceDtype } from './device.js'
import type { HalfDtype } from './half.js'

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
