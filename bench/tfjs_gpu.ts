/** How much faster `tfLoss` is fused than composed on a GPU backend of TensorFlow.js: for Node.js and pages alike. */
import type * as tfjs from '@tensorflow/tfjs-core'
import { type FocalLossBase, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { tfLoss } from 'focal-loss/tfjs'

const CLASSES = 64

/** So many steps are made in a row, and then one result is waited for, which takes some milliseconds itself; of long steps one. */
const STEPS = 4
const LONG_MS = 500

export interface Ratio {
  readonly title: string
  /** Medians in milliseconds a step, of rounds in turn. */
  readonly composed: number
  readonly fused: number
  /** By `tf.profile`, fused. */
  readonly kernels: number
}

/** How many losses {@link ratiosOf} has. */
export const LOSSES = 4

/** `tf.mean` of the loss and its gradient, of so many logits: of all losses, or of one. The backend is the one that is set. */
export async function ratiosOf(tf: typeof tfjs, logits: number, rounds: number, only?: number): Promise<Ratio[]> {
  const rows = logits / CLASSES
  const x = tf.tensor2d(Float32Array.from({ length: logits }, (_, i) => 8 * Math.sin(i)), [rows, CLASSES])
  const labels = tf.tensor2d(Float32Array.from({ length: logits }, (_, i) => Number(i % 50 === 0)), [rows, CLASSES])
  const indices = tf.tensor1d(Int32Array.from({ length: rows }, (_, i) => i % CLASSES), 'int32')
  const some = { classWeights: Array.from({ length: CLASSES }, (_, c) => 1 + c / CLASSES), ignoreIndex: 3, reduction: 'mean-positives' } as const
  const cases: readonly (readonly [string, FocalLossBase, tfjs.Tensor])[] = [
    ['SigmoidFocalLoss, labels', new SigmoidFocalLoss(), labels],
    ['SigmoidFocalLoss, class indices, weights, ignored rows', new SigmoidFocalLoss(some), indices],
    ['SoftmaxFocalLoss, class indices', new SoftmaxFocalLoss(), indices],
    ['SoftmaxFocalLoss, class indices, weights, ignored rows', new SoftmaxFocalLoss(some), indices],
  ]
  const ratios: Ratio[] = []
  for (const [title, loss, y] of only === undefined ? cases : [cases[only]]) {
    const step = (implementation: 'composed' | 'fused') => {
      const criterion = tfLoss(tf, loss, { implementation })
      return () => tf.valueAndGrad((at: tfjs.Tensor2D) => tf.mean<tfjs.Scalar>(criterion(y, at)))(x)
    }
    const steps = { composed: step('composed'), fused: step('fused') }
    const times = { composed: [] as number[], fused: [] as number[] }
    const run = async (name: 'composed' | 'fused', count: number): Promise<number> => {
      const start = performance.now()
      const results = Array.from({ length: count }, steps[name])
      await results[count - 1].value.data()
      tf.dispose(results)
      return (performance.now() - start) / count
    }
    const counts = { composed: STEPS, fused: STEPS }
    for (const name of ['composed', 'fused'] as const) {
      await run(name, 1) // which compiles
      if ((await run(name, 1)) > LONG_MS) counts[name] = 1
    }
    for (let round = 0; round < rounds; round++) {
      for (const name of ['composed', 'fused'] as const) times[name].push(await run(name, counts[name]))
    }
    const { kernels, result } = await tf.profile(steps.fused)
    tf.dispose(result)
    ratios.push({ title, composed: medianOf(times.composed), fused: medianOf(times.fused), kernels: kernels.length })
  }
  return ratios
}

function medianOf(times: number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1]
}
