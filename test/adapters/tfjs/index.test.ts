import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Reduction, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { tfLoss, type TfjsLoss } from 'focal-loss/tfjs'
import { elementwiseNames, elementwiseOf, lossNames, lossOf, ofPower } from '../../support/losses.js'

const logits = Float32Array.of(1, -2, 0.5, 3, 0.25, -1, 0.1, -0.3, 2, -2, 0, 1)
const dense = [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0]
const indices = [0, 1, 2, 0]
const shape: [number, number] = [4, 3]

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('tfLoss', () => {
  it.each<Reduction>(['none', 'sum', 'mean', 'mean-rows', 'mean-positives'])(
    'has the value and the gradient of the loss as the mean of its samples, %s',
    (reduction) => {
      for (const name of lossNames) {
        const loss = lossOf(name, { reduction, backend: 'js' })
        const reduced = lossOf<Exclude<Reduction, 'none'>>(name, { reduction: reduction === 'none' ? 'mean' : reduction, backend: 'js' })
        const expected = reduced.valueAndGrad(logits, dense, { shape })
        const criterion = tfLoss(tf, loss)
        const yTrue = tf.tensor2d(dense, shape)
        const { value, grad } = tf.valueAndGrad((x) => tf.mean(criterion(yTrue, x)))(tf.tensor2d(logits, shape))
        expect(value.dataSync()[0]).toBeCloseTo(expected.value, 5)
        expect(grad.shape).toEqual(shape)
        grad.dataSync().forEach((g, i) => expect(g).toBeCloseTo(expected.grad[i], 6))
      }
    },
  )

  it('gives one value a sample', () => {
    const criterion = tfLoss(tf, new SigmoidFocalLoss({ backend: 'js' }))
    const perSample = criterion(tf.tensor(dense, [2, 2, 3]), tf.tensor(logits, [2, 2, 3]))
    expect(perSample.shape).toEqual([2])
    expect(criterion(tf.tensor1d([1, 0]), tf.tensor2d([0.5, 1], [2, 1])).shape).toEqual([2])
    expect(criterion(tf.tensor1d([1, 0]), tf.tensor1d([0.5, 1])).shape).toEqual([2])
  })

  it.each(lossNames)('takes class indices, %s', (name) => {
    const loss = lossOf(name, { backend: 'js' })
    const expected = loss.value(logits, Int32Array.from(indices))
    for (const yTrue of [tf.tensor1d(indices), tf.tensor2d(indices, [4, 1], 'int32')]) {
      expect(tf.mean(tfLoss(tf, loss)(yTrue, tf.tensor2d(logits, shape))).dataSync()[0]).toBeCloseTo(expected, 6)
    }
  })

  it('leaks no tensor', () => {
    const criterion = tfLoss(tf, new SigmoidFocalLoss({ backend: 'js' }))
    const [x, y] = [tf.tensor2d(logits, shape), tf.tensor2d(dense, shape)]
    const before = tf.memory().numTensors
    const { value, grad } = tf.valueAndGrad((at) => tf.mean(criterion(y, at)))(x)
    tf.dispose([value, grad])
    criterion(y, x).dispose()
    expect(tf.memory().numTensors).toBe(before)
  })

  it('refuses what is no batch', () => {
    const criterion = tfLoss(tf, new SigmoidFocalLoss())
    const x = tf.tensor2d(logits, shape)
    expect(() => criterion(tf.tensor2d(dense, shape), tf.cast(x, 'int32'))).toThrow(new TypeError('yPred has dtype int32; expected float32'))
    expect(() => criterion(tf.tensor1d(['a', 'b']), x)).toThrow(new TypeError('yTrue has dtype string; expected float32, int32 or bool'))
    const message = "yTrue has shape [5]; expected yPred's, [4, 3], or that without its last axis for class indices"
    expect(() => criterion(tf.ones([5]), x)).toThrow(new RangeError(message))
    expect(() => criterion(tf.tensor1d([0, 1, 2, 0.5]), x)).toThrow('yTrue[3] is 0.5; expected an integer, the index of a class')
    expect(() => criterion(tf.tensor1d([0, 1, 2, 3]), x)).toThrow('targets[3] is 3; expected a class in 0..2')
    expect(() => criterion(tf.fill(shape, 2), x)).toThrow('targets[0] is 2; expected a number from 0 to 1')
  })
})

