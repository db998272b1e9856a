/** Weights that are computed without a gradient: the value is that of the whole loss, the gradient that of weighed cross entropy. */
import { QualityFocalLoss, SigmoidFocalLoss, VarifocalLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { largestError } from '../support/closeness.js'
import { bitsOf, logitsOf, precisions } from '../support/losses.js'

const numbers = Array.from({ length: 400 }, (_, k) => k / 20 - 10)
const labels = Array.from(numbers, (_, k) => [0, 1, 0.3, 0][k % 4])

/** Each loss with the weight that its paper gives a score p whose label is y. */
const losses = [
  ['VarifocalLoss', VarifocalLoss, { gamma: 2, alpha: 0.75 }, (p: number, y: number) => (y > 0 ? y : 0.75 * p ** 2)],
  ['VarifocalLoss', VarifocalLoss, { gamma: 1.3, alpha: 0.5 }, (p: number, y: number) => (y > 0 ? y : 0.5 * p ** 1.3)],
  ['QualityFocalLoss', QualityFocalLoss, { beta: 2 }, (p: number, y: number) => Math.abs(y - p) ** 2],
  ['QualityFocalLoss', QualityFocalLoss, { beta: 1.3 }, (p: number, y: number) => Math.abs(y - p) ** 1.3],
] as const

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    it.each(losses)('%s weighs cross entropy, %o %o', (_name, Loss, options, weightOf) => {
      const x = logitsOf(precision, numbers)
      const targets = Float64Array.from(labels)
      const given = { ...options, reduction: 'none', backend } as const
      const constant = new Loss({ ...given, constantModulator: true })
      const { value, grad, hess } = constant.valueGradAndHess(x, targets)
      const entropy = new SigmoidFocalLoss({ gamma: 0, alpha: null, reduction: 'none', backend: 'js' }).valueGradAndHess(Float64Array.from(x), targets)
      x.forEach((logit, k) => {
        const [p, rest] = [1 / (1 + Math.exp(-logit)), 1 / (1 + Math.exp(logit))]
        // A distance of 1 - p with the digits that p has lost
        const weight = labels[k] === 1 && Loss === QualityFocalLoss ? weightOf(rest, 0) : weightOf(p, labels[k])
        const limit = precision === 'float32' ? 1e-5 : 1e-12
        const near = labels[k] === 0.3 ? Math.abs(p - 0.3) : 1
        expect(Math.abs(value[k] - weight * entropy.value[k])).toBeLessThanOrEqual((limit / near) * weight * entropy.value[k])
        expect(Math.abs(grad[k] - weight * entropy.grad[k])).toBeLessThanOrEqual((limit / near) * weight * Math.abs(entropy.grad[k]))
        expect(Math.abs(hess[k] - weight * entropy.hess[k])).toBeLessThanOrEqual((limit / near) * weight * entropy.hess[k])
      })
      const both = constant.valueAndGrad(x, targets)
      expect(largestError(both.value, value)).toBeLessThan(precision === 'float32' ? 1e-5 : 1e-13)
      expect(largestError(both.grad, grad)).toBeLessThan(precision === 'float32' ? 1e-5 : 1e-13)
      const whole = new Loss(given).valueGradAndHess(x, targets)
      expect(largestError(value, whole.value)).toBeLessThan(precision === 'float32' ? 1e-5 : 1e-13)
      expect(bitsOf(grad)).not.toBe(bitsOf(whole.grad))
    })
  })
})
