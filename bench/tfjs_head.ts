/** A training step of a detector's head in TensorFlow.js: the loss composed by hand, as most people write it, and `tfLoss`. */
import type * as tfjs from '@tensorflow/tfjs-core'
import { type BackendName, SigmoidFocalLoss } from 'focal-loss'
import { tfLoss } from 'focal-loss/tfjs'

const FEATURES = 64
const CLASSES = 80
const ALPHA = 0.25
/** One anchor in so many has a class; the others are background, which is index 80. */
const ANCHORS_PER_OBJECT = 50

export interface Head {
  readonly anchors: number
  /** Hidden units of its one hidden layer. */
  readonly hidden: number
  readonly gamma: number
}

export interface Way {
  readonly name: string
  /** A step of Adam, all of it: forward, loss, backward, update. Returns the loss. */
  step(): number
  dispose(): void
}

/** The head once for each way to write the loss, with the same initial weights and the same anchors. The backend is the one that is set. */
export function waysOf(tf: typeof tfjs, { anchors, hidden, gamma }: Head, backends: readonly BackendName[]): Way[] {
  const features = tf.tensor2d(Float32Array.from({ length: anchors * FEATURES }, (_, i) => Math.sin(i * i)), [anchors, FEATURES])
  const classes = Int32Array.from({ length: anchors }, (_, i) => (i % ANCHORS_PER_OBJECT === 0 ? (i / ANCHORS_PER_OBJECT) % CLASSES : CLASSES))
  const indices = tf.tensor1d(classes, 'int32')
  const labels = tf.tensor2d(Float32Array.from({ length: anchors * CLASSES }, (_, i) => Number(classes[Math.floor(i / CLASSES)] === i % CLASSES)), [anchors, CLASSES])
  const positives = classes.filter((index) => index !== CLASSES).length

  const way = (name: string, lossOf: (logits: tfjs.Tensor2D) => tfjs.Scalar): Way => {
    const weights = initialWeights(tf, hidden)
    const optimizer = tf.train.adam(1e-3)
    const loss = () => lossOf(tf.add(tf.matMul<tfjs.Tensor2D>(tf.relu(tf.add(tf.matMul<tfjs.Tensor2D>(features, weights.w1), weights.b1)), weights.w2), weights.b2))
    return {
      name,
      step: () => tf.tidy(() => (optimizer.minimize(loss, true, Object.values(weights)) as tfjs.Scalar).dataSync()[0]),
      dispose: () => {
        optimizer.dispose()
        tf.dispose(weights)
      },
    }
  }

  const fused = backends.flatMap((backend) => {
    const loss = new SigmoidFocalLoss({ gamma, alpha: ALPHA, background: CLASSES, reduction: 'mean-positives', backend })
    const criterion = tfLoss(tf, loss)
    return [
      way(`tfLoss, ${backend}, a label per logit`, (logits) => tf.mean(criterion(labels, logits))),
      way(`tfLoss, ${backend}, class indices`, (logits) => tf.mean(criterion(indices, logits))),
    ]
  })
  return [way('composed by hand', (logits) => tf.div(composedByHand(tf, logits, labels, gamma), positives)), ...fused]
}

function initialWeights(tf: typeof tfjs, hidden: number) {
  const drawn = (rows: number, columns: number) => tf.variable(tf.randomNormal([rows, columns], 0, Math.sqrt(2 / rows), 'float32', 1)) as unknown as tfjs.Tensor2D & tfjs.Variable
  // The initial bias of the RetinaNet paper, the same for all
  return { w1: drawn(FEATURES, hidden), b1: tf.variable(tf.zeros([hidden])), w2: drawn(hidden, CLASSES), b2: tf.variable(tf.fill([CLASSES], -4.6)) }
}

/** The sum of the losses, stable, as torchvision computes it. */
function composedByHand(tf: typeof tfjs, logits: tfjs.Tensor2D, labels: tfjs.Tensor2D, gamma: number): tfjs.Scalar {
  const p = tf.sigmoid(logits)
  const crossEntropy = tf.add(tf.sub(tf.relu(logits), tf.mul(logits, labels)), tf.log1p(tf.exp(tf.neg(tf.abs(logits)))))
  const truth = tf.add(tf.mul(p, labels), tf.mul(tf.sub(1, p), tf.sub(1, labels)))
  const weight = tf.add(tf.mul(labels, ALPHA), tf.mul(tf.sub(1, labels), 1 - ALPHA))
  const rest = tf.sub(1, truth)
  const factor = gamma === 2 ? tf.square(rest) : tf.pow(rest, gamma)
  return tf.sum(tf.mul(weight, tf.mul(factor, crossEntropy)))
}
