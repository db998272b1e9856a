/**
 * What the losses do on a GPU backend of TensorFlow.js: how far they are from our own backends, how many programs run, and what is left
 * or read back. For Node.js with Dawn and pages alike; both TensorFlow.js's cpu backend and this one are registered.
 */
import type * as tfjs from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import * as focal from 'focal-loss'
import { tfLoss, type TfjsLoss, type TfjsOptions } from 'focal-loss/tfjs'
import { elementwiseNames } from './loss_names.js'
import { excess, hard, indices, logits, probabilities, seeded, shape, soft, variants } from './tfjs_variants.js'

export interface GpuVariant {
  readonly title: string
  /** As `excess` has them. */
  readonly value: number
  readonly grad: number
}

export interface GpuCost {
  /** By `tf.profile`, of value and gradient. */
  readonly kernels: number
  /** What the backend runs for them. */
  readonly programs: number
  readonly tensorsLeft: number
  readonly reads: number
}

export interface GpuReport {
  readonly variants: readonly GpuVariant[]
  /** By reduction. */
  readonly costs: Readonly<Record<string, GpuCost>>
  /** The excess of second derivatives over the composed ones. */
  readonly second: number
  /** What is said where one has none, and where it takes no labels. */
  readonly refused: readonly string[]
  /** Whether the values, and the gradients, of samples whose targets are good, none, and good are NaN. */
  readonly areNaN: readonly (readonly boolean[])[]
  /** The excess of what ignored logits of NaN and infinity change. */
  readonly holes: number
  /** The excess of losses and gradients of tensors of other shapes. */
  readonly shapes: readonly number[]
  /** Losses and gradients of batches without logits. */
  readonly empty: readonly (readonly number[])[]
  readonly training: TrainingReport
  /** On webgl, that of a softmax's gradients where no result stays packed. */
  readonly unpacked: number
}

export interface TrainingReport {
  /** What the backend runs for one `trainOnBatch`, with the loss fused and composed, and what it reads back: the loss itself. */
  readonly programs: { readonly fused: number; readonly composed: number }
  readonly reads: { readonly fused: number; readonly composed: number }
  readonly tensorsLeft: number
  /** The largest difference of weights after `trainOnBatch` and `fit` with `classWeight` and ignored labels, to those on the cpu backend. */
  readonly difference: number
}

/** What runs programs and reads back, on either GPU backend. */
type Watched = Record<'runWebGPUProgram' | 'runWebGLProgram' | 'read' | 'readSync', (...args: unknown[]) => unknown>

const reductions = ['none', 'sum', 'mean', 'mean-rows', 'mean-positives'] as const
const ignoring = { ignoreIndex: -1 } as const

type Variant = readonly [title: string, loss: TfjsLoss, targets: readonly number[]]

/** Losses that are not composed. */
const fusedOnly: readonly Variant[] = [
  ...([hard, soft, indices] as const).flatMap((targets): Variant[] => [
    ['sigmoid, gamma per class', new focal.SigmoidFocalLoss({ gamma: [0.5, 2, 3.7], backend: 'js' }), targets],
    ['sigmoid, gamma per class, smoothed', new focal.SigmoidFocalLoss({ gamma: [0, 1.7, 4], labelSmoothing: 0.1, backend: 'js' }), targets],
    ['sigmoid, cross entropy smoothed', new focal.SigmoidFocalLoss({ gamma: 1.5, labelSmoothing: 0.1, labelSmoothingOf: 'cross-entropy', backend: 'js' }), targets],
    ['softmax, gamma per class', new focal.SoftmaxFocalLoss({ gamma: [0.5, 2, 3.7], classWeights: [1, 2, 0.5], backend: 'js' }), targets],
  ]),
  ...elementwiseNames.map((name): Variant => [`${name} of probabilities`, new focal[name]({ inputs: 'probabilities', classWeights: [1, 2, 0.5], backend: 'js' }), soft]),
  ['sigmoid of probabilities, gamma per class', new focal.SigmoidFocalLoss({ inputs: 'probabilities', gamma: [0.5, 2, 3.7], reduction: 'mean-positives', backend: 'js' }), indices],
  ['softmax of probabilities', new focal.SoftmaxFocalLoss({ inputs: 'probabilities', backend: 'js' }), indices],
  ['softmax of probabilities, renormalized', new focal.SoftmaxFocalLoss({ inputs: 'probabilities', renormalize: true, gamma: [0.5, 2, 3.7], backend: 'js' }), soft],
  ['asymmetric softmax', new focal.AsymmetricSoftmaxLoss({ gammaPositive: 1, gammaNegative: 3, backend: 'js' }), indices],
  ['asymmetric softmax, gamma 0.5', new focal.AsymmetricSoftmaxLoss({ gammaNegative: 0.5, labelSmoothing: 0.4, backend: 'js' }), indices],
]

