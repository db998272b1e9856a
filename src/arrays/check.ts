/** Checks of the caller's arrays: backends can read what they return. */
import { oneOf } from '../arguments.js'
import { outOfRange, wrongType } from '../errors.js'
import { type DeviceArray, deviceArrayOf } from './device_array.js'
import type { FloatDtype } from './element_type.js'
import { type HalfDtype, halfDtypes } from './half.js'
import { tagOf } from './intrinsics.js'
import { type AnyArray, type AnyLogits, dtypeOf, isFloatArray, type Logits } from './logits.js'
import { checkedLength } from './memory.js'
import type { NumericArray } from './numeric_array.js'


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
  if (Array.isArray(value)) return ` (Float32Array.from(${flattened('logits', value) ?? 'logits'}) makes one)`
  if (isTensor(value)) return TENSOR
  const isBits = ArrayBuffer.isView(value) && tagOf(value) === 'Uint16Array'
  return isBits ? " (dtype: 'float16' or 'bfloat16' says what its bits hold)" : ''
}

/** The code that has the numbers of nested arrays in one; `undefined` where an array is not nested. */
function flattened(name: string, [first]: readonly unknown[]): string | undefined {
  if (ArrayBuffer.isView(first)) return `${name}.flatMap((row) => [...row])`
  if (!Array.isArray(first)) return undefined
  return `${name}.flat(${Array.isArray(first[0]) ? 'Infinity' : ''})`
}

const TENSOR = ' (focal-loss/tfjs takes tensors of TensorFlow.js)'

function isTensor(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value && 'dtype' in value
}

/** Anything numeric, plain arrays copied to typed ones. */
export function checkNumbers(name: string, value: unknown): AnyArray {
  const numbers = toNumbers(name, value) ?? deviceArrayOf(name, value)
  if (numbers === undefined) throw wrongType(name, value, `a numeric typed array (BigInt arrays excepted) or an array of numbers${isTensor(value) ? TENSOR : ''}`)
  return numbers
}

/** As {@link checkNumbers}; 64-bit integers are copied to the 32 bits that hold every class index. */
export function checkTargets(name: string, value: unknown): AnyArray {
  const numbers = toNumbers(name, value) ?? deviceArrayOf(name, value)
  if (numbers !== undefined) return numbers
  if (!ArrayBuffer.isView(value) || !tagOf(value).startsWith('Big')) {
    throw wrongType(name, value, `a numeric typed array or an array of numbers${isTensor(value) ? TENSOR : ''}`)
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
  // Once: what is read may be a getter that shortens the array
  const { length } = values
  const copy = new Float64Array(length)
  for (let i = 0; i < length; i++) {
    const value = values[i]
    if (typeof value !== 'number' && typeof value !== 'boolean') {
      const flat = flattened(name, [value])
      throw wrongType(`${name}[${i}]`, value, `a number${flat === undefined ? '' : ` (${flat} is flat)`}`)
    }
    const number = Number(value)
    copy[i] = number
    integers &&= (number | 0) === number
  }
  // Integers become an Int32Array, which is what makes a plain array of class indices one.
  return integers ? Int32Array.from(copy) : copy
}
