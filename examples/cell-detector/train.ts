import { setImmediate } from 'node:timers/promises'
import * as tf from '@tensorflow/tfjs-core'
import type { Sequential } from '@tensorflow/tfjs-layers'
import { SigmoidFocalLoss } from 'focal-loss'
import { tfLoss } from 'focal-loss/tfjs'
import type { CellSet } from './dataset.js'
import { FEATURES } from './features.js'
import { CELLS } from './grid.js'
import { buildModel, IMAGES_AT_ONCE } from './model.js'
import { Random } from './random.js'
import type { Variant } from './variants.js'

export interface TrainingOptions {
  readonly epochs: number
  /** Of Adam, at the start. */
  readonly learningRate: number
  readonly seed: number
  /** Called after every step with the loss of its batch. */
  readonly onStep: (loss: number) => void
}

export interface TrainedModel {
  readonly model: Sequential
  /** The mean loss of each epoch. */
  readonly epochLosses: readonly number[]
  readonly seconds: number
  /** What of `seconds` was spent in the loss: value, gradient, and the copies from and to TensorFlow.js. */
  readonly lossSeconds: number
}

export function stepsPerEpoch(cells: CellSet): number {
  return Math.ceil(cells.names.length / IMAGES_AT_ONCE)
}

/**
 * Trains one variant. Weights and order of the images depend on the seed alone, so variants differ only in loss and bias.
 * Adam divides each step by the gradient's own size, so a loss with smaller gradients is not simply trained more slowly;
 * with plain gradient descent one learning rate for all would be no fair comparison. Even so the losses like different
 * rates: README.md shows how far that moves the result.
 */
export async function trainVariant(cells: CellSet, variant: Variant, { epochs, learningRate, seed, onStep }: TrainingOptions): Promise<TrainedModel> {
  const model = buildModel(seed, variant.bias)
  const lossOfBatch = tfLoss(tf, new SigmoidFocalLoss({ ...variant.loss }))
  const optimizer = new DecayingAdam(learningRate, epochs * stepsPerEpoch(cells))
  const random = new Random(seed)
  const started = performance.now()
  const epochLosses: number[] = []
  let lossMilliseconds = 0

  const step = (images: readonly number[]): number =>
    tf.tidy(() => {
      const [input, truth] = gatherBatch(cells, images)
      const loss = optimizer.minimize(() => {
        const logits = model.apply(input, { training: true }) as tf.Tensor2D
        const before = performance.now()
        const perCell = lossOfBatch(truth, logits)
        lossMilliseconds += performance.now() - before
        return tf.mean(perCell)
      }, true)
      if (loss === null) throw new Error('the optimizer returned no loss')
      return loss.dataSync<'float32'>()[0]
    })

  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = random.shuffle(cells.names.map((_, index) => index))
    let sum = 0
    for (let start = 0; start < order.length; start += IMAGES_AT_ONCE) {
      const images = order.slice(start, start + IMAGES_AT_ONCE)
      optimizer.decay()
      const loss = step(images)
      sum += loss * images.length
      onStep(loss)
      await setImmediate()
    }
    epochLosses.push(sum / order.length)
  }
  optimizer.dispose()
  return { model, epochLosses, seconds: (performance.now() - started) / 1000, lossSeconds: lossMilliseconds / 1000 }
}

/** Adam whose rate falls along half a cosine to zero at the last step. */
class DecayingAdam extends tf.AdamOptimizer {
  readonly #start: number
  readonly #steps: number
  #step = 0

  constructor(start: number, steps: number) {
    super(start, 0.9, 0.999)
    this.#start = start
    this.#steps = steps
  }

  /** To be called before each step. */
  decay(): void {
    this.learningRate = (this.#start / 2) * (1 + Math.cos((Math.PI * this.#step++) / this.#steps))
  }
}

function gatherBatch(cells: CellSet, images: readonly number[]): [tf.Tensor2D, tf.Tensor2D] {
  const size = images.length * CELLS
  const features = new Float32Array(size * FEATURES)
  const targets = new Float32Array(size)
  images.forEach((image, place) => {
    const from = image * CELLS
    features.set(cells.features.subarray(from * FEATURES, (from + CELLS) * FEATURES), place * CELLS * FEATURES)
    targets.set(cells.targets.subarray(from, from + CELLS), place * CELLS)
  })
  return [tf.tensor2d(features, [size, FEATURES]), tf.tensor2d(targets, [size, 1])]
}
