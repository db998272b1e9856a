/** The losses composed of operations of TensorFlow.js: against the fused ones, at the ends of the numbers, and differentiated twice. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Reduction, Targets } from 'focal-loss'
import { tfLoss, type TfjsLoss, type TfjsOptions } from 'focal-loss/tfjs'
import { type AnyOptions, elementwiseNames, elementwiseOf, type LossName, lossNames, lossOf } from '../../support/losses.js'

const composed: TfjsOptions = { implementation: 'composed' }
const shape: [number, number] = [6, 3]
/** Of all sizes, the corner at 0 and ends where factors vanish or overflow. */
const logits = Float32Array.of(1, -2, 0.5, 0, 0, 0, -100, 100, 30, 1e4, -1e4, 3, -20, 12, -0.25, 88, -88, 2)
const hard = [1, 0, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1]
const soft = hard.map((y, i) => (i % 4 === 0 ? 0.3 : y))
const indices = [0, 1, 2, 0, 2, 1]

/** The sum of the samples' losses, weighed apart, and its gradient. */
function seeded(loss: TfjsLoss, options: TfjsOptions, targets: readonly number[], of = logits) {
  const weights = tf.tensor1d([1, -2, 0.5, 3, 1, 2])
  const yTrue = tf.tensor(targets, targets.length === logits.length ? shape : [shape[0]])
  const criterion = tfLoss(tf, loss, options)
  return (x: tf.Tensor = tf.tensor2d(of, shape)) => tf.valueAndGrad((at) => tf.sum<tf.Scalar>(tf.mul(criterion(yTrue, at), weights)))(x)
}

/** Float32 throughout against our kernel: a few units in the last place of the largest term. */
function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>) {
  const scale = Math.max(...Array.from(expected, Math.abs))
  expect(actual).toHaveLength(expected.length)
  Array.from(actual).forEach((value, i) => {
    expect(Math.abs(value - expected[i]), `[${i}]: ${value}, expected ${expected[i]}`).toBeLessThanOrEqual(1e-5 * Math.abs(expected[i]) + 2e-6 * scale)
  })
}

const reductions: readonly Reduction[] = ['none', 'sum', 'mean', 'mean-rows', 'mean-positives']

const variants: readonly (readonly [string, LossName, AnyOptions, Targets & readonly number[]])[] = [
  ...lossNames.flatMap((name) => [
    ...reductions.map((reduction) => [`${name}, ${reduction}`, name, { reduction }, hard] as const),
    [`${name}, soft labels`, name, {}, soft] as const,
    [`${name}, class indices`, name, { reduction: 'mean-positives' }, indices] as const,
    [`${name}, class weights`, name, { classWeights: [0.5, 2, 1] }, soft] as const,
    [`${name}, background`, name, { background: 3, reduction: 'mean-positives' }, [0, 3, 2, 3, 2, 1]] as const,
    [`${name}, ignored indices`, name, { ignoreIndex: 255, background: 'num-classes', reduction: 'mean-rows' }, [0, 255, 2, 3, 255, 1]] as const,
  ]),
  ...elementwiseNames.map((name) => [`${name}, ignored labels`, name, { ignoreIndex: -1 }, hard.map((y, i) => (i % 5 === 1 ? -1 : y))] as const),
  ...(['SigmoidFocalLoss', 'SoftmaxFocalLoss', 'FocalStarLoss', 'AsymmetricLoss'] as const).map(
    (name) => [`${name}, smoothed`, name, { labelSmoothing: 0.1, background: 3 }, [0, 3, 2, 0, 2, 1]] as const,
  ),
  ...[0, 0.5, 3.5].map((gamma) => [`SigmoidFocalLoss, gamma ${gamma}`, 'SigmoidFocalLoss', { gamma, alpha: 0.25 }, soft] as const),
  ...[0, 0.5, 3.5].map((gamma) => [`SoftmaxFocalLoss, gamma ${gamma}`, 'SoftmaxFocalLoss', { gamma, alpha: [1, 2, 3] }, soft] as const),
  ['SigmoidFocalLoss, mixture', 'SigmoidFocalLoss', { softTargets: 'mixture' }, soft],
  ['a background among the classes', 'SigmoidFocalLoss', { background: 1 }, indices],
  ['AsymmetricLoss, constant modulator', 'AsymmetricLoss', { constantModulator: true }, soft],
  ['AsymmetricLoss, no margin', 'AsymmetricLoss', { margin: 0, gammaNegative: 0, gammaPositive: 0.5 }, soft],
  ['QualityFocalLoss, beta 0.5', 'QualityFocalLoss', { beta: 0.5 }, soft],
]

describe.each(['cpu', 'wasm'])('on the %s backend of TensorFlow.js, composed is as fused', (backend) => {
  beforeAll(() => tf.setBackend(backend))

  it.each(variants)('%s', (_title, name, options, targets) => {
    const loss = lossOf(name, { backend: 'js', ...options })
    const expected = seeded(loss, { implementation: 'fused' }, targets)()
    const actual = seeded(loss, composed, targets)()
    expectClose(actual.grad.dataSync(), expected.grad.dataSync())
    expectClose(actual.value.dataSync(), expected.value.dataSync())
  })

  it('what is ignored may hold anything', () => {
    const loss = lossOf('SigmoidFocalLoss', { ignoreIndex: -1, backend: 'js' })
    const targets = hard.map((y, i) => (i === 3 || i === 8 ? -1 : y))
    const holes = logits.with(3, NaN).with(8, Infinity)
    const { value, grad } = seeded(loss, composed, targets, holes)()
    const expected = seeded(loss, composed, targets)()
    expect(value.dataSync()).toEqual(expected.value.dataSync())
    expect(grad.dataSync()).toEqual(expected.grad.dataSync())
  })

  it('leaks no tensor', () => {
    for (const name of lossNames) {
      const call = seeded(lossOf(name, {}), composed, hard)
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
    expect(() => tfLoss(tf, own, composed)(y(), x())).toThrow('this loss is not composed of operations of TensorFlow.js')
  })

  it('a loss of probabilities is fused only', () => {
    const loss = lossOf('SigmoidFocalLoss', { inputs: 'probabilities' })
    const p = tf.sigmoid(x())
    expect(() => tfLoss(tf, loss, composed)(y(), p)).toThrow("a loss with inputs 'probabilities' is not composed of operations of TensorFlow.js")
    expect(tf.mean(tfLoss(tf, loss)(y(), p)).dataSync()[0]).toBeCloseTo(loss.value(p.dataSync<'float32'>(), hard), 5)
  })

  it('another one is an error', () => {
    const loss = lossOf('SigmoidFocalLoss', {})
    expect(() => tfLoss(tf, loss, { implementation: 'fast' as 'fused' })).toThrow(new RangeError("implementation is 'fast'; expected one of 'fused', 'composed'"))
    expect(() => tfLoss(tf, loss, { implementaton: 'fused' } as TfjsOptions)).toThrow("'implementaton' is not an option of tfLoss(); did you mean 'implementation'?")
  })
})
