/** Asymmetric loss over a softmax: what its authors' code computes, on every backend. */
import * as tf from '@tensorflow/tfjs-core'
import { AsymmetricSoftmaxLoss, gradcheck, SoftmaxFocalLoss } from 'focal-loss'
import { tfLoss } from 'focal-loss/tfjs'
import { webgpuLoss } from 'focal-loss/webgpu'
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { largestError } from '../support/closeness.js'
import { logitsOf, precisions } from '../support/losses.js'
import { seeded } from '../support/random.js'
import { thrownBy } from '../support/thrown.js'

/** ASLSingleLabel: log-probabilities, weighed by powers of what is missing from each hard label, times the smoothed ones. */
function reference(row: readonly number[], target: number, positive: number, negative: number, e: number): number {
  const whole = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0))
  return row.reduce((sum, x, c) => {
    const log = x - whole
    const weight = c === target ? (1 - Math.exp(log)) ** positive : Math.exp(log) ** negative
    return sum - (Number(c === target) * (1 - e) + e / row.length) * weight * log
  }, 0)
}

const random = seeded(8)
const rows = Array.from({ length: 60 }, () => Array.from({ length: 7 }, () => random.between(-5, 5)))
const targets = Int32Array.from(rows, (_, r) => (r * 3) % 7)

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    const limit = precision === 'float32' ? 4e-6 : 1e-12
    const logits = logitsOf(precision, rows.flat())

    it('is the code of its authors', () => {
      for (const [positive, negative, e] of [[0, 4, 0.1], [1, 2, 0.3], [2, 0, 0.05], [2, 4, 0]]) {
        const loss = new AsymmetricSoftmaxLoss({ gammaPositive: positive, gammaNegative: negative, labelSmoothing: e, reduction: 'none', backend })
        const exact = rows.map((row, r) => reference(precision === 'float32' ? row.map(Math.fround) : row, targets[r], positive, negative, e))
        expect(largestError(loss.value(logits, targets), exact)).toBeLessThan(limit)
      }
      const mean = new AsymmetricSoftmaxLoss({ backend }).value(logits, targets)
      expect(mean).toBeCloseTo(rows.reduce((sum, row, r) => sum + reference(row, targets[r], 0, 4, 0.1), 0) / rows.length, 5)
    })

    it('without smoothing is the softmax focal loss', () => {
      const one = new AsymmetricSoftmaxLoss({ gammaPositive: 2, labelSmoothing: 0, reduction: 'none', backend }).valueAndGrad(logits, targets)
      const other = new SoftmaxFocalLoss({ reduction: 'none', backend }).valueAndGrad(logits, targets)
      expect(largestError(one.value, other.value)).toBeLessThan(limit)
      expect(largestError(one.grad, other.grad)).toBeLessThan(limit)
    })

    it('takes weights, masks of rows and of classes, background, ignored rows, any class axis', async () => {
      const mask = Uint8Array.from(rows.flat(), (_, k) => Number(k % 7 === targets[Math.floor(k / 7)] || k % 3 > 0))
      const indices = targets.map((each, r) => [each, each, each, 7, -1][r % 5])
      const weights = Float64Array.from(rows, (_, r) => r % 4)
      for (const reduction of ['sum', 'mean', 'mean-rows', 'mean-positives'] as const) {
        const options = { classWeights: [1, 2, 0.5, 3, 1, 0, 1], background: 7, ignoreIndex: -1, reduction }
        for (const call of [{ weights, mask }, { mask: weights }, { shape: [60, 7], classAxis: 1 }]) {
          const one = new AsymmetricSoftmaxLoss({ ...options, backend }).valueAndGrad(logits, indices, call)
          const exact = new AsymmetricSoftmaxLoss({ ...options, backend: 'js' }).valueAndGrad(Float64Array.from(logits), indices, call)
          expect(largestError([one.value], [exact.value])).toBeLessThan(limit)
          expect(largestError(one.grad, exact.grad, exact.grad.map((each) => Math.abs(each) + 1e-2))).toBeLessThan(limit)
          expect(await new AsymmetricSoftmaxLoss({ ...options, backend }).valueAndGradAsync(logits, indices, call)).toEqual(one)
        }
      }
      // A row that lost a class is the row that never had it
      const two = new AsymmetricSoftmaxLoss({ backend }).value(logitsOf(precision, [1, 2, 9]), Int32Array.of(0), { mask: [1, 1, 0] })
      expect(two).toBeCloseTo(reference([1, 2], 0, 0, 4, 0.1), 6)
    })

    it('is finite far out, and has the limits of infinities', () => {
      const far = logitsOf(precision, [1e30, -1e30, 0, 3e4, -3e4, 0, Infinity, 0, 1, -Infinity, 0, 1, NaN, 0, 1, Infinity, Infinity, 0])
      for (const gammaNegative of [0, 4, 0.5]) {
        const given = { gammaNegative, gammaPositive: 1, reduction: 'none' } as const
        const indices = Int32Array.of(1, 1, 0, 1, 0, 0)
        const one = new AsymmetricSoftmaxLoss({ ...given, backend }).valueAndGrad(far, indices)
        const exact = new AsymmetricSoftmaxLoss({ ...given, backend: 'js' }).valueAndGrad(Float64Array.from(far), indices)
        expect(largestError(one.value, exact.value)).toBeLessThan(limit)
        expect(largestError(one.grad, exact.grad)).toBeLessThan(limit)
        expect(Array.from(one.value, Number.isNaN)).toEqual([false, false, false, false, true, true])
      }
    })

    it('has the gradient of its value, and the derivative of its gradient', () => {
      if (precision === 'float32') return
      for (const options of [{}, { gammaPositive: 1.5, gammaNegative: 0.5, labelSmoothing: 0.4 }, { gammaNegative: 0 }]) {
        const loss = new AsymmetricSoftmaxLoss({ ...options, backend })
        expect(gradcheck(loss, logits, targets).passed).toBe(true)
        const few = Float64Array.from(logits.subarray(0, 21))
        const { hess } = loss.valueGradAndHess(few, targets.subarray(0, 3))
        hess.forEach((each, k) => {
          const [up, down] = [1e-4, -1e-4].map((by) => loss.valueAndGrad(few.map((x, j) => (j === k ? x + by : x)), targets.subarray(0, 3)).grad[k])
          expect(each).toBeCloseTo((up - down) / 2e-4, 7)
        })
      }
    })
  })

  it('names what is wrong', async () => {
    const make = (options: object) => () => new AsymmetricSoftmaxLoss({ backend, ...options })
    const bad = [
      [make({ gammaNegative: -1 }), new RangeError('gammaNegative is -1; expected a finite number >= 0')],
      [make({ gammaPositive: '1' }), new TypeError("gammaPositive is '1'; expected a finite number >= 0")],
      [make({ labelSmoothing: 2 }), new RangeError('labelSmoothing is 2; expected a number from 0 to 1')],
      [make({ inputs: 'probabilities' }), new RangeError("inputs is 'probabilities'; expected 'logits', as an asymmetric loss over a softmax takes no probabilities")],
      [() => make({})().value(new Float32Array(6), new Float32Array(6), { shape: [2, 3] }), new TypeError('targets is a Float32Array of length 6; expected class indices, one per row')],
      [() => make({})().toProbability(new Float32Array(6), { shape: [2, 3] }), new RangeError('labelSmoothing is 0.1; expected 0, as toProbability() has no inverse of an asymmetric loss over a softmax with label smoothing')],
      [() => make({})().valueGradAndHess(new Float32Array(6), Int32Array.of(0, 1), { curvature: 'expected' }), new RangeError("curvature is 'expected'; expected 'exact', as an asymmetric loss over a softmax takes no labels, and a posterior is of such")],
      [() => make({})().priorBias([0.5, 0.5]), new RangeError('labelSmoothing is 0.1; expected 0, as priorBias() has no inverse of an asymmetric loss over a softmax with label smoothing')],
    ] as const
    for (const [run, error] of bad) expect(await thrownBy(run)).toEqual(error)
    expect(() => make({})().value(new Float32Array(6), Int32Array.of(0, 3))).toThrow('targets[1] is 3; expected a class in 0..2')
    const device = { createBuffer: () => undefined, createComputePipeline: () => undefined, createCommandEncoder: () => undefined, limits: { maxStorageBufferBindingSize: 0 } }
    expect(() => webgpuLoss(device as never, make({})()).valueAndGrad({} as never, { shape: [2, 3], targetKind: 'labels' })).toThrow('targets is undefined; expected class indices, one per row')
    expect(() => tfLoss(tf, make({})(), { implementation: 'composed' })(tf.tensor1d([0, 1], 'int32'), tf.zeros([2, 3]))).toThrow()
  })
})

it('without smoothing has the posterior of the softmax focal loss', () => {
  const loss = new AsymmetricSoftmaxLoss({ gammaPositive: 2, labelSmoothing: 0 })
  const x = Float64Array.of(1, -1, 0.5)
  expect(loss.toProbability(x, { shape: [1, 3] })).toEqual(new SoftmaxFocalLoss().toProbability(x, { shape: [1, 3] }))
  expect(loss.priorBias([0.2, 0.3, 0.5])).toEqual(new SoftmaxFocalLoss().priorBias([0.2, 0.3, 0.5]))
})
