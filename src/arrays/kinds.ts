/** The constructors of typed arrays, by their tag. */
import type { NumericArray } from './numeric_array.js'

export interface Kind {
  new (length: number): NumericArray
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): NumericArray
  readonly BYTES_PER_ELEMENT: number
}

export const kinds: Readonly<Record<string, Kind>> = {
  Float32Array,
  Float64Array,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  ...float16Kind(),
}

/** Float16Array, where the runtime has it. */
function float16Kind(): Record<string, Kind> {
  const { Float16Array } = globalThis as unknown as { Float16Array?: Kind }
  return Float16Array === undefined ? {} : { Float16Array }
}
