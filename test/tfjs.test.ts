import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Reduction, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { tfLoss } from 'focal-loss/tfjs'

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
      for (const Loss of [SigmoidFocalLoss, SoftmaxFocalLoss]) {
        const loss = new Loss({ reduction, backend: 'js' })
        const reduced = new Loss<Exclude<Reduction, 'none'>>({ reduction: reduction === 'none' ? 'mean' : reduction, backend: 'js' })
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

  it('takes class indices', () => {
    const loss = new SoftmaxFocalLoss({ backend: 'js' })
    const expected = loss.value(logits, indices)
    for (const yTrue of [tf.tensor1d(indices), tf.tensor2d(indices, [4, 1], 'int32')]) {
      expect(tf.mean(tfLoss(tf, loss)(yTrue, tf.tensor2d(logits, shape))).dataSync()[0]).toBeCloseTo(expected, 6)
    }
  })

  it('refuses targets of another shape and logits that are none', () => {
    const criterion = tfLoss(tf, new SoftmaxFocalLoss({ backend: 'js' }))
    expect(() => criterion(tf.tensor1d([1, 0]), tf.tensor2d(logits, shape))).toThrow(
      new RangeError("yTrue has shape [2]; expected yPred's, [4, 3], or that without its last axis for class indices"),
    )
    expect(() => criterion(tf.tensor1d(indices), tf.ones(shape, 'int32'))).toThrow(TypeError)
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

  it('trains a model', async () => {
    const model = layers.sequential({
      layers: [layers.layers.dense({ units: 1, inputShape: [2], kernelInitializer: 'zeros' })],
    })
    model.compile({ optimizer: tf.train.adam(0.1), loss: tfLoss(tf, new SigmoidFocalLoss({ alpha: null, backend: 'js' })) })
    const x = tf.tensor2d(Array.from({ length: 64 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]))
    const y = tf.cast(tf.greater(tf.slice2d(x, [0, 0], [64, 1]), 0), 'float32')
    const history = await model.fit(x, y, { epochs: 20, verbose: 0, batchSize: 16 })
    const losses = history.history.loss as number[]
    expect(losses[0]).toBeLessThan(0.25 * Math.log(2) + 1e-3)
    expect(losses[19]).toBeLessThan(0.3 * losses[0])
    await model.fit(x, y, { epochs: 1, verbose: 0, classWeight: { 0: 1, 1: 2 } })
  })
})
