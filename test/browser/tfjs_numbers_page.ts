/** Runs in the page: the losses on TensorFlow.js, composed or as they are by default, against their definitions, on the backend that the address names. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-webgl'
import '@tensorflow/tfjs-backend-webgpu'
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { tfLoss, tfMetrics, type TfjsOptions } from 'focal-loss/tfjs'
import { type Agreement, agreements, agreementsOfProbabilities, type Mean, means } from '../support/tfjs_agreement.js'

export interface TfjsNumbers {
  readonly backend: string
  readonly agreements: readonly Agreement[]
  /** None of the composed form, which takes logits only. */
  readonly agreementsOfProbabilities: readonly Agreement[]
  readonly means: readonly Mean[]
  /** Of samples with a good label, a NaN, one out of range: whether the loss, and the gradient, is a number. */
  readonly areNumbers: readonly (readonly boolean[])[]
  /** Accuracy, precision and recall of a sigmoid, and accuracy of a weighted softmax. */
  readonly metrics: readonly number[]
}

const { searchParams } = new URL(location.href)
const isHalf = searchParams.has('half')
const form: TfjsOptions = searchParams.has('composed') ? { implementation: 'composed' } : {}

async function numbersOf(): Promise<boolean[][]> {
  const criterion = tfLoss(tf, new SigmoidFocalLoss(), form)
  const [y, x] = [tf.tensor2d([[1], [NaN], [2]]), tf.tensor2d([[0.5], [0.5], [0.5]])]
  const results = [criterion(y, x), tf.grad((at) => tf.sum(criterion(y, at)))(x)]
  return Promise.all(results.map(async (each) => Array.from(await each.data(), (number) => !Number.isNaN(number))))
}

async function metricsOf(): Promise<number[]> {
  const { accuracy, precision, recall } = tfMetrics(tf, new SigmoidFocalLoss({ alpha: null }))
  const [y, x] = [tf.tensor2d([[0], [1], [1], [1]]), tf.tensor2d([[-2], [0.25], [-1], [2]])]
  const weighted = tfMetrics(tf, new SoftmaxFocalLoss({ alpha: [0.1, 0.9] }))
  // By its weights the first class is on top of the first row, not the second
  const all = [accuracy, precision, recall].map((metric) => metric(y, x)).concat(weighted.accuracy(tf.tensor1d([0, 1], 'int32'), tf.tensor2d([[0, 0.5], [-9, 9]])))
  return Promise.all(all.map(async (each) => (await each.data())[0]))
}

if (isHalf) tf.env().set('WEBGL_FORCE_F16_TEXTURES', true)
await tf.setBackend(searchParams.get('backend') ?? '')
const result: TfjsNumbers = {
  backend: tf.getBackend(),
  areNumbers: await numbersOf(),
  metrics: await metricsOf(),
  means: await (isHalf ? means(tf, form, 2 ** 17, [1, 8, 2 ** 17]) : means(tf, form, 5000, [8])),
  agreements: await agreements(tf, form),
  agreementsOfProbabilities: form.implementation === 'composed' ? [] : await agreementsOfProbabilities(tf),
}
Object.assign(globalThis, { result })