describe.each(['fused', 'composed'] as const)('targets of one class, %s', (implementation) => {
  /** Both are background, of index 1: half the sum of their losses as negatives. */
  const background = 0.2716973853
  const loss = new SigmoidFocalLoss({ background: 'num-classes', reduction: 'mean' })
  const x = () => tf.tensor2d([-1, 1], [2, 1])
  const valueOf = (yTrue: tf.Tensor, targetKind?: 'labels' | 'class-index') =>
    tf.mean(tfLoss(tf, loss, { implementation, targetKind })(yTrue, x())).dataSync()[0]
  const asLabels = loss.value(Float64Array.of(-1, 1), [1, 1], { shape: [2, 1], targetKind: 'labels' })

  it('are class indices as integers where there is a background', () => {
    expect(valueOf(tf.tensor2d([1, 1], [2, 1], 'int32'))).toBeCloseTo(background, 6)
    expect(valueOf(tf.tensor1d([1, 1], 'int32'))).toBeCloseTo(background, 6)
  })

  it('are labels as floats and booleans', () => {
    expect(valueOf(tf.tensor2d([1, 1], [2, 1]))).toBeCloseTo(asLabels, 6)
    expect(valueOf(tf.tensor2d([1, 1], [2, 1], 'bool'))).toBeCloseTo(asLabels, 6)
  })

  it('are what targetKind says', () => {
    expect(valueOf(tf.tensor2d([1, 1], [2, 1]), 'class-index')).toBeCloseTo(background, 6)
    expect(valueOf(tf.tensor2d([1, 1], [2, 1], 'bool'), 'class-index')).toBeCloseTo(background, 6)
    expect(valueOf(tf.tensor2d([1, 1], [2, 1], 'int32'), 'labels')).toBeCloseTo(asLabels, 6)
  })

  it('have its shape', () => {
    const [labels, indices] = (['labels', 'class-index'] as const).map((targetKind) => tfLoss(tf, new SoftmaxFocalLoss(), { implementation, targetKind }))
    const logits = tf.zeros([4, 3])
    expect(() => labels(tf.zeros([4]), logits)).toThrow(new RangeError("yTrue has shape [4]; expected yPred's, [4, 3], as targetKind is 'labels'"))
    expect(() => indices(tf.zeros([4, 3]), logits)).toThrow(
      new RangeError("yTrue has shape [4, 3]; expected yPred's, [4, 3], without its last axis, as targetKind is 'class-index'"),
    )
    expect(() => labels(tf.zeros([4, 1]), tf.zeros([4, 1]))).toThrow('a softmax has 1 class; expected 2 or more')
    const among = tfLoss(tf, new SoftmaxFocalLoss({ background: 2 }), { implementation })
    expect(() => among(tf.zeros([4]), logits)).toThrow(new RangeError('background is 2; expected an integer outside the classes 0..2 of a softmax'))
  })
})

it('a wrong kind of targets is an error', () => {
  const targetKind = 'indices' as 'labels'
  expect(() => tfLoss(tf, new SigmoidFocalLoss(), { targetKind })).toThrow("targetKind is 'indices'; expected one of 'labels', 'class-index'")
})

