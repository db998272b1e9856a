/** The losses composed of operations of TensorFlow.js: against the fused ones, at the ends of the numbers, and differentiated twice. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import { tfLoss, type TfjsLoss, type TfjsOptions } from 'focal-loss/tfjs'
import { type AnyOptions, elementwiseNames, elementwiseOf, type LossName, lossNames, lossOf } from '../../support/losses.js'
import { excess, hard, indices, logits, seeded, shape, soft, variants } from '../../support/tfjs_variants.js'

const composed: TfjsOptions = { implementation: 'composed' }
function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>) {
  expect(excess(actual, expected), `${Array.from(actual).join(', ')}; expected ${Array.from(expected).join(', ')}`).toBeLessThanOrEqual(1)
}

describe.each(['cpu', 'wasm'])('on the %s backend of TensorFlow.js, composed is as fused', (backend) => {
  beforeAll(() => tf.setBackend(backend))

  it.each(variants)('%s', (_title, name, options, targets) => {
    const loss = lossOf(name, { backend: 'js', ...options })
    const expected = seeded(tf, loss, { implementation: 'fused' }, targets)()
    const actual = seeded(tf, loss, composed, targets)()
    expectClose(actual.grad.dataSync(), expected.grad.dataSync())
    expectClose(actual.value.dataSync(), expected.value.dataSync())
  })

  it('what is ignored may hold anything', () => {
    const loss = lossOf('SigmoidFocalLoss', { ignoreIndex: -1, backend: 'js' })
    const targets = hard.map((y, i) => (i === 3 || i === 8 ? -1 : y))
    const holes = logits.with(3, NaN).with(8, Infinity)
    const { value, grad } = seeded(tf, loss, composed, targets, holes)()
    const expected = seeded(tf, loss, composed, targets)()
    expect(value.dataSync()).toEqual(expected.value.dataSync())
    expect(grad.dataSync()).toEqual(expected.grad.dataSync())
  })

  it('leaks no tensor', () => {
    for (const name of lossNames) {
      const call = seeded(tf, lossOf(name, {}), composed, hard)
      const x = tf.tensor2d(logits, shape)
      const before = tf.memory().numTensors
      const { value, grad } = call(x)
      tf.dispose([value, grad])
      expect(tf.memory().numTensors).toBe(before)
    }
  })
})

describe.each(['cpu', 'wasm'])('a target that is none, on the %s backend of TensorFlow.js', (backend) => {
  beforeAll(() => tf.setBackend(backend))

  /** Values and gradients of three samples of two classes. */
  const results = (name: LossName, options: AnyOptions, targets: tf.Tensor) => {
    const criterion = tfLoss(tf, lossOf(name, { reduction: 'sum', ...options }), composed)
    const x = tf.tensor2d([1, -1, 0.5, 2, -0.5, 0.25], [3, 2])
    return { value: criterion(targets, x).dataSync(), grad: tf.grad((at) => tf.sum(criterion(targets, at)))(x).dataSync() }
  }

  it.each(lossNames)('makes its sample NaN, and no other: %s', (name) => {
    for (const bad of [NaN, 1.01, -0.5, 2]) {
      const { value, grad } = results(name, {}, tf.tensor2d([1, 0, bad, 0, 0, 1], [3, 2]))
      expect(Array.from(value, Number.isNaN)).toEqual([false, true, false])
      expect(grad[2]).toBeNaN()
      expect([0, 1, 4, 5].some((i) => Number.isNaN(grad[i]))).toBe(false)
    }
  })

  it.each(lossNames)('is left out where NaN is ignored, of a softmax in whole rows: %s', (name) => {
    const ignoring = { ignoreIndex: NaN }
    const { value, grad } = results(name, ignoring, tf.tensor2d([1, 0, NaN, NaN, 0, 1], [3, 2]))
    expect([value[1], grad[2], grad[3]]).toEqual([0, 0, 0])
    expect([value[0], value[2]].every((each) => each > 0)).toBe(true)
    const part = results(name, ignoring, tf.tensor2d([1, 0, NaN, 1, 0, 1], [3, 2]))
    expect(Array.from(part.value, Number.isNaN)).toEqual([false, name === 'SoftmaxFocalLoss', false])
    const indices = results(name, ignoring, tf.tensor1d([1, NaN, 0]))
    expect([indices.value[1], indices.grad[2], indices.grad[3]]).toEqual([0, 0, 0])
  })

  it.each(lossNames)('that is no class makes its row NaN: %s', (name) => {
    for (const bad of [2, -1, 0.5, NaN]) {
      const { value, grad } = results(name, {}, tf.tensor1d([1, bad, 0]))
      expect(Array.from(value, Number.isNaN)).toEqual([false, true, false])
      expect(Array.from(grad, Number.isNaN)).toEqual([false, false, true, true, false, false])
    }
    const { value } = results(name, { background: 2, ignoreIndex: -1 }, tf.tensor1d([1, 2, -1]))
    expect(Array.from(value, Number.isNaN)).toEqual([false, false, false])
  })

  it('within 1e-6 of the interval is taken as 0 or 1', () => {
    const { value } = results('QualityFocalLoss', {}, tf.tensor2d([1.0000001192092896, 0, 0, -1e-7, 1, 0], [3, 2]))
    expect(value).toEqual(results('QualityFocalLoss', {}, tf.tensor2d([1, 0, 0, 0, 1, 0], [3, 2])).value)
  })
})

