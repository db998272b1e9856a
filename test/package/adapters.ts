/** What scripts/check-declarations.mjs compiles against the packed declarations: the adapters, beside their frameworks. */
import type { Rank, Tensor } from '@tensorflow/tfjs-core'
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { type Jax, jaxValueAndGrad } from 'focal-loss/jax'
import { type TensorFlow, tfLoss } from 'focal-loss/tfjs'
import { type DuckDB, type QueryChunk, queryChunks, type QueryConnection, registerFunctions } from 'focal-loss/duckdb'
import { type GpuDevice, type WebgpuLoss, webgpuLoss } from 'focal-loss/webgpu'

export function trained(tf: TensorFlow, labels: Tensor, logits: Tensor): Tensor<Rank.R1> {
  return tfLoss(tf, new SigmoidFocalLoss({ reduction: 'sum' }), { implementation: undefined })(labels, logits)
}

export const stepOf = (jax: Jax) => jaxValueAndGrad(jax, new SoftmaxFocalLoss(), (_weights: never, inputs: never) => inputs)

export const inSql = (duckdb: DuckDB, connection: QueryConnection & Parameters<typeof registerFunctions>[1]): AsyncGenerator<QueryChunk> => {
  registerFunctions(duckdb, connection, new SoftmaxFocalLoss())
  return queryChunks(connection, 'SELECT 1')
}
export const onGpu = (device: GpuDevice): WebgpuLoss<'mean'> => webgpuLoss(device, new SoftmaxFocalLoss())
