import type { SoftmaxFocalLoss } from 'focal-loss'
import { Random } from '../cell-detector/random.js'
import { Adam } from '../data-parallel/adam.js'
import { Network, type Numbers } from '../data-parallel/network.js'
import { CLASSES, FEATURES, type Points } from './data.js'

const HIDDEN = 48
const BATCH = 50
export const RATE = 0.003

export interface TrainOptions {
  readonly epochs: number
  /** Of Adam. */
  readonly rate: number
  readonly seed: number
}

/** A network of one hidden layer, trained by Adam. Weights and batches depend on the seed alone. */
export function train({ features, labels }: Points, loss: SoftmaxFocalLoss, { epochs, rate, seed }: TrainOptions): Network {
  const random = new Random(seed)
  const network = new Network([FEATURES, HIDDEN, CLASSES], 'float32', random, 0)
  const adam = new Adam(network.parameters.length, rate)
  const order = Array.from(labels.keys())
  let step = 0
  for (let epoch = 0; epoch < epochs; epoch++) {
    const shuffled = random.shuffle(order)
    for (let start = 0; start < shuffled.length; start += BATCH) {
      const batch = shuffled.slice(start, start + BATCH)
      const rows = new Float32Array(batch.length * FEATURES)
      batch.forEach((point, at) => rows.set(features.subarray(point * FEATURES, (point + 1) * FEATURES), at * FEATURES))
      const { grad } = loss.valueAndGrad(float32(network.forward(rows)), Int32Array.from(batch, (point) => labels[point]), { shape: [batch.length, CLASSES] })
      network.backward(grad, () => undefined)
      adam.update(network.parameters, network.gradients, ++step)
    }
  }
  return network
}

export function logitsOf(network: Network, { features }: Points): Float32Array {
  return float32(network.forward(features))
}

function float32(numbers: Numbers): Float32Array {
  return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers)
}
