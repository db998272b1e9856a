/** What ranks that train one model together do at the same time. */
import { checkMethods } from '../../arguments.js'
import { outOfRange, wrongType } from '../../errors.js'

/**
 * The processes (or threads) of one training, as this one sees them: over MPI in `@focal-loss/mpi`, over shared memory in
 * {@link sharedCollective}, or over whatever joins them.
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

/** Throws where there is no such rank. `owner` comes before the names in messages. */
export function checkRank(rank: unknown, size: unknown, owner = ''): void {
  if (typeof size !== 'number') throw wrongType(`${owner}size`, size, 'an integer >= 1')
  if (!Number.isSafeInteger(size) || size < 1) throw outOfRange(`${owner}size`, size, 'an integer >= 1')
  const expected = `an integer from 0 to ${size - 1}`
  if (typeof rank !== 'number') throw wrongType(`${owner}rank`, rank, expected)
  if (!Number.isInteger(rank) || rank < 0 || rank >= size) throw outOfRange(`${owner}rank`, rank, expected)
}
