/** The 60-digit values of test/conformance/family: losses and options that have no kernel of their own, on every backend. */
import { ElementwiseLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { allowed, largestError } from '../support/closeness.js'
import { familyCases, familyLoss, familyPowers, familyTargets } from '../support/family.js'
import { flat, logitsOf, precisions } from '../support/losses.js'

it('there are some of each', () => {
  expect(new Set(familyCases.map(([, { loss }]) => loss)).size).toBe(6)
})

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    it.each(familyCases)('%s', (_, one) => {
      const { shape, expected, terms } = one
      const loss = familyLoss(one, backend)
      const logits = logitsOf(precision, one.logits)
      const targets = familyTargets(one)
      const limit = (output: 'value' | 'grad' | 'hess') => allowed(precision, output, ...familyPowers(one))
      const { value, grad } = loss.valueAndGrad(logits, targets, { shape })
      expect(largestError(value, expected.value)).toBeLessThanOrEqual(limit('value'))
      expect(largestError(grad, expected.grad, terms.grad)).toBeLessThanOrEqual(limit('grad'))
      if (!(loss instanceof ElementwiseLoss)) return
      const all = loss.valueGradAndHess(logits, targets, { shape })
      expect(largestError(flat(all.value), expected.value)).toBeLessThanOrEqual(limit('value'))
      expect(largestError(all.grad, expected.grad, terms.grad)).toBeLessThanOrEqual(limit('grad'))
      expect(largestError(all.hess, expected.hess ?? [], terms.hess)).toBeLessThanOrEqual(limit('hess'))
    })
  })
})