export async function gpuReport(tf: typeof tfjs, backend: string, names: readonly string[]): Promise<GpuReport> {
  const chosen: Variant[] = [
    ...variants.filter(([, name]) => names.includes(name)).map(([title, name, options, targets]): Variant => [title, new focal[name]({ backend: 'js', ...options }), targets]),
    ...fusedOnly,
  ]
  await tf.setBackend('cpu')
  const expected: { value: Float32Array; grad: Float32Array }[] = []
  for (const variant of chosen) expected.push(await results(tf, variant, { implementation: 'fused' }))
  await tf.setBackend(backend)
  const compared: GpuVariant[] = []
  for (const [i, variant] of chosen.entries()) {
    const { value, grad } = await results(tf, variant, {})
    compared.push({ title: variant[0], value: excess(value, expected[i].value), grad: excess(grad, expected[i].grad) })
  }
  const costs: Record<string, GpuCost> = {}
  for (const reduction of reductions) for (const name of ['SigmoidFocalLoss', 'SoftmaxFocalLoss'] as const) {
    costs[`${name}, ${reduction}`] = await costOf(tf, new focal[name]({ reduction, ...ignoring }))
  }
  return { variants: compared, costs, second: await secondOf(tf), refused: refusals(tf), areNaN: await areNaN(tf), holes: await holesOf(tf), shapes: await shapesOf(tf, backend), empty: await emptyOf(tf), training: await trainingOf(tf, backend), unpacked: backend === 'webgl' ? await unpackedOf(tf) : 0 }
}

async function results(tf: typeof tfjs, [, loss, targets]: Variant, implementation: TfjsOptions) {
  const { value, grad } = seeded(tf, loss, implementation, targets, loss.constants?.inputs === 'probabilities' ? probabilities : logits)()
  const read = { value: await value.data<'float32'>(), grad: await grad.data<'float32'>() }
  tf.dispose([value, grad])
  return read
}

async function costOf(tf: typeof tfjs, loss: focal.FocalLossBase): Promise<GpuCost> {
  const criterion = tfLoss(tf, loss)
  // So many a sample that they are added up in parts
  const [x, y] = [logits, Float32Array.from(hard)].map((numbers) => tf.tensor2d(Float32Array.from({ length: 600 }, (_, i) => numbers[i % numbers.length]), [6, 100]))
  const dy = tf.ones([6])
  const call = () => tf.grad((at) => criterion(y, at))(x, dy)
  tf.dispose(call())
  const [before, counts] = [tf.memory().numTensors, { programs: 0, reads: 0 }]
  const restore = watch(tf.backend() as unknown as Watched, counts)
  tf.dispose(call())
  restore()
  // Profiling may read
  const { kernels, result } = await tf.profile(call)
  tf.dispose(result)
  const cost = { kernels: kernels.length, ...counts, tensorsLeft: tf.memory().numTensors - before }
  tf.dispose([x, y, dy])
  return cost
}

function watch(backend: Watched, counts: { programs: number; reads: number }): () => void {
  const counted = { runWebGPUProgram: 'programs', runWebGLProgram: 'programs', read: 'reads', readSync: 'reads' } as const
  const names = (Object.keys(counted) as (keyof typeof counted)[]).filter((name) => name in backend)
  for (const name of names) {
    const original = backend[name]
    backend[name] = (...args) => {
      counts[counted[name]]++
      return original.apply(backend, args)
    }
  }
  return () => names.forEach((name) => Reflect.deleteProperty(backend, name))
}

