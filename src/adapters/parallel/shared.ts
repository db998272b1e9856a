/** Ranks that are threads of one process, over memory that they share: for tests, and for the cores of one machine. */
import { surplus, wrongType } from '../../errors.js'
import { checkRank, type Collective } from './collective.js'

/** What {@link sharedMemory} makes, and every thread is handed: a message carries it. */
export interface SharedCollectiveMemory {
  /** How many ranks there are. */
  readonly size: number
  /** What they share. */
  readonly buffer: SharedArrayBuffer
}

/** Doubles of each rank that are added up in one go; longer arrays go in stretches. */
const STRETCH = 1 << 14

/** Two counters of a barrier: how many have come, and how often all had. */
const COUNTERS = 2
const HEADER_BYTES = 4 * COUNTERS

/** Memory for the collective of `size` threads, 128 kB each. */
export function sharedMemory(size: number): SharedCollectiveMemory {
  if (arguments.length > 1) throw surplus('sharedMemory()', 1, arguments.length)
  checkRank(0, size)
  return { size, buffer: new SharedArrayBuffer(HEADER_BYTES + 8 * STRETCH * size) }
}

/**
 * The collective of threads that share `memory`: of worker threads of Node.js, or of a page's. It waits without a turn of the
 * event loop, so the main thread of a page, which may not wait, is no rank.
 *
 * All ranks get the same bits: numbers are added up in the order of the ranks, in double precision.
 */
export function sharedCollective(memory: SharedCollectiveMemory, rank: number): Collective {
  if (arguments.length > 2) throw surplus('sharedCollective()', 2, arguments.length)
  if (!(memory?.buffer instanceof SharedArrayBuffer)) throw wrongType('memory', memory, 'what sharedMemory() has made')
  const { size, buffer } = memory
  checkRank(rank, size)
  const counters = new Int32Array(buffer, 0, COUNTERS)
  const parts = Array.from({ length: size }, (_, r) => new Float64Array(buffer, HEADER_BYTES + 8 * STRETCH * r, STRETCH))
  const barrier = () => {
    const round = Atomics.load(counters, 1)
    if (Atomics.add(counters, 0, 1) === size - 1) {
      Atomics.store(counters, 0, 0)
      Atomics.add(counters, 1, 1)
      Atomics.notify(counters, 1)
    } else {
      while (Atomics.load(counters, 1) === round) Atomics.wait(counters, 1, round)
    }
  }
  return {
    rank,
    size,
    allReduce(array) {
      for (let from = 0; from < array.length; from += STRETCH) {
        const stretch = array.subarray(from, from + STRETCH)
        parts[rank].set(stretch)
        barrier()
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
