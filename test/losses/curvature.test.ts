/** `curvature: 'expected'` and `maxStep`: second derivatives that a booster can divide by. */
import { type Logits, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { largestError } from '../support/closeness.js'
import { goldenCases } from '../support/golden.js'
import { bitsOf, elementwiseNames, elementwiseOf, logitsOf, lossOf, precisions } from '../support/losses.js'

const numbers = Array.from({ length: 420 }, (_, k) => 8 * Math.sin(k))
const shape = [140, 3]
const indices = Int32Array.from({ length: 140 }, (_, r) => (r % 4) - 1)

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    const x = logitsOf(precision, numbers)

    it('expected is right to 2e-5, in double to 1e-11, in all golden cases', () => {
      const errors = goldenCases.map((one) => {
        const loss = lossOf(one.loss, { ...one.options, reduction: 'none', backend })
        const { hess } = loss.valueGradAndHess(logitsOf(precision, one.logits), one.targets, { shape: one.shape, curvature: 'expected' })
        return largestError(hess, one.expected.meanHess)
      })
      expect(Math.max(...errors)).toBeLessThan(precision === 'float32' ? 2e-5 : 1e-11)
    })

    it('expected is p (1 - p) for cross entropy, whatever the label', () => {
      const loss = new SigmoidFocalLoss({ gamma: 0, alpha: null, reduction: 'none', backend })
      const [zero, one] = [0, 1].map((y) => loss.valueGradAndHess(x, new Uint8Array(x.length).fill(y), { curvature: 'expected' }).hess)
      expect(bitsOf(zero)).toBe(bitsOf(one))
      const rows = new SoftmaxFocalLoss({ gamma: 0, reduction: 'none', backend })
      const ofRows = rows.valueGradAndHess(x, indices.map((c) => Math.max(0, c)), { shape, curvature: 'expected' }).hess
      const p = new SoftmaxFocalLoss({ gamma: 0 }).toProbability(Float64Array.from(x), { shape })
      for (let k = 0; k < x.length; k++) {
        const s = 1 / (1 + Math.exp(-x[k]))
        expect(Math.abs(zero[k] - s * (1 - s))).toBeLessThan(1e-6)
        expect(Math.abs(ofRows[k] - p[k] * (1 - p[k]))).toBeLessThan(1e-6)
      }
    })

    it.each(elementwiseNames)('%s: expected is at least 0, of the reduced loss, weighted, clamped and scaled; value and gradient are those of valueAndGrad', (name) => {
      const loss = elementwiseOf(name, { background: -1, backend })
      const weights = Float32Array.from(x, (_, k) => (k % 9 === 0 ? 0 : 0.5 + (k % 3)))
      const { value, grad, hess } = loss.valueGradAndHess(x, indices, { shape, weights, curvature: 'expected' })
      const both = loss.valueAndGrad(x, indices, { shape, weights })
      expect([value, bitsOf(grad)]).toEqual([both.value, bitsOf(both.grad)])
      expect(Math.min(...hess)).toBeGreaterThanOrEqual(0)
      const each = elementwiseOf(name, { background: -1, reduction: 'none', backend }).valueGradAndHess(x, indices, { shape, curvature: 'expected' }).hess
      const held = loss.valueGradAndHess(x, indices, { shape, weights, curvature: 'expected', clampHess: 1e-5, gradScale: 8 }).hess
      for (let k = 0; k < x.length; k++) {
        const expected = (each[k] * weights[k]) / x.length
        expect(Math.abs(hess[k] - expected)).toBeLessThanOrEqual(1e-5 * expected + 1e-37)
        expect(Math.abs(held[k] - 8 * Math.max(1e-5, hess[k]))).toBeLessThanOrEqual(1e-6 * held[k])
      }
    })

    it('what is masked or ignored has none; the gradient may lie on the logits', () => {
      const loss = new SoftmaxFocalLoss({ ignoreIndex: -1, reduction: 'sum', backend })
      const mask = Uint8Array.from(x, (_, k) => (k % 3 === indices[Math.floor(k / 3)] || k % 5 !== 0 ? 1 : 0))
      const call = { shape, mask, curvature: 'expected', clampHess: 0.25, maxStep: 3 } as const
      const { grad, hess } = loss.valueGradAndHess(x, indices, call)
      hess.forEach((each, k) => {
        if (mask[k] === 0 || indices[Math.floor(k / 3)] === -1) expect(each).toBe(0)
        else expect(each).toBeGreaterThanOrEqual(0.25)
      })
      const logits = x.slice()
      const over = loss.valueGradAndHess(logits, indices, { ...call, grad: logits })
      expect([over.grad, over.hess].map(bitsOf)).toEqual([grad, hess].map(bitsOf))
    })

    it.each(['exact', 'expected'] as const)('no Newton step is longer than maxStep, %s, and shorter ones stay', (curvature) => {
      const loss = new SigmoidFocalLoss({ alpha: null, reduction: 'sum', backend })
      const labels = Uint8Array.from(x, (_, k) => k % 2)
      const free = loss.valueGradAndHess(x, labels, { curvature, clampHess: 1e-4 })
      const held = loss.valueGradAndHess(x, labels, { curvature, clampHess: 1e-4, maxStep: 5, gradScale: 2 })
      const stepsOf = ({ grad, hess }: { grad: Logits; hess: Logits }) => Array.from(grad, (slope, k) => Math.abs(slope) / hess[k])
      expect(Math.max(...stepsOf(free))).toBeGreaterThan(curvature === 'exact' ? 1000 : 5)
      stepsOf(held).forEach((step, k) => {
        expect(step).toBeLessThanOrEqual(5 * (1 + 1e-6))
        if (stepsOf(free)[k] <= 4.9) expect(held.hess[k]).toBe(2 * free.hess[k])
      })
    })

    it('asynchronous calls have the same bits', async () => {
      const loss = new SoftmaxFocalLoss({ backend })
      const call = { shape, curvature: 'expected', maxStep: 2 } as const
      const some = indices.map((c) => Math.max(0, c))
      const { hess } = await loss.valueGradAndHessAsync(x, some, call)
      expect(bitsOf(hess)).toBe(bitsOf(loss.valueGradAndHess(x, some, call).hess))
    })
  })

  it('of half precision, and of probabilities', () => {
    const bits = Uint16Array.of(0x3c00, 0xbc00, 0x4000) // 1, -1, 2
    const loss = new SigmoidFocalLoss({ gamma: 0, alpha: null, reduction: 'sum', backend })
    const { hess } = loss.valueGradAndHess(bits, [1, 0, 1], { dtype: 'float16', curvature: 'expected', hess: new Float32Array(3) })
    const p = [1, -1, 2].map((at) => 1 / (1 + Math.exp(-at)))
    p.forEach((each, k) => expect(hess[k]).toBeCloseTo(each * (1 - each), 6))
    const ofProbabilities = new SigmoidFocalLoss({ gamma: 0, alpha: null, inputs: 'probabilities', reduction: 'sum', backend })
    const byP = ofProbabilities.valueGradAndHess(Float64Array.from(p), [1, 0, 1], { curvature: 'expected' }).hess
    p.forEach((each, k) => expect(byP[k]).toBeCloseTo(1 / each + 1 / (1 - each), 9))
  })
})

it('a loss without a posterior, and bad options, are errors', () => {
  const [x, y] = [Float32Array.of(1, 2), [0, 1]]
  const call = (options: object, of: object = {}) => () => new SigmoidFocalLoss(of).valueGradAndHess(x, y, options)
  expect(call({ curvature: 'expected' }, { alpha: 1 })).toThrow(/curvature is 'expected'; expected 'exact', as alpha/)
  expect(call({ curvature: 'fisher' })).toThrow("curvature is 'fisher'; expected one of 'exact', 'expected'")
  expect(call({ maxStep: 0 })).toThrow('maxStep is 0; expected a finite number > 0')
})
