import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Reduction, SigmoidFocalLoss } from 'focal-loss'
import { tfLoss } from 'focal-loss/tfjs'
import { elementwiseNames, elementwiseOf, lossNames, lossOf, ofPower } from './support/losses.js'

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
    const expected = loss.value(logits, indices)
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

describe.each(['cpu', 'wasm'])('model.fit on the %s backend of TensorFlow.js', (name) => {
  beforeAll(async () => {
    await tf.setBackend(name)
    expect(tf.getBackend()).toBe(name)
  })

  const model = () => layers.sequential({ layers: [layers.layers.dense({ units: 1, inputShape: [2], kernelInitializer: 'zeros' })] })
  const inputs = Float32Array.from({ length: 128 }, (_, i) => (i % 2 === 0 ? Math.sin(i) : Math.cos(3 * i)))
  const x = () => tf.tensor2d(inputs, [64, 2])
  const y = () => tf.tensor2d(Float32Array.from({ length: 64 }, (_, i) => Number(inputs[2 * i] > 0.5)), [64, 1])
  const loss = new SigmoidFocalLoss({ alpha: null })

  it('lowers the loss', async () => {
    const network = model()
    network.compile({ optimizer: tf.train.adam(0.1), loss: tfLoss(tf, loss) })
    const { history } = await network.fit(x(), y(), { epochs: 20, verbose: 0, batchSize: 16, shuffle: false })
    const losses = history.loss as number[]
    expect(losses[0]).toBeLessThan(0.25 * Math.log(2) + 1e-3)
    expect(losses[19]).toBeLessThan(0.5 * losses[0])
    const { value } = loss.valueAndGrad((network.predict(x()) as tf.Tensor).dataSync<'float32'>(), y().dataSync<'float32'>())
    expect(value).toBeLessThan(losses[19])
  })

  it('weighs the samples of a class as classWeight says', async () => {
    const network = model()
    // No step is taken, so that the loss reported is the one of the first weights
    network.compile({ optimizer: tf.train.sgd(0), loss: tfLoss(tf, loss) })
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
