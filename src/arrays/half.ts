/**
 * Half precision as bits in a Uint16Array: float16 is IEEE binary16, bfloat16 the upper half of a float32. This is how the
 * plain backend reads and writes them; the kernel does so itself (cpp/half.h).
 */
import { lengthOf } from './intrinsics.js'

/** What 16 bits may hold; see {@link StorageOptions.dtype}. */
export type HalfDtype = 'float16' | 'bfloat16'

/** Bits of the mantissa, and the exponent of the smallest normal number: 2 to the power of it. */
interface Format {
  readonly mantissa: number
  readonly least: number
}

const formats: Readonly<Record<HalfDtype, Format>> = {
  float16: { mantissa: 10, least: -14 },
  bfloat16: { mantissa: 7, least: -126 },
}

export const halfDtypes = Object.keys(formats) as readonly HalfDtype[]

/** The numbers that an array's bits stand for, exactly. */
export function fromBits(bits: Uint16Array, dtype: HalfDtype): Float64Array {
  const format = formats[dtype]
  return Float64Array.from(bits, (each) => numberOf(each, format))
}

/** Rounds to nearest even, subnormals included; what is too large becomes infinite. `to` is as long as `numbers`. */
export function toBits(numbers: Float64Array, dtype: HalfDtype, to: Uint16Array): void {
  const format = formats[dtype]
  for (let k = 0; k < lengthOf(numbers); k++) to[k] = bitsOf(numbers[k], format)
}

function numberOf(bits: number, { mantissa, least }: Format): number {
  const one = 2 ** mantissa
  const sign = bits >= 0x8000 ? -1 : 1
  const exponent = Math.floor((bits & 0x7fff) / one)
  const rest = bits % one
  if (exponent === 2 ** (15 - mantissa) - 1) return rest === 0 ? sign * Infinity : NaN
  const whole = exponent === 0 ? rest : one + rest
  return sign * whole * 2 ** (Math.max(exponent, 1) - 1 + least - mantissa)
}

function bitsOf(number: number, { mantissa, least }: Format): number {
  const infinity = 0x8000 - 2 ** mantissa
  if (Number.isNaN(number)) return infinity + 2 ** (mantissa - 1)
  const sign = number < 0 || Object.is(number, -0) ? 0x8000 : 0
  const size = Math.abs(number)
  if (size === Infinity) return sign + infinity
  const exponent = exponentOf(size, least)
  // The spacing of numbers around this one is a power of two, so that dividing by it rounds nothing
  const steps = roundToEven(size / 2 ** (exponent - mantissa))
  return sign + Math.min(infinity, (exponent - least) * 2 ** mantissa + steps)
}

/** The exponent of a number's leading bit, and `least` for those below. */
function exponentOf(size: number, least: number): number {
  if (size < 2 ** least) return least
  let exponent = Math.floor(Math.log2(size))
  // Just below a power of two, the logarithm is rounded up to it
  if (2 ** exponent > size) exponent--
  return exponent
}

/** For numbers below 2 ** 51. */
function roundToEven(size: number): number {
  return size + 2 ** 52 - 2 ** 52
}