describe.each(['cpu', 'wasm'])('second derivatives on the %s backend of TensorFlow.js', (backend) => {
  beforeAll(() => tf.setBackend(backend))

  const moderate = Float32Array.of(1, -2, 0.5, 0, 0.25, -1, 0.1, -0.3, 2, -2, 0.7, 1, 4, -3, 0, -0.5, 1.5, 3)
  const x = () => tf.tensor2d(moderate, shape)

  it.each(elementwiseNames)('of %s are those of valueGradAndHess', (name) => {
    const loss = elementwiseOf(name, { reduction: 'sum' })
    const criterion = tfLoss(tf, loss, composed)
    const y = tf.tensor2d(soft, shape)
    const grad = tf.grad((at) => tf.sum(criterion(y, at)))
    const hess = tf.grad((at) => tf.sum(grad(at)))(x())
    // tfLoss multiplies a sum by the number of samples, whose mean TensorFlow.js takes
    expectClose(hess.dataSync(), loss.valueGradAndHess(moderate, soft, { shape }).hess.map((h) => shape[0] * h))
  })

  it('of SoftmaxFocalLoss are the differences of its gradients', () => {
    const loss = lossOf('SoftmaxFocalLoss', { reduction: 'sum' })
    const criterion = tfLoss(tf, loss, composed)
    const direction = Float64Array.from(moderate, (_, i) => Math.cos(i))
    const grad = tf.grad((at) => tf.sum(criterion(tf.tensor1d(indices), at)))
    const product = tf.grad((at) => tf.sum(tf.mul(grad(at), tf.tensor2d(Float32Array.from(direction), shape))))(x()).dataSync()
    const step = 1e-4
    const at = (t: number) => loss.valueAndGrad(Float64Array.from(moderate, (each, i) => each + t * direction[i]), Int32Array.from(indices)).grad
    const [after, before] = [at(step), at(-step)]
    expectClose(product, after.map((g, i) => (shape[0] * (g - before[i])) / (2 * step)))
  })

  it('of a fused loss are an error, not something wrong', () => {
    const criterion = tfLoss(tf, lossOf('SigmoidFocalLoss', {}), { implementation: 'fused' })
    const grad = tf.grad((at) => tf.sum(criterion(tf.tensor2d(hard, shape), at)))
    expect(() => tf.grad((at) => tf.sum(tf.square(grad(at))))(x())).toThrow("pass { implementation: 'composed' } to tfLoss for second derivatives")
  })
})

describe('what is chosen', () => {
  beforeAll(() => tf.setBackend('cpu'))

  const y = () => tf.tensor2d(hard, shape)
  const x = () => tf.tensor2d(logits, shape)
  const unread = (name: string, make: () => TfjsLoss): boolean => {
    const loss = make()
    const spied: TfjsLoss = { options: loss.options, constants: loss.constants, denominator: loss.denominator.bind(loss), sums: () => { throw new Error('read') } }
    try {
      tfLoss({ ...tf, getBackend: () => name }, spied)(y(), x())
      return true
    } catch {
      return false
    }
  }

  it.each([['cpu', false], ['wasm', false], ['tensorflow', false], ['webgl', true], ['webgpu', true]])('on %s nothing is read: %s', (name, expected) => {
    expect(unread(name, () => lossOf('SoftmaxFocalLoss', {}))).toBe(expected)
  })

  it('a loss that is not composed says so', () => {
    const { options } = lossOf('SigmoidFocalLoss', {})
    const own: TfjsLoss = { options, denominator: () => 1, sums: () => { throw new Error('read') } }
    expect(() => tfLoss(tf, own, composed)(y(), x())).toThrow('this loss cannot be composed of TensorFlow.js operations')
  })

  it('a loss of probabilities is fused only', () => {
    const loss = lossOf('SigmoidFocalLoss', { inputs: 'probabilities' })
    const p = tf.sigmoid(x())
    expect(() => tfLoss(tf, loss, composed)(y(), p)).toThrow("a loss with inputs 'probabilities' cannot be composed of TensorFlow.js operations")
    expect(tf.mean(tfLoss(tf, loss)(y(), p)).dataSync()[0]).toBeCloseTo(loss.value(p.dataSync<'float32'>(), hard), 5)
  })

  it('another one is an error', () => {
    const loss = lossOf('SigmoidFocalLoss', {})
    expect(() => tfLoss(tf, loss, { implementation: 'fast' as 'fused' })).toThrow(new RangeError("implementation is 'fast'; expected one of 'fused', 'composed'"))
    expect(() => tfLoss(tf, loss, { implementaton: 'fused' } as TfjsOptions)).toThrow("'implementaton' is not an option of tfLoss(); did you mean 'implementation'?")
  })
})