async function secondOf(tf: typeof tfjs): Promise<number> {
  const moderate = logits.map((x) => 3 * Math.tanh(x / 20))
  const [x, y] = [tf.tensor2d(moderate, shape), tf.tensor2d(soft, shape)]
  const of = async (options: TfjsOptions) => {
    const criterion = tfLoss(tf, new focal.SigmoidFocalLoss(ignoring), options)
    const grad = tf.grad((at) => tf.sum(tf.mul(criterion(y, at), criterion(y, at))))
    return tf.grad((at) => tf.sum(tf.square(grad(at))))(x).data()
  }
  return excess(await of({}), await of({ implementation: 'composed' }))
}

function refusals(tf: typeof tfjs): string[] {
  const [x, y] = [tf.tensor2d(logits, shape), tf.tensor2d(hard, shape)]
  const criterion = tfLoss(tf, new focal.SigmoidFocalLoss({ gamma: [1, 2, 3] }))
  const calls = [() => tf.grad((at) => tf.sum(tf.grad((at) => criterion(y, at))(at)))(x), () => tfLoss(tf, new focal.AsymmetricSoftmaxLoss())(y, x)]
  return calls.map((call) => {
    try {
      return String(call())
    } catch (error) {
      return (error as Error).message
    }
  })
}

async function areNaN(tf: typeof tfjs): Promise<boolean[][]> {
  const criterion = tfLoss(tf, new focal.SigmoidFocalLoss({ reduction: 'sum' }))
  const x = tf.tensor2d([1, -1, 0.5, 2, -0.5, 0.25], [3, 2])
  const given = [[1, 0, NaN, 0, 0, 1], [1, 0, 1.01, 0, 0, 1], [1, 2, 0], [1, 0.5, 0], [1, NaN, 0], [1, -1, 0]].map((numbers) => tf.tensor(numbers, numbers.length === 3 ? [3] : [3, 2]))
  // The gradient's in each sample
  const all = given.flatMap((y) => [criterion(y, x), tf.sum(tf.grad((at) => criterion(y, at))(x), 1)])
  const ofProbability = tfLoss(tf, new focal.SigmoidFocalLoss({ inputs: 'probabilities', reduction: 'sum' }))
  const [p, good] = [tf.tensor2d([1, 0, 0.5, 1.01, 1, 0.25], [3, 2]), tf.tensor2d([1, 0, 0, 0, 0, 1], [3, 2])]
  all.push(ofProbability(good, p), tf.sum(tf.grad((at) => ofProbability(good, at))(p), 1))
  return Promise.all(all.map(async (each) => Array.from(await each.data(), Number.isNaN)))
}

async function holesOf(tf: typeof tfjs): Promise<number> {
  const loss = new focal.SigmoidFocalLoss({ ...ignoring, reduction: 'mean-rows' })
  const targets = hard.map((y, i) => (i === 3 || i === 8 ? -1 : y))
  const grads = [logits, logits.with(3, NaN).with(8, Infinity)].map((of) => seeded(tf, loss, {}, targets, of)().grad)
  const [whole, holes] = await Promise.all(grads.map((each) => each.data()))
  return excess(holes, whole)
}

