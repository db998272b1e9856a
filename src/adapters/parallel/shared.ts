/** Ranks that are threads of one process, over shared memory: for tests, and for the cores of one machine. */
import { checkNames, checkRecord } from '../../arguments.js'
import { outOfRange, surplus, wrongType } from '../../errors.js'
import { checkRank, checkSum, type Collective, differentArrays } from './collective.js'

/** What {@link sharedMemory} makes, and every thread is handed: a message carries it. */
export interface SharedCollectiveMemory {
  /** How many ranks there are. */
  readonly size: number
  /** What they share. */
  readonly buffer: SharedArrayBuffer
}

/** How the threads of a {@link sharedCollective} wait. */
export interface SharedCollectiveOptions {
  /** How many seconds a thread waits for the others: a number > 0. Default 300. */
  timeout?: number | undefined
}

/** Doubles of each rank that are added up in one go; longer arrays go in stretches. */
const STRETCH = 1 << 14

/** Two counters of a barrier: how many have come, and how often all had. */
const COUNTERS = 2
const HEADER_BYTES = 4 * COUNTERS
/** What each rank tells of its array: the bytes of a number, and how many numbers. */
const TOLD = 2
/** Of each rank. */
const RANK_BYTES = 8 * (TOLD + STRETCH)
const DEFAULT_TIMEOUT = 300

/** Memory for the collective of `size` threads, 128 kB each. */
export function sharedMemory(size: number): SharedCollectiveMemory {
  if (arguments.length > 1) throw surplus('sharedMemory()', 1, arguments.length)
  checkRank(0, size)
  return { size, buffer: new SharedArrayBuffer(HEADER_BYTES + RANK_BYTES * size) }
}

/**
 * The collective of threads that share `memory`: of worker threads of Node.js, or of a page's. It waits without a turn of the
 * event loop, so the main thread of a page, which may not wait, is no rank.
 *
 * All ranks get the same bits: numbers are added up in the order of the ranks, in double precision. Arrays of different types or lengths are a RangeError on all ranks;
 * a rank that does not come within `timeout` seconds is an Error on the others, for which the job has ended.
 */
export function sharedCollective(memory: SharedCollectiveMemory, rank: number, options: SharedCollectiveOptions = {}): Collective {
  if (arguments.length > 3) throw surplus('sharedCollective()', 3, arguments.length)
  checkRecord('options', options)
  checkNames(options, new Set(['timeout']), 'sharedCollective()')
  const { timeout = DEFAULT_TIMEOUT } = options
  if (typeof timeout !== 'number') throw wrongType('timeout', timeout, 'a number of seconds > 0')
  if (!(timeout > 0)) throw outOfRange('timeout', timeout, 'a number of seconds > 0')
  if (!(memory?.buffer instanceof SharedArrayBuffer)) throw wrongType('memory', memory, 'what sharedMemory() has made')
  const { size, buffer } = memory
  checkRank(rank, size)
  const counters = new Int32Array(buffer, 0, COUNTERS)
  const told = Array.from({ length: size }, (_, r) => new Float64Array(buffer, HEADER_BYTES + RANK_BYTES * r, TOLD))
  const parts = told.map(({ byteOffset }) => new Float64Array(buffer, byteOffset + 8 * TOLD, STRETCH))
  let end: Error | undefined
  const barrier = () => {
    const round = Atomics.load(counters, 1)
    if (Atomics.add(counters, 0, 1) === size - 1) {
      Atomics.store(counters, 0, 0)
      Atomics.add(counters, 1, 1)
      Atomics.notify(counters, 1)
    } else {
      while (Atomics.load(counters, 1) === round) {
        if (Atomics.wait(counters, 1, round, 1000 * timeout) !== 'timed-out') continue
        end = new Error(`allReduce has waited ${timeout} s for the other threads; one has ended, hangs, or calls something else (sharedCollective's timeout changes the limit)`)
        throw end
      }
    }
  }
  return {
    rank,
    size,
    allReduce(array, operation) {
      checkSum(array, operation)
      if (end !== undefined) throw end
      told[rank].set([array.BYTES_PER_ELEMENT, array.length])
      // Once at least: another rank's array may be longer
      for (let from = 0; from === 0 || from < array.length; from += STRETCH) {
        const stretch = array.subarray(from, from + STRETCH)
        parts[rank].set(stretch)
        barrier()
        const other = told.findIndex(([bytes, length]) => bytes !== told[0][0] || length !== told[0][1])
        if (other >= 0) {
          const [first, second] = [told[0], told[other]].map(([bytes, length]) => ({ type: bytes === 4 ? 'Float32Array' : 'Float64Array', length }))
          barrier()
          throw differentArrays(first, second, other)
        }
        for (let k = 0; k < stretch.length; k++) {
          let sum = 0
          for (let r = 0; r < size; r++) sum += parts[r][k]
          stretch[k] = sum
        }
        // Nobody may write the next stretch before all have read this one
        barrier()
      }
    },
  }
}
