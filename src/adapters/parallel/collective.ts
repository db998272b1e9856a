/** The collective operations of ranks that train one model together. */
import { checkMethods } from '../../arguments.js'
import { tagOf } from '../../arrays/intrinsics.js'
import { outOfRange, wrongType } from '../../errors.js'

/**
 * The processes (or threads) of one training: over MPI in `@focal-loss/mpi`, over shared memory in {@link sharedCollective}, over TCP
 * in `focal-loss/tcp`, or over another connection.
 */
export interface Collective {
  /** Which of them this is, from 0 to `size - 1`. */
  readonly rank: number
  /** How many there are, at least 1. */
  readonly size: number
  /**
   * Replaces every number of `array` by the sum of the numbers that stand there in all ranks. Every rank calls it, with arrays of
   * one type and length, as often as the others and in the same order. A promise where it takes its time.
   */
  allReduce(array: Float64Array | Float32Array, operation: 'sum'): void | Promise<void>
}

export function checkCollective(value: unknown): Collective {
  checkMethods('collective', value, ['allReduce'])
  const collective = value as Collective
  checkRank(collective.rank, collective.size, 'collective.')
  return collective
}

/** Throws for an array whose numbers are not what lies in it, such as the bits of half precision. */
export function checkFloats(name: string, array: unknown): void {
  if (!ArrayBuffer.isView(array) || !['Float32Array', 'Float64Array'].includes(tagOf(array))) throw wrongType(name, array, 'a Float32Array or Float64Array')
}

/** Throws for what an all-reduce does not add up, and for what it does not do. */
export function checkSum(array: unknown, operation: unknown): void {
  checkFloats('array', array)
  if (operation !== undefined && operation !== 'sum') throw outOfRange('operation', operation, "'sum'")
}

/** Of two arrays that are to be added up: rank 0's, and that of another rank. */
export function differentArrays(first: DescribedArray, other: DescribedArray, rank: number): RangeError {
  const text = ({ type, length }: DescribedArray) => `a ${String(type)} of length ${String(length)}`
  return new RangeError(`array is ${text(first)} on rank 0 and ${text(other)} on rank ${rank}; expected one type and length on all ranks`)
}

/** What a rank says of its array. */
interface DescribedArray {
  readonly type?: unknown
  readonly length?: unknown
}

/** Throws where there is no such rank. `owner` comes before the names in messages. */
export function checkRank(rank: unknown, size: unknown, owner = ''): void {
  if (typeof size !== 'number') throw wrongType(`${owner}size`, size, 'an integer >= 1')
  if (!Number.isSafeInteger(size) || size < 1) throw outOfRange(`${owner}size`, size, 'an integer >= 1')
  const expected = `an integer from 0 to ${size - 1}`
  if (typeof rank !== 'number') throw wrongType(`${owner}rank`, rank, expected)
  if (!Number.isInteger(rank) || rank < 0 || rank >= size) throw outOfRange(`${owner}rank`, rank, expected)
}