/** Losses and gradients of batches of every rank, whose logits are packed, of samples of many logits, and of more than a texture has in a row. */
async function shapesOf(tf: typeof tfjs, backend: string): Promise<number[]> {
  const loss = new focal.SigmoidFocalLoss({ alpha: [0.25, 0.5, 0.75] })
  const given = [shape, [2, 3, 3], [3, 1, 2, 3], [1, 1, 6, 1, 3], [2, 60, 3], [17_001, 3]].flatMap((each) => [[each, hard] as const, [each, indices] as const])
  const of = async ([each, targets]: (typeof given)[number]) => {
    const rows = each.reduce((a, b) => a * b) / 3
    const repeated = (numbers: ArrayLike<number>, length: number) => Array.from({ length }, (_, i) => numbers[i % numbers.length])
    const y = targets === hard ? tf.tensor(repeated(hard, 3 * rows), each) : tf.tensor(repeated(indices, rows), each.slice(0, -1))
    // Of a product, the texture is packed
    const made = (x: tfjs.Tensor) => tf.reshape(tf.matMul(tf.reshape(x, [rows, 3]), tf.tensor2d([1, 0, 0, 0, 1, 0, 0, 0, 1], [3, 3])), each)
    const { value, grad } = tf.valueAndGrad((x: tfjs.Tensor) => tf.sum<tfjs.Scalar>(tfLoss(tf, loss)(y, made(x))))(tf.tensor2d(repeated(logits, 3 * rows), [rows, 3]))
    return [...(await value.data()), ...(await grad.data())]
  }
  await tf.setBackend('cpu')
  const expected = await Promise.all(given.map(of))
  await tf.setBackend(backend)
  return Promise.all(given.map(async (each, i) => excess(await of(each), expected[i])))
}

async function emptyOf(tf: typeof tfjs): Promise<number[][]> {
  const given = [[new focal.SigmoidFocalLoss(), [0, 3]], [new focal.SigmoidFocalLoss(ignoring), [2, 0, 3]], [new focal.SoftmaxFocalLoss(), [0, 3]]] as const
  return Promise.all(given.map(async ([loss, shape]) => {
    const criterion = tfLoss(tf, loss)
    const y = tf.zeros([...shape])
    const grad = tf.grad((at) => criterion(y, at))(tf.zeros([...shape]))
    return [...(await criterion(y, tf.zeros([...shape])).data()), ...grad.shape]
  }))
}

async function trainingOf(tf: typeof tfjs, backend: string): Promise<TrainingReport> {
  const x = tf.tensor2d(Float32Array.from({ length: 80 }, (_, i) => Math.sin(i)), [20, 4])
  const y = tf.tensor2d(Float32Array.from({ length: 60 }, (_, i) => (i % 7 === 0 ? -1 : Number(i % 3 === i % 4))), [20, 3])
  const train = async (implementation: 'fused' | 'composed') => {
    const network = layers.sequential({ layers: [layers.layers.dense({ units: 3, inputShape: [4], kernelInitializer: 'ones' })] })
    network.compile({ optimizer: tf.train.sgd(0.5), loss: tfLoss(tf, new focal.SigmoidFocalLoss(ignoring), { implementation }) })
    const counts = { programs: 0, reads: 0 }
    await network.trainOnBatch(x, y)
    const before = tf.memory().numTensors
    const restore = watch(tf.backend() as unknown as Watched, counts)
    await network.trainOnBatch(x, y)
    restore()
    const tensorsLeft = tf.memory().numTensors - before
    await network.fit(x, y, { epochs: 3, verbose: 0, shuffle: false, batchSize: 7, classWeight: { 0: 1, 1: 3, 2: 0.5 } })
    const weights = await network.getWeights()[0].data()
    network.dispose()
    return { ...counts, tensorsLeft, weights }
  }
  await tf.setBackend('cpu')
  const { weights } = await train('fused')
  await tf.setBackend(backend)
  const [fused, composed] = [await train('fused'), await train('composed')]
  return {
    programs: { fused: fused.programs, composed: composed.programs },
    reads: { fused: fused.reads, composed: composed.reads },
    tensorsLeft: fused.tensorsLeft,
    difference: Math.max(...[fused, composed].flatMap((each) => Array.from(each.weights, (w, i) => Math.abs(w - weights[i])))),
  }
}

async function unpackedOf(tf: typeof tfjs): Promise<number> {
  const of = () => seeded(tf, new focal.SoftmaxFocalLoss(), {}, indices)().grad.data()
  const expected = await of()
  tf.env().set('WEBGL_LAZILY_UNPACK', false)
  const actual = await of()
  tf.env().set('WEBGL_LAZILY_UNPACK', true)
  return excess(actual, expected)
}