describe.each(['cpu', 'wasm'])('the fused loss on the %s backend of TensorFlow.js', (name) => {
  beforeAll(() => tf.setBackend(name))

  it.each(lossNames)('has the gradient of its value, by finite differences through tf.grad, %s', (name) => {
    for (const reduction of ['mean', 'sum'] as const) {
      const criterion = tfLoss(tf, lossOf(name, { ...ofPower[name](1.5), reduction }))
      const y = tf.tensor2d(dense, shape)
      // Any function of the samples' losses, so that every sample has a weight of its own
      const weights = tf.tensor1d([1, -2, 0.5, 3])
      const total = (x: tf.Tensor) => tf.sum<tf.Scalar>(tf.mul(criterion(y, x), weights))
      const grad = tf.grad(total)(tf.tensor2d(logits, shape)).dataSync()
      const step = 0.01
      const at = (k: number, x: number) => total(tf.tensor2d(logits.with(k, x), shape)).dataSync()[0]
      logits.forEach((x, k) => expect((at(k, x + step) - at(k, x - step)) / (2 * step)).toBeCloseTo(grad[k], 3))
    }
  })

  it('has one gradient for each of several uses', () => {
    const loss = new SoftmaxFocalLoss({ reduction: 'sum' })
    const criterion = tfLoss(tf, loss)
    const y = tf.tensor1d(indices)
    const both = tf.grad((x) => tf.sum<tf.Scalar>(tf.add(criterion(y, x), criterion(y, tf.mul(x, 2)))))(tf.tensor2d(logits, shape))
    const { grad } = loss.valueAndGrad(logits, Int32Array.from(indices))
    const { grad: ofDouble } = loss.valueAndGrad(logits.map((x) => 2 * x), Int32Array.from(indices))
    both.dataSync().forEach((g, i) => expect(g).toBeCloseTo(4 * (grad[i] + 2 * ofDouble[i]), 4))
  })

  it("reads and writes the backend's own memory", () => {
    const buffers = new Set<ArrayBufferLike>()
    const loss = new SigmoidFocalLoss()
    const spied: TfjsLoss = {
      options: loss.options,
      denominator: (sums) => loss.denominator(sums),
      sums(logits, targets, call) {
        for (const array of [logits, targets, call?.grad]) if (ArrayBuffer.isView(array)) buffers.add(array.buffer)
        return loss.sums(logits, targets, call)
      },
    }
    const [x, y] = [tf.tensor2d(logits, shape), tf.tensor2d(dense, shape)]
    const grad = tf.grad((at) => tf.sum(tfLoss(tf, spied)(y, at)))(x)
    const backend = tf.backend() as unknown as { wasm?: { HEAPU8: Uint8Array } }
    const own = backend.wasm === undefined ? [x, y, grad].map((tensor) => tensor.dataSync().buffer) : [backend.wasm.HEAPU8.buffer]
    expect(buffers.size).toBe(own.length)
    expect(own.every((buffer) => buffers.has(buffer))).toBe(true)
  })

  it('reads what was made on the other backend, and memory that grows meanwhile', async () => {
    const other = name === 'cpu' ? 'wasm' : 'cpu'
    const size = 3_000_000
    const numbers = Float32Array.from({ length: size }, (_, i) => Math.sin(i))
    const labels = Uint8Array.from({ length: size }, (_, i) => (i % 7 === 0 ? 1 : 0))
    await tf.setBackend(other)
    const [x, y] = [tf.tensor2d(numbers, [3, size / 3]), tf.tensor2d(labels, [3, size / 3], 'bool')]
    await tf.setBackend(name)
    const loss = new SigmoidFocalLoss()
    const expected = loss.valueAndGrad(numbers, labels)
    const { value, grad } = tf.valueAndGrad((at) => tf.mean(tfLoss(tf, loss)(y, at)))(x)
    expect(value.dataSync()[0]).toBeCloseTo(expected.value, 6)
    const read = grad.dataSync()
    expect(read.every((g, i) => Math.abs(g - expected.grad[i]) <= 1e-6 * Math.abs(expected.grad[i]))).toBe(true)
    tf.dispose([x, y, value, grad])
  })

  it('of an empty batch is empty', () => {
    const [x, y] = [tf.zeros([0, 3]), tf.zeros([0, 3])]
    const criterion = tfLoss(tf, new SigmoidFocalLoss())
    expect(criterion(y, x).shape).toEqual([0])
    expect(tf.grad((at) => tf.sum(criterion(y, at)))(x).shape).toEqual([0, 3])
  })
})

