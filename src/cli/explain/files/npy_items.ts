/** The items of a .npy file as numbers: every real type, in both byte orders. */
import type { ReadNumbers } from './array_reader.js'

/** What the bits of two bytes mean, where the file cannot say it. */
export type BitsDtype = 'float16' | 'bfloat16'

export interface ItemType {
  readonly bytes: number
  readonly integers: boolean
  /** The numbers in a buffer, which it may overwrite. */
  decode(buffer: ArrayBuffer, count: number): ReadNumbers
}

const types: Record<string, (buffer: ArrayBuffer, count: number) => ReadNumbers> = {
  f2: halves,
  f4: (buffer, count) => new Float32Array(buffer, 0, count),
  f8: (buffer, count) => new Float64Array(buffer, 0, count),
  i1: (buffer, count) => new Int8Array(buffer, 0, count),
  i2: (buffer, count) => new Int16Array(buffer, 0, count),
  i4: (buffer, count) => new Int32Array(buffer, 0, count),
  i8: (buffer, count) => Float64Array.from(new BigInt64Array(buffer, 0, count), Number),
  u1: (buffer, count) => new Uint8Array(buffer, 0, count),
  u2: (buffer, count) => new Uint16Array(buffer, 0, count),
  u4: (buffer, count) => new Uint32Array(buffer, 0, count),
  u8: (buffer, count) => Float64Array.from(new BigUint64Array(buffer, 0, count), Number),
  b1: (buffer, count) => new Uint8Array(buffer, 0, count),
}

const kinds: Record<string, string> = {
  c: 'complex numbers',
  O: 'Python objects',
  S: 'byte strings',
  U: 'text',
  M: 'dates',
  m: 'durations',
  V: 'raw bytes',
  f: 'floats of an unusual size',
}

/** Throws a sentence for what are no real numbers; `dtype` is what the command line says of bits. */
export function itemType(name: string, descr: string, dtype: BitsDtype | undefined): ItemType {
  const [order, type] = [descr[0], descr.slice(1)]
  if (dtype !== undefined && !(dtype === 'float16' ? ['V2', 'u2', 'f2'] : ['V2', 'u2']).includes(type)) {
    throw new Error(`${name} holds items of the type ${descr}; expected bits of 2 bytes, <V2 or <u2, for --dtype ${dtype}`)
  }
  const toNumbers = dtype === undefined ? types[type] : dtype === 'float16' ? halves : bfloats
  if (toNumbers === undefined || !'<>|='.includes(order)) {
    const way = type === 'V2' ? ' (--dtype bfloat16 reads what ml_dtypes has written)' : ''
    throw new Error(`${name} holds ${kinds[type[0]] ?? 'something else'} (${descr}); expected float16, float32, float64, integers or bool${way}`)
  }
  const bytes = Number(type[1])
  const foreign = order === (isLittleEndian ? '>' : '<')
  return {
    bytes,
    integers: dtype === undefined && /^[iu]/.test(type),
    decode(buffer, count) {
      if (foreign) swap(new Uint8Array(buffer, 0, count * bytes), bytes)
      return toNumbers(buffer, count)
    },
  }
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** Turns the bytes of every item around. */
function swap(bytes: Uint8Array, each: number): void {
  for (let first = 0; first < bytes.length; first += each) {
    for (let [low, high] = [first, first + each - 1]; low < high; low++, high--) {
      const held = bytes[low]
      bytes[low] = bytes[high]
      bytes[high] = held
    }
  }
}

/** Every half float there is: a table is faster than arithmetic, and made on first use. */
let singles: Float32Array | undefined

function halves(buffer: ArrayBuffer, count: number): Float32Array {
  const table = (singles ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => singleOf(bits)))
  return Float32Array.from(new Uint16Array(buffer, 0, count), (bits) => table[bits])
}

/** The upper halves of floats. */
function bfloats(buffer: ArrayBuffer, count: number): Float32Array {
  return new Float32Array(Uint32Array.from(new Uint16Array(buffer, 0, count), (bits) => bits << 16).buffer)
}

/** IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of mantissa. */
function singleOf(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1
  const exponent = (bits >> 10) & 31
  const mantissa = bits & 1023
  if (exponent === 0) return sign * mantissa * 2 ** -24
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN
  return sign * (1024 + mantissa) * 2 ** (exponent - 25)
}
