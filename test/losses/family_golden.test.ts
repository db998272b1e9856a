/** The 60-digit values of test/conformance/family: losses and options that have no kernel of their own, on every backend. */
import * as focal from 'focal-loss'
import { ElementwiseLoss, type FocalLossBase, type LossOptions } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import golden from '../conformance/family/golden.json' with { type: 'json' }
import { testedBackends } from '../support/backends.js'
import { allowed, largestError } from '../support/closeness.js'
import { flat, logitsOf, precisions } from '../support/losses.js'

interface FamilyCase {
  readonly loss: 'SigmoidFocalLoss' | 'SoftmaxFocalLoss' | 'VarifocalLoss' | 'QualityFocalLoss' | 'DistributionFocalLoss' | 'AsymmetricSoftmaxLoss'
  readonly options: { readonly gamma?: number | readonly number[]; readonly beta?: number; readonly gammaPositive?: number; readonly gammaNegative?: number }
  readonly shape: readonly number[]
  readonly logits: readonly number[]
  readonly targets: readonly number[]
  readonly expected: { readonly value: readonly number[]; readonly grad: readonly number[]; readonly hess?: readonly number[] }
  readonly terms: { readonly grad: readonly number[]; readonly hess?: readonly number[] }
}

const cases = golden.cases as readonly FamilyCase[]
const titled = cases.map((one, i) => [`${i} ${one.loss} ${JSON.stringify(one.options).slice(0, 100)} [${one.shape.join(', ')}]`, one] as const)
const lossOf = ({ loss, options }: FamilyCase, backend: focal.BackendName): FocalLossBase<'none'> => new focal[loss]({ ...options, reduction: 'none' as const, backend } as LossOptions<'none'>)
const powersOf = ({ options }: FamilyCase) => [options.gamma ?? 0, options.beta ?? 0, options.gammaPositive ?? 0, options.gammaNegative ?? 0].flat()

it('there are some of each', () => {
  expect(new Set(cases.map(({ loss }) => loss)).size).toBe(6)
})

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    it.each(titled)('%s', (_, one) => {
      const { shape, expected, terms } = one
      const loss = lossOf(one, backend)
      const logits = logitsOf(precision, one.logits)
      const targets = loss instanceof focal.SoftmaxFocalLoss || loss instanceof focal.AsymmetricSoftmaxLoss ? Int32Array.from(one.targets) : one.targets
      const limit = (output: 'value' | 'grad' | 'hess') => allowed(precision, output, ...powersOf(one))
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
