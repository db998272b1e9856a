import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { tfLoss } from 'focal-loss/tfjs'
import { partialSums, sumLast } from '../../../src/adapters/tfjs/sums.js'
import { means } from '../../support/tfjs_agreement.js'

const composed = { implementation: 'composed' } as const

describe.each(['cpu', 'wasm'])('sums on the %s backend of TensorFlow.js', (backend) => {
  beforeAll(() => tf.setBackend(backend))

  it.each([1, 63, 64, 65, 4096, 4097, 5000])('of %i numbers, and their derivatives', (n) => {
    const groups = 3
    const x = Float32Array.from({ length: groups * n }, (_, i) => Math.sin(i))
    const expected = Array.from({ length: groups }, (_, g) => x.slice(g * n, (g + 1) * n).reduce((a, b) => a + b, 0))
    const { sums, scale } = partialSums(tf, tf.tensor2d(x, [groups, n]))
    expect(sums.shape[1]).toBeLessThanOrEqual(64)
    const total = tf.mul<tf.Tensor>(tf.sum(sums, 1), scale).dataSync()
    const whole = sumLast(tf, tf.tensor2d(x, [groups, n])).dataSync()
    expected.forEach((sum, g) => {
      expect(total[g]).toBeCloseTo(sum, 4)
      expect(whole[g]).toBeCloseTo(sum, 4)
    })

    // Of (sum of x^2 of the group)^2 / 2: 2 x sum, and in the direction of ones its own derivative 2 sum + 4 x (sum of x)
    const squares = (at: tf.Tensor) => sumLast(tf, tf.square(at))
    const gradient = tf.grad((at) => tf.mul(0.5, tf.sum(tf.square(squares(at)))))
    const again = tf.grad((at) => tf.sum(gradient(at)))
    const [first, second] = [gradient, again].map((each) => each(tf.tensor2d(x, [groups, n])).dataSync())
    x.forEach((each, i) => {
      if (i % 997 !== 0) return
      const g = Math.floor(i / n)
      const sum = x.slice(g * n, (g + 1) * n).reduce((a, b) => a + b * b, 0)
      expect(first[i] / n).toBeCloseTo((2 * each * sum) / n, 4)
      expect(second[i] / n).toBeCloseTo((2 * sum + 4 * each * expected[g]) / n, 4)
    })
  })

  it('are means as they are defined', async () => {
    for (const { title, value, exact } of await means(tf, { implementation: 'composed' }, 5000, [1, 8, 5000])) expect(Math.abs(value / exact - 1), title).toBeLessThan(2e-5)
  })

  it('over many classes do not drift', () => {
    const loss = new SoftmaxFocalLoss({ gamma: 0, backend: 'js' })
    // One class on top of 50,000 that are 0.4 together, each less than half a unit in the last place of 1
    const row = new Float32Array(50_000).fill(Math.log(0.4 / 50_000 / 170)).with(0, 0)
    const { value, grad } = tf.valueAndGrad((x) => tf.mean(tfLoss(tf, loss, composed)(tf.tensor1d([7], 'int32'), x)))(tf.tensor2d(row, [1, 50_000]))
    const exact = loss.valueAndGrad(Float64Array.from(row), Int32Array.of(7))
    expect(Math.abs(value.dataSync()[0] / exact.value - 1)).toBeLessThan(1e-6)
    expect(Math.abs(grad.dataSync()[0] / exact.grad[0] - 1)).toBeLessThan(1e-5)
  })
})

describe('on the wasm backend of TensorFlow.js', () => {
  beforeAll(() => tf.setBackend('wasm'))

  it('8 million logits in one sample are the mean of the definition', { timeout: 60_000 }, () => {
    const n = 8_000_000
    const loss = new SigmoidFocalLoss()
    const [x, y] = [tf.fill([1, n], -3), tf.zeros([1, n])]
    const [value] = tfLoss(tf, loss, composed)(y, x).dataSync()
    const exact = loss.value(Float64Array.of(-3), [0])
    expect(Math.abs(value / exact - 1)).toBeLessThan(1e-5)
    tf.dispose([x, y])
  })
})
