/** Runs in the page: a model of TensorFlow.js is trained on each of its backends that browsers have. */
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import '@tensorflow/tfjs-backend-webgl'
import '@tensorflow/tfjs-backend-webgpu'
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { tfLoss, type TfjsLoss } from 'focal-loss/tfjs'

export interface TfjsReport {
  readonly backend: string
  /** Whether the loss read the data: it is fused then. */
  readonly read: boolean
  /** The largest difference of the gradients of a batch to our own, over the largest of them. */
  readonly gradientError: number
  readonly firstLoss: number
  readonly lastLoss: number
  readonly tensorsLeft: number
}

const inputs = Float32Array.from({ length: 128 }, (_, i) => (i % 2 === 0 ? Math.sin(i) : Math.cos(3 * i)))
const labels = Float32Array.from({ length: 64 }, (_, i) => Number(inputs[2 * i] > 0.5))

/** The loss, and whether its own backends were used. */
function watched(loss: SigmoidFocalLoss | SoftmaxFocalLoss): { loss: TfjsLoss; read: () => boolean } {
  let read = false
  const { options, constants } = loss
  const sums: TfjsLoss['sums'] = (logits, targets, call) => {
    read = true
    return loss.sums(logits, targets, call)
  }
  return { loss: { options, constants, sums, denominator: (counts) => loss.denominator(counts) }, read: () => read }
}

async function gradientError(): Promise<number> {
  const shape: [number, number] = [32, 4]
  const indices = Int32Array.from({ length: 32 }, (_, i) => i % 4)
  let worst = 0
  for (const loss of [new SigmoidFocalLoss({ reduction: 'mean-positives' }), new SoftmaxFocalLoss({ gamma: 1.5 })]) {
    const { grad } = loss.valueAndGrad(inputs.map((x) => 5 * x), indices, { shape })
    const criterion = tfLoss(tf, loss)
    const computed = await tf.grad((x) => tf.mean(criterion(tf.tensor1d(indices), x)))(tf.mul(tf.tensor2d(inputs, shape), 5)).data()
    const largest = Math.max(...grad.map(Math.abs))
    computed.forEach((g, i) => (worst = Math.max(worst, Math.abs(g - grad[i]) / largest)))
  }
  return worst
}

async function train(backend: string): Promise<TfjsReport> {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no ${backend} backend here`)
  const { loss, read } = watched(new SigmoidFocalLoss({ alpha: null }))
  const error = await gradientError()
  const network = layers.sequential({ layers: [layers.layers.dense({ units: 1, inputShape: [2], kernelInitializer: 'zeros' })] })
  network.compile({ optimizer: tf.train.adam(0.1), loss: tfLoss(tf, loss) })
  const [x, y] = [tf.tensor2d(inputs, [64, 2]), tf.tensor2d(labels, [64, 1])]
  const fit = async (epochs: number) => (await network.fit(x, y, { epochs, verbose: 0, batchSize: 16, classWeight: { 0: 1, 1: 2 } })).history.loss as number[]
  const [firstLoss] = await fit(1)
  const before = tf.memory().numTensors
  const losses = await fit(20)
  return { backend, read: read(), gradientError: error, firstLoss, lastLoss: losses[19], tensorsLeft: tf.memory().numTensors - before }
}

setWasmPaths('/tfjs-wasm/')
const result: TfjsReport[] = []
for (const backend of ['cpu', 'wasm', 'webgl', 'webgpu']) result.push(await train(backend))
Object.assign(globalThis, { result })
