/** One rank among worker threads: the loss of its part of a batch, and a long array added up. */
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
parentPort?.postMessage({ ...result, long })
