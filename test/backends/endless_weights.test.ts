/** A weight that is no finite number is no weight: what it multiplies is NaN, on every backend, and nothing else is. */
import { AsymmetricLoss, HeatmapFocalLoss, SigmoidFocalLoss, SoftmaxFocalLoss, VarifocalLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { elementwiseNames, elementwiseOf, logitsOf, precisions } from '../support/losses.js'

const bad = [Infinity, -Infinity, NaN]

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    const x = logitsOf(precision, [0.5, -1, 2, 0, 3, -4, 1, 0.25])

    it.each(elementwiseNames)('%s: its element alone', (name) => {
      for (const weight of bad) {
        for (const y of [0, 1, 0.4]) {
          const weights = Float32Array.of(1, weight, 1, 0, 1, 1, 1, 2)
          const { value, grad, hess } = elementwiseOf(name, { reduction: 'none', backend }).valueGradAndHess(x, new Float32Array(8).fill(y), { weights })
          // A negative of p below the margin costs nothing, and may stay at it
          const all = [value, grad, hess]
          for (const output of all) {
            expect(Number.isNaN(output[1])).toBe(true)
            expect(output.filter(Number.isNaN)).toHaveLength(1)
          }
        }
        const masked = elementwiseOf(name, { backend }).valueAndGrad(x, new Uint8Array(8), { weights: Float64Array.of(1, weight, 1, 1, 1, 1, 1, 1), mask: [1, 0, 1, 1, 1, 1, 1, 1] })
        expect([masked.value, ...masked.grad].every(Number.isFinite)).toBe(true)
      }
    })

    it('of class indices, probabilities and rows', () => {
      for (const weight of bad) {
        const weights = Float32Array.of(1, weight)
        const call = { shape: [2, 4], weights }
        for (const Loss of [SigmoidFocalLoss, VarifocalLoss, HeatmapFocalLoss, AsymmetricLoss]) {
          const { grad } = new Loss({ reduction: 'none', backend }).valueAndGrad(x, Int32Array.of(1, 2), call)
          expect(Array.from(grad, Number.isNaN)).toEqual([false, false, false, false, true, true, true, true])
        }
        const p = logitsOf(precision, [0.5, 0.25, 0.125, 0.125, 0.5, 0, 0, 0.5])
        for (const targets of [Int32Array.of(1, 0), [0, 1, 0, 0, 0.5, 0.5, 0, 0]]) {
          for (const [logits, inputs] of [[x, 'logits'], [p, 'probabilities']] as const) {
            const { value, grad } = new SoftmaxFocalLoss({ reduction: 'none', inputs, backend }).valueAndGrad(logits, targets, call)
            expect(Array.from(value, Number.isNaN)).toEqual([false, true])
            expect(grad.subarray(0, 4).some(Number.isNaN)).toBe(false)
            expect(grad.subarray(4).some(Number.isNaN)).toBe(true)
          }
          const { value } = new SigmoidFocalLoss({ reduction: 'none', inputs: 'probabilities', backend }).valueAndGrad(p, targets, call)
          expect(Array.from(value, Number.isNaN)).toEqual([false, false, false, false, true, true, true, true])
        }
      }
    })
  })
})
