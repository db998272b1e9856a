/** One rank among worker threads: the loss of its part of a batch, a long array added up, and arrays that are refused. */
import { parentPort, workerData } from 'node:worker_threads'
import { SigmoidFocalLoss } from 'focal-loss'
import { parallelStep, sharedCollective, type SharedCollectiveMemory } from 'focal-loss/parallel'

export interface SharedRank {
  readonly memory: SharedCollectiveMemory
  readonly rank: number
  readonly logits: Float64Array
  readonly labels: Float64Array
  readonly length: number
}

const { memory, rank, logits, labels, length } = workerData as SharedRank
const collective = sharedCollective(memory, rank)
const loss = new SigmoidFocalLoss({ reduction: 'mean-positives', backend: 'js' })
const result = await parallelStep(loss, collective).valueAndGrad(logits, labels)
const long = Float32Array.from({ length }, (_, k) => (k + 1) * (rank + 1))
await collective.allReduce(long, 'sum')
/** What is said of arrays that differ, once shorter and once in their type; the next all-reduce is as if nothing had been. */
const refusals: string[] = []
for (const array of [new Float64Array(rank === 0 ? 0 : 3), rank === 0 ? new Float32Array(3) : new Float64Array(3)]) {
  try {
    await collective.allReduce(array, 'sum')
  } catch (error) {
    refusals.push(String(error))
  }
}
const after = Float64Array.of(rank)
await collective.allReduce(after, 'sum')
parentPort?.postMessage({ ...result, long, refusals, after: after[0] })