describe('model.fit', () => {
  it.each(elementwiseNames)('lowers the loss, %s', async (name) => {
    await tf.setBackend('cpu')
    const network = layers.sequential({ layers: [layers.layers.dense({ units: 1, inputShape: [2], kernelInitializer: 'zeros' })] })
    const inputs = Float32Array.from({ length: 128 }, (_, i) => Math.sin(i * i))
    const y = tf.tensor2d(Float32Array.from({ length: 64 }, (_, i) => Number(inputs[2 * i] > 0.3)), [64, 1])
    network.compile({ optimizer: tf.train.adam(0.1), loss: tfLoss(tf, elementwiseOf(name, {})) })
    const { history } = await network.fit(tf.tensor2d(inputs, [64, 2]), y, { epochs: 20, verbose: 0, batchSize: 16, shuffle: false })
    const losses = history.loss as number[]
    expect(losses[19]).toBeLessThan(0.6 * losses[0])
  })
})

describe.each(['cpu', 'wasm'])('a model on the %s backend of TensorFlow.js', (name) => {
  beforeAll(async () => {
    await tf.setBackend(name)
    expect(tf.getBackend()).toBe(name)
  })

  const model = () => layers.sequential({ layers: [layers.layers.dense({ units: 1, inputShape: [2], kernelInitializer: 'zeros' })] })
  const inputs = Float32Array.from({ length: 128 }, (_, i) => (i % 2 === 0 ? Math.sin(i) : Math.cos(3 * i)))
  const x = () => tf.tensor2d(inputs, [64, 2])
  const y = () => tf.tensor2d(Float32Array.from({ length: 64 }, (_, i) => Number(inputs[2 * i] > 0.5)), [64, 1])
  const loss = new SigmoidFocalLoss({ alpha: null })

  /** By model.fit, in steps whose first loss is that of a score of 1/2 everywhere. */
  it.each(['fused', 'composed'] as const)('is trained by the %s loss', async (implementation) => {
    const network = model()
    network.compile({ optimizer: tf.train.adam(0.1), loss: tfLoss(tf, loss, { implementation }) })
    const { history } = await network.fit(x(), y(), { epochs: 20, verbose: 0, batchSize: 16, shuffle: false })
    const losses = history.loss as number[]
    expect(losses[0]).toBeLessThan(0.25 * Math.log(2) + 1e-3)
    expect(losses[19]).toBeLessThan(0.5 * losses[0])
    const { value } = loss.valueAndGrad((network.predict(x()) as tf.Tensor).dataSync<'float32'>(), y().dataSync<'float32'>())
    expect(value).toBeLessThan(losses[19])
    const evaluated = (network.evaluate(x(), y(), { batchSize: 64 }) as tf.Scalar).dataSync()[0]
    expect(evaluated).toBeCloseTo(value, 6)
  })

  it('is trained by trainOnBatch', async () => {
    const network = model()
    network.compile({ optimizer: tf.train.adam(0.1), loss: tfLoss(tf, loss) })
    const losses: number[] = []
    for (let step = 0; step < 30; step++) losses.push((await network.trainOnBatch(x(), y())) as number)
    expect(losses[0]).toBeCloseTo(0.25 * Math.log(2), 6)
    expect(losses[29]).toBeLessThan(0.5 * losses[0])
  })

  it.each(['fused', 'composed'] as const)('weighs the samples of a class as classWeight says, %s', async (implementation) => {
    const network = model()
    // No step is taken, so that the loss reported is the one of the first weights
    network.compile({ optimizer: tf.train.sgd(0), loss: tfLoss(tf, loss, { implementation }) })
    const fit = async (classWeight?: Record<number, number>) => {
      const { history } = await network.fit(x(), y(), { epochs: 1, verbose: 0, batchSize: 64, ...(classWeight && { classWeight }) })
      return (history.loss as number[])[0]
    }
    const positives = y().dataSync<'float32'>().reduce((a, b) => a + b, 0)
    expect(positives).toBeGreaterThan(5)
    const each = 0.25 * Math.log(2)
    expect(await fit()).toBeCloseTo(each, 6)
    expect(await fit({ 0: 1, 1: 3 })).toBeCloseTo((each * (64 + 2 * positives)) / 64, 6)
    expect(await fit({ 0: 0, 1: 1 })).toBeCloseTo((each * positives) / 64, 6)
  })

  it('is not trained by samples that a label of -1 leaves out', async () => {
    const train = async (labels: tf.Tensor) => {
      const network = model()
      network.compile({ optimizer: tf.train.sgd(1), loss: tfLoss(tf, new SigmoidFocalLoss({ ignoreIndex: -1, reduction: 'sum' })) })
      await network.trainOnBatch(x(), labels)
      return network.getWeights().map((weights) => Array.from(weights.dataSync()))
    }
    const half = Array.from(y().dataSync(), (label, i) => (i < 32 ? label : -1))
    const part = model()
    part.compile({ optimizer: tf.train.sgd(0.5), loss: tfLoss(tf, new SigmoidFocalLoss({ reduction: 'sum' })) })
    await part.trainOnBatch(tf.slice(x(), 0, 32), tf.slice(y(), 0, 32))
    const expected = part.getWeights().flatMap((weights) => Array.from(weights.dataSync()))
    // 'sum' is the sum whatever the batch, as the mean over samples multiplies what it divides
    const weights = (await train(tf.tensor2d(half, [64, 1]))).flat()
    weights.forEach((weight, i) => expect(weight).toBeCloseTo(2 * expected[i], 4))
  })

  it('has no sampleWeight, which is not implemented in TensorFlow.js', async () => {
    const network = model()
    network.compile({ optimizer: 'sgd', loss: tfLoss(tf, loss) })
    await expect(network.fit(x(), y(), { sampleWeight: tf.ones([64]) })).rejects.toThrow('sample weight is not supported yet')
  })

  it('is saved without the loss, and compiled with it again', async () => {
    const network = model()
    const compile = (each: layers.LayersModel) => each.compile({ optimizer: tf.train.sgd(0.1), loss: tfLoss(tf, loss) })
    compile(network)
    await network.fit(x(), y(), { epochs: 2, verbose: 0 })
    let saved: tf.io.ModelArtifacts | undefined
    const handler = tf.io.withSaveHandler((artifacts) => {
      saved = artifacts
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } })
    })
    await network.save(handler)
    const loaded = await layers.loadLayersModel(tf.io.fromMemory(saved as tf.io.ModelArtifacts))
    compile(loaded)
    const evaluate = (each: layers.LayersModel) => (each.evaluate(x(), y()) as tf.Scalar).dataSync()[0]
    expect(evaluate(loaded)).toBe(evaluate(network))
  })

  it('leaks no tensor', async () => {
    const network = model()
    network.compile({ optimizer: tf.train.sgd(0.1), loss: tfLoss(tf, loss) })
    const [inputs, labels] = [x(), y()]
    const fit = () => network.fit(inputs, labels, { epochs: 2, verbose: 0, batchSize: 16 })
    await fit()
    const before = tf.memory().numTensors
    await fit()
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe('tfLoss() refuses', () => {
  const loss = new SigmoidFocalLoss()
  const framework = (came: string) => new TypeError(`tf is ${came}; expected the namespace of TensorFlow.js, as in tfLoss(tf, loss)`)
  it.each<[string, readonly unknown[], Error]>([
    ['a framework left out', [loss], framework('a loss')],
    ['a loss before the framework', [loss, tf], framework('a loss')],
    ['this package for the framework', [{ SigmoidFocalLoss, getBackend: () => 'js' }, loss], framework('an object')],
    ['nothing', [], framework('undefined')],
    ['a class', [tf, SigmoidFocalLoss], new TypeError('loss is the class SigmoidFocalLoss; expected an object of it, as new SigmoidFocalLoss() makes one')],
    ['a name', [tf, 'SigmoidFocalLoss'], new TypeError("loss is 'SigmoidFocalLoss'; expected a loss, such as new SigmoidFocalLoss()")],
    ['a loss left out', [tf], new TypeError('loss is undefined; expected a loss, such as new SigmoidFocalLoss()')],
    ['a loss without options', [tf, { sums: () => undefined, denominator: () => 1 }], new TypeError('loss.options is undefined; expected an object with options')],
    ['one argument more', [tf, loss, {}, 'fused'], new TypeError('tfLoss() was given 4 arguments; expected at most 3')],
  ])('%s', (_, args, error) => {
    expect(() => (tfLoss as unknown as (...args: readonly unknown[]) => unknown)(...args)).toThrow(error)
  })
})
