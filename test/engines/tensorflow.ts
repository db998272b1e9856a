/** What is asked of the loss of TensorFlow.js: value, gradient and training, on those of its backends that the program has registered. Runs in the engine itself. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-core/dist/register_all_gradients'
import '@tensorflow/tfjs-backend-cpu'
import * as focal from 'focal-loss'
import { tfLoss, type TfjsOptions } from 'focal-loss/tfjs'
import { agreements } from '../support/tfjs_agreement.js'

/** Largest relative errors that docs/tensorflow.md and docs/accuracy.md allow: by this package's kernels on the host, by those on a GPU, and composed. */
const HOST = 8e-6
const GPU = 1e-5
const COMPOSED = 2e-5
/** Of weights after some steps of training in float32. */
const TRAINED = 1e-5

export interface TensorFlowFindings {
  /** Those of TensorFlow.js that run. */
  readonly backends: readonly string[]
  readonly failures: readonly string[]
}

/** `names` are this package's backends, each of which computes the fused loss on the host. */
export async function checkTensorFlow(names: readonly focal.BackendName[]): Promise<TensorFlowFindings> {
  await tf.setBackend('cpu')
  const failures = [...(await errors('composed', { implementation: 'composed' }, COMPOSED)), ...(await trainingErrors('composed', { implementation: 'composed' }))]
  for (const name of names) {
    focal.setBackend(name)
    failures.push(...(await errors(`fused on ${name}`, {}, HOST)), ...(await trainingErrors(`fused on ${name}`, {})))
  }
  focal.setBackend('auto')
  const hasGpu = tf.findBackendFactory('webgl') !== null && (await tf.setBackend('webgl'))
  if (hasGpu) failures.push(...(await errors('fused', {}, GPU)), ...(await trainingErrors('fused', {})))
  return { backends: hasGpu ? ['cpu', 'webgl'] : ['cpu'], failures }
}

async function errors(how: string, form: TfjsOptions, limit: number): Promise<string[]> {
  const all = await agreements(tf, form)
  const bad = all.filter(({ value, grad, isFinite }) => !(isFinite && value <= limit && grad <= limit))
  return bad.map(({ title, value, grad }) => `tfjs ${tf.getBackend()}, ${how}: ${title}: value errs by ${value}, gradient by ${grad}, and may by ${limit}`)
}

const ROWS = 24
const FEATURES = 4
const CLASSES = 3
const STEPS = 3
const RATE = 0.5
const inputs = Float32Array.from({ length: ROWS * FEATURES }, (_, i) => Math.sin(i))
const start = Float32Array.from({ length: FEATURES * CLASSES }, (_, i) => Math.cos(i))
const labels = Float32Array.from({ length: ROWS * CLASSES }, (_, i) => Number(i % 7 === 0))
const classes = Int32Array.from({ length: ROWS }, (_, i) => i % CLASSES)

/** A linear model after some steps of gradient descent, as TensorFlow.js and as double precision take them. */
async function trainingErrors(how: string, form: TfjsOptions): Promise<string[]> {
  const failures: string[] = []
  for (const [name, targets] of [['SigmoidFocalLoss', labels], ['SoftmaxFocalLoss', classes]] as const) {
    const options = { reduction: 'mean-positives' } as const
    const expected = trainedExactly(new focal[name]({ ...options, backend: 'js' }), targets)
    const actual = await trained(new focal[name](options), targets, form)
    const error = Math.max(...expected.map((weight, i) => Math.abs(weight - actual[i])))
    if (!(error <= TRAINED)) failures.push(`tfjs ${tf.getBackend()}, ${how}: ${name}: weights after ${STEPS} steps err by ${error}, and may by ${TRAINED}`)
  }
  return failures
}

async function trained(loss: focal.FocalLossBase, targets: Float32Array | Int32Array, form: TfjsOptions): Promise<Float32Array> {
  const criterion = tfLoss(tf, loss, form)
  const optimizer = tf.train.sgd(RATE)
  const weights = tf.variable(tf.tensor2d(start, [FEATURES, CLASSES]))
  const [x, y] = [tf.tensor2d(inputs, [ROWS, FEATURES]), tf.tensor(targets, targets.length === ROWS ? [ROWS] : [ROWS, CLASSES])]
  for (let step = 0; step < STEPS; step++) optimizer.minimize(() => tf.mean(criterion(y, tf.matMul(x, weights))))
  const result = (await weights.data()) as Float32Array
  tf.dispose([weights, x, y])
  return result
}

function trainedExactly(loss: focal.FocalLossBase, targets: Float32Array | Int32Array): Float64Array {
  const weights = Float64Array.from(start)
  const over = (length: number, term: (k: number) => number) => Array.from({ length }, (_, k) => term(k)).reduce((a, b) => a + b)
  for (let step = 0; step < STEPS; step++) {
    const logits = Float64Array.from({ length: ROWS * CLASSES }, (_, i) => {
      const [row, c] = [Math.floor(i / CLASSES), i % CLASSES]
      return over(FEATURES, (k) => inputs[row * FEATURES + k] * weights[k * CLASSES + c])
    })
    const { grad } = loss.valueAndGrad(logits, targets, { shape: [ROWS, CLASSES] })
    weights.forEach((weight, i) => {
      const [k, c] = [Math.floor(i / CLASSES), i % CLASSES]
      weights[i] = weight - RATE * over(ROWS, (row) => inputs[row * FEATURES + k] * grad[row * CLASSES + c])
    })
  }
  return weights
}
