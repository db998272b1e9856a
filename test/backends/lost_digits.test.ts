/** Where a digit or a limit could get lost between formula and result, and once did: each case against the js backend. */
import { describe, expect, it } from 'vitest'
import { AsymmetricLoss, FocalStarLoss, type Logits, QualityFocalLoss, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { elementwiseNames, elementwiseOf, hasOptions, lossNames, lossOf, ofPower, unbalanced } from '../support/losses.js'

const error = (actual: number, exact: number) => Math.abs(actual / exact - 1)

describe.each(['native', 'wasm', 'js'] as const)('%s', (backend) => {
  it('what a masked softmax row holds does not reach the sum', () => {
    const loss = new SoftmaxFocalLoss({ backend })
    for (const bad of [NaN, Infinity, -Infinity, 7]) {
      const { value, grad } = loss.valueAndGrad(Float32Array.of(1, 2, 3, 4), [bad, 0, 0, 1], { shape: [2, 2], mask: [0, 1] })
      expect(value).toBeCloseTo(0.0227, 3)
      expect([...grad.slice(0, 2)]).toEqual([0, 0])
    }
  })

  it.each([0.1, 0.01, 0.001])('smoothed labels keep 1 - y, smoothing %d', (labelSmoothing) => {
    for (const power of [0, 2, 5]) {
      for (const name of elementwiseNames.filter((each) => hasOptions(each, { labelSmoothing }))) {
        const all = [{}, { softTargets: 'mixture' } as const].filter((options) => hasOptions(name, options))
        for (const options of all) {
          const of = (logits: Logits, on: typeof backend) =>
            elementwiseOf(name, { ...ofPower[name](power), ...unbalanced(name), ...options, labelSmoothing, backend: on }).value(logits, [1])
          expect(error(of(Float32Array.of(20), backend), of(Float64Array.of(20), 'js'))).toBeLessThan(2e-6)
        }
      }
    }
  })

  it.each([0.9, 0.988, 0.9995])('labels in double keep 1 - y, %d', (y) => {
    for (const power of [0, 2, 5]) {
      for (const name of elementwiseNames) {
        const of = (logits: Logits, on: typeof backend) =>
          elementwiseOf(name, { ...ofPower[name](power), ...unbalanced(name), backend: on }).valueGradAndHess(logits, Float64Array.of(y))
        const [actual, exact] = [of(Float32Array.of(20), backend), of(Float64Array.of(20), 'js')]
        expect(error(actual.value, exact.value)).toBeLessThan(2e-6)
        expect(error(actual.grad[0], exact.grad[0])).toBeLessThan(2e-6)
      }
    }
  })

  it('a steepness of many digits does not tell in the tails of a focal star loss', () => {
    for (const gamma of [0.3, 0.7, 1.1]) {
      for (const beta of [0, 0.3, 10.1]) {
        const x = Float32Array.from({ length: 500 }, (_, k) => 0.3 * k - 60)
        const of = (logits: Logits, on: typeof backend) =>
          new FocalStarLoss({ gamma, beta, reduction: 'none', backend: on }).valueAndGrad(logits, new Uint8Array(500))
        const [actual, exact] = [of(x, backend), of(Float64Array.from(x), 'js')]
        x.forEach((_, k) => expect(Math.max(error(actual.value[k], exact.value[k]), error(actual.grad[k], exact.grad[k]))).toBeLessThan(6e-7))
      }
    }
  })

  it('the second derivative just above the margin, where a power of the distance is no float32', () => {
    const x = Float32Array.from({ length: 40 }, (_, k) => 10 ** (-5 - k / 4))
    const of = (logits: Logits, on: typeof backend) =>
      new AsymmetricLoss({ margin: 0.5, reduction: 'none', backend: on }).valueGradAndHess(logits, new Uint8Array(40)).hess
    const [actual, exact] = [of(x, backend), of(Float64Array.from(x), 'js')]
    x.forEach((_, k) => expect(Math.abs(actual[k] - exact[k])).toBeLessThan(2e-6 * exact[k] + 1e-37))
    expect(actual[20]).toBeGreaterThan(0)
  })

  it('a score that meets its label has no loss, and no gradient that is no number', () => {
    const y = Float32Array.of(0.5, 0.25, 0.125, 0.9, 1e-3)
    for (const beta of [0.5, 1, 2, 5]) {
      const x = y.map((each) => Math.log(each / (1 - each)))
      const { value, grad, hess } = new QualityFocalLoss({ beta, reduction: 'none', backend }).valueGradAndHess(x, y)
      y.forEach((_, k) => {
        expect(value[k]).toBeLessThan((1e-6) ** beta)
        expect(Math.abs(grad[k])).toBeLessThan(beta < 1 ? 1e4 : 1)
        expect(Number.isFinite(hess[k])).toBe(true)
      })
      const exactly = new QualityFocalLoss({ beta, backend }).valueGradAndHess(Float32Array.of(0), [0.5])
      expect([exactly.value, exactly.grad[0] + 0]).toEqual([expect.closeTo(0, 5), 0])
    }
  })

  it.each([1e-3, 1e-5, 1e-6])('the gradient of a softmax against nearly sure targets, %d', (tiny) => {
    const small = Math.fround(tiny)
    const targets = Float32Array.of(small, 1)
    for (const gamma of [0, 0.5]) {
      const logits = Float32Array.of(Math.log(tiny), 0)
      const of = (x: Float32Array | Float64Array, on: typeof backend) =>
        new SoftmaxFocalLoss({ gamma, backend: on }).valueAndGrad(x, targets, { shape: [1, 2] }).grad[1]
      // gamma 0: p_1 y_0 - q_1 y_1, both near `tiny`
      const terms = gamma === 0 ? 2 * tiny : tiny + Math.pow(tiny, 1 + gamma) * (1 + gamma)
      const off = Math.abs(of(logits, backend) - of(Float64Array.from(logits), 'js'))
      expect(off / terms).toBeLessThan(2e-6)
    }
  })

  it.each([1e-300, 1e-45, 1e-39, 1e39, 1e45])('normalizer %d', (normalizer) => {
    const weights = [1e-20, 0, 1e14]
    for (const name of lossNames) {
      const size = name === 'SoftmaxFocalLoss' ? 2 : 1
      const x = Float32Array.from({ length: 3 * size }, (_, k) => [30, 1, -2, 3, 0, 1][k])
      const run = (on: typeof backend) =>
        lossOf(name, { reduction: 'none', backend: on }).valueAndGrad(x, new Int32Array(3), { shape: [3, size], weights, normalizer })
      const [actual, exact] = [run(backend), run('js')]
      for (const [a, e] of [[actual.value, exact.value], [actual.grad, exact.grad]]) {
        e.forEach((each, k) => {
          if (Object.is(a[k], each) || Math.abs(a[k] - each) < 1e-37) return
          expect(error(a[k], each), `${a[k]} for ${each}`).toBeLessThan(4e-6)
        })
      }
    }
  })

  it('a normalizer brings losses beyond float32 back', () => {
    const loss = new SoftmaxFocalLoss({ reduction: 'none', backend })
    const value = loss.value(Float32Array.of(-3e38, 3e38), Int32Array.of(0), { normalizer: 4 })
    expect(value[0] / 1.5e38).toBeCloseTo(1, 6)
  })

  it('the limits of float64 logits, and tiny weights', () => {
    const loss = new SigmoidFocalLoss({ gamma: 0, alpha: null, reduction: 'none', backend })
    expect([...loss.value(Float64Array.of(Infinity, 1e4, -Infinity), [1, 1, 0])]).toEqual([0, 0, 0])
    const light = new SigmoidFocalLoss({ gamma: 2, alpha: null, classWeights: 1e-290, reduction: 'none', backend })
    const { value, grad } = light.valueAndGrad(Float64Array.of(800), [0])
    expect(error(value[0], 8e-288)).toBeLessThan(1e-12)
    expect(error(grad[0], 1e-290)).toBeLessThan(1e-12)
  })
})
