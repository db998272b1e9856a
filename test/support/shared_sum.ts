/** One rank among worker threads: sums the arrays that it was given. */
import { parentPort, workerData } from 'node:worker_threads'
import { sharedCollective, type SharedCollectiveMemory } from 'focal-loss/parallel'

export interface SharedSum {
  readonly memory: SharedCollectiveMemory
  readonly rank: number
  readonly arrays: readonly (Float64Array | Float32Array)[]
}

const { memory, rank, arrays } = workerData as SharedSum
const collective = sharedCollective(memory, rank)
for (const array of arrays) await collective.allReduce(array, 'sum')
parentPort?.postMessage(arrays)
