/** The composed losses against their definitions on TensorFlow.js's cpu and wasm backends; test/browser has the other two. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import { SigmoidFocalLoss } from 'focal-loss'
import { tfLoss } from 'focal-loss/tfjs'
import { type AnyOptions, type LossName, lossOf } from '../../support/losses.js'
import { agreements } from '../../support/tfjs_agreement.js'

describe.each(['cpu', 'wasm'])('the composed losses on the %s backend of TensorFlow.js', (backend) => {
  beforeAll(() => tf.setBackend(backend))

  it('are within 2e-5 of the definition up to logits of 80', async () => {
    for (const { title, value, grad, isFinite } of await agreements(tf, { implementation: 'composed' })) {
      expect({ title, isFinite }).toEqual({ title, isFinite: true })
      expect(value, title).toBeLessThan(2e-5)
      expect(grad, title).toBeLessThan(2e-5)
    }
  })

  it('keep the gradient where log(1 + x) has lost it', () => {
    const criterion = tfLoss(tf, new SigmoidFocalLoss({ alpha: null }), { implementation: 'composed' })
    const grad = tf.grad((x) => tf.mean(criterion(tf.tensor1d([0]), x)))(tf.tensor1d([-20])).dataSync()[0]
    // 3 s^2 log(1 + e^x), nearly
    expect(Math.abs(grad / (3 * Math.exp(-60)) - 1)).toBeLessThan(1e-6)
  })

  it.each<[LossName, AnyOptions]>([
    ['SigmoidFocalLoss', { gamma: 0.5 }],
    ['SigmoidFocalLoss', { gamma: 0.5, softTargets: 'mixture' }],
    ['SigmoidFocalLoss', { gamma: 3 }],
    ['SigmoidFocalLoss', { gamma: 4 }],
    ['QualityFocalLoss', { beta: 0.5 }],
    ['AsymmetricLoss', { gammaNegative: 0.5, gammaPositive: 1.5, margin: 0.25 }],
    ['AsymmetricLoss', { margin: 0.99 }],
  ])('have second derivatives: %s, %o', (name, options) => {
    const loss = lossOf(name, { ...options, reduction: 'sum' })
    const x = Float32Array.of(-2.5, -1, -0.25, 0.5, 1.5, 3)
    const y = [0, 1, 0.3, 0.3, 0, 1]
    const criterion = tfLoss(tf, loss, { implementation: 'composed' })
    const grad = tf.grad((at) => tf.div(tf.sum(criterion(tf.tensor1d(y), at)), 6))
    const hess = tf.grad((at) => tf.sum(grad(at)))(tf.tensor1d(x)).dataSync()
    const step = 1e-4
    const gradAt = (shift: number) => loss.valueAndGrad(Float64Array.from(x, (each) => each + shift), y).grad
    const [after, before] = [gradAt(step), gradAt(-step)]
    hess.forEach((h, i) => expect(h, `[${i}]`).toBeCloseTo((after[i] - before[i]) / (2 * step), 4))
  })
})
