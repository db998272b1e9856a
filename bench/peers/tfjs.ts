/**
 * TensorFlow.js: the loss composed of its operations as people write it, and this package's tfLoss; the gradient by its automatic
 * differentiation.
 */
import { createRequire } from 'node:module'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { type BackendName, SigmoidFocalLoss } from 'focal-loss'
import { tfLoss } from 'focal-loss/tfjs'
import type { BenchProblem } from '../../src/cli/bench/cases.js'
import { type Contestant, runnable, titleOf, useThreads } from '../contestants.js'
import type { Missing, Peer } from './peer.js'

const ALPHA = 0.25
/** cpu takes more than a microsecond per logit. */
const LARGEST = { cpu: 1_000_000, wasm: Infinity }

/** The stable composition everybody writes, as in torchvision; summed by rows first, for the digits of the sum. */
function composedLoss(logits: tf.Tensor2D, labels: tf.Tensor2D): tf.Scalar {
  return tf.tidy(() => {
    const p = tf.sigmoid(logits)
    const crossEntropy = tf.add(
      tf.sub(tf.relu(logits), tf.mul(logits, labels)),
      tf.log1p(tf.exp(tf.neg(tf.abs(logits)))),
    )
    const right = tf.add(tf.mul(p, labels), tf.mul(tf.sub(1, p), tf.sub(1, labels)))
    const weight = tf.add(tf.mul(labels, ALPHA), tf.mul(tf.sub(1, labels), 1 - ALPHA))
    const losses = tf.mul(weight, tf.mul(tf.square(tf.sub(1, right)), crossEntropy))
    return tf.sum(tf.sum(losses, 1))
  })
}

type LossOfLogits = (logits: tf.Tensor2D, labels: tf.Tensor2D) => tf.Scalar

/** tfLoss gives one value a sample, whose mean is the loss. */
function ours(implementation: 'fused' | 'composed', backend?: BackendName): LossOfLogits {
  const criterion = tfLoss(tf, new SigmoidFocalLoss({ alpha: ALPHA, reduction: 'sum', backend }), { implementation })
  return (logits, labels) => tf.mean<tf.Scalar>(criterion(labels, logits))
}

/** The same loss in several ways, by what follows the name of the backend in tables. */
function implementations(): ReadonlyMap<string, LossOfLogits> {
  const ways = new Map([['', composedLoss], [', tfLoss composed', ours('composed')]])
  for (const name of runnable(['native-1', 'wasm'])) ways.set(`, tfLoss ${titleOf(name)}`, ours('fused', name === 'wasm' ? 'wasm' : 'native'))
  return ways
}

export async function tfjsPeers(): Promise<readonly Peer[] | Missing> {
  // No greeting
  tf.env().set('PROD', true)
  // The gradients of its operations come apart from them, in a file that Node.js can only require
  createRequire(import.meta.url)('@tensorflow/tfjs-core/dist/register_all_gradients')
  const peers: Peer[] = []
  for (const backend of ['cpu', 'wasm'] as const) {
    if (!(await tf.setBackend(backend))) return { missing: `TensorFlow.js: its ${backend} backend does not start here.` }
    for (const [name, loss] of implementations()) {
      peers.push({
        loss: 'dense-hard',
        largest: LARGEST[backend],
        tolerance: 1e-3,
        contestant: (problem) => tfjsContestant(backend, name, loss, problem),
      })
    }
  }
  return peers
}

async function tfjsContestant(
  backend: 'cpu' | 'wasm',
  name: string,
  loss: LossOfLogits,
  { logits, targets, case: { classes } }: BenchProblem,
): Promise<Contestant> {
  await tf.setBackend(backend)
  const shape: [number, number] = [logits.length / classes, classes]
  const x = tf.tensor2d(logits as Float32Array, shape)
  const y = tf.tensor2d(targets as Float32Array, shape)
  const valueAndGrad = tf.valueAndGrad((at: tf.Tensor) => loss(at as tf.Tensor2D, y))
  return {
    who: `TensorFlow.js ${backend}${name}`,
    threads: 1,
    role: 'peer',
    begin: async () => {
      useThreads(1)
      await tf.setBackend(backend)
    },
    outcome: () =>
      tf.tidy(() => {
        const { value, grad } = valueAndGrad(x)
        return { sum: value.dataSync()[0], grad: grad.dataSync() }
      }),
    work: {
      kind: 'sync',
      // Both backends compute at once; the gradient may stay where it is, as in training
      call: () => tf.tidy(() => valueAndGrad(x).value.dataSync()[0]),
    },
    end: () => tf.dispose([x, y]),
  }
}
