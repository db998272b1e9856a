/** What is the asymmetric loss's alone: its margin, and modulators that count as constants. */
import { AsymmetricLoss, SigmoidFocalLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { bitsOf, logitsOf, precisions } from '../support/losses.js'

const numbers = Array.from({ length: 400 }, (_, k) => k / 20 - 10)
const labels = [0, 1, 0.3]

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    const x = logitsOf(precision, numbers)
    const limit = precision === 'float32' ? 4e-6 : 1e-12

    describe.each([[1, 4, 0.05], [0, 4, 0.05], [2, 2, 0], [1.3, 2.7, 0.5]])('gammas %d and %d, margin %d', (gammaPositive, gammaNegative, margin) => {
      const options = { gammaPositive, gammaNegative, margin, reduction: 'none', backend } as const

      it.each(labels)('a constant modulator changes no value, label %d', (y) => {
        const targets = new Float32Array(400).fill(y)
        const [whole, constant] = [false, true].map((constantModulator) => new AsymmetricLoss({ ...options, constantModulator }).value(x, targets))
        expect(bitsOf(constant)).toBe(bitsOf(whole))
      })

      it.each(labels)('its derivatives are the modulator times those of the shifted cross entropy, label %d', (y) => {
        const targets = new Float32Array(400).fill(y)
        const { grad, hess } = new AsymmetricLoss({ ...options, constantModulator: true }).valueGradAndHess(x, targets)
        const label = targets[0]
        x.forEach((logit, k) => {
          const p = 1 / (1 + Math.exp(-logit))
          const rest = 1 / (1 + Math.exp(logit))
          const t = Math.max(p - margin, 0)
          const [up, down] = [label * rest ** gammaPositive, t > 0 ? (1 - label) * t ** gammaNegative : 0]
          // d/dx of -log(1 - t) is p (1 - p) / (1 - t), and its derivative has the two terms of a quotient
          const slope = (p * rest) / (rest + margin)
          const expected = { grad: down * slope - up * rest, hess: down * slope * (rest - p + slope) + up * p * rest }
          const terms = { grad: down * slope + up * rest, hess: down * slope * (1 + slope) + up * p * rest }
          // Above the margin, p - margin has lost digits here
          const lost = t > 0 ? 1 + (gammaNegative * p * 2 ** -52) / t / limit : 1
          expect(Math.abs(grad[k] - expected.grad)).toBeLessThanOrEqual(limit * lost * terms.grad + 1e-37)
          expect(Math.abs(hess[k] - expected.hess)).toBeLessThanOrEqual(5 * limit * lost * terms.hess + 1e-37)
        })
      })

      it('negatives up to the margin are free, and one just above it is not', () => {
        const start = Math.log(margin / (1 - margin))
        const around = margin === 0 ? [-1e4, -80] : [-Infinity, start - 1, start - 1e-3, start + 1e-3]
        const { value, grad, hess } = new AsymmetricLoss({ ...options, gammaNegative: 1 }).valueGradAndHess(logitsOf(precision, around), new Uint8Array(around.length))
        const last = around.length - 1
        for (const array of [value, grad, hess]) {
          for (const each of array.slice(0, margin === 0 ? 1 : last)) expect(each).toBe(0)
          if (margin > 0 || precision === 'float64') expect(array[last]).toBeGreaterThan(0)
        }
      })
    })

    it.each([0, 1, 2, 1.7])('without asymmetry or margin it is the sigmoid focal loss, second derivative and all, gamma %d', (gamma) => {
      const far = logitsOf(precision, Array.from({ length: 161 }, (_, k) => k - 80))
      const options = { reduction: 'none', backend } as const
      for (const label of [0, 1]) {
        const targets = new Uint8Array(far.length).fill(label)
        const same = new AsymmetricLoss({ ...options, gammaPositive: gamma, gammaNegative: gamma, margin: 0 }).valueGradAndHess(far, targets)
        const expected = new SigmoidFocalLoss({ ...options, gamma, alpha: null }).valueGradAndHess(far, targets)
        for (const output of ['value', 'grad', 'hess'] as const)
          expected[output].forEach((each, k) => expect(Math.abs(same[output][k] - each), `${output} at ${far[k]}`).toBeLessThanOrEqual(5 * limit * Math.abs(each) + 1e-37))
      }
    })
  })
})
