/** Every backend against the golden values, at both precisions, within the numerics contract. */
import { describe, expect, it } from 'vitest'
import { testedBackends } from './backends.js'
import { allowed } from './support/closeness.js'
import { builtLosses, goldenCases, goldenErrors, nameOf } from './support/golden.js'
import { precisions } from './support/losses.js'

const cases = goldenCases
  .filter(({ loss }) => builtLosses.includes(loss))
  .map((one, index) => [nameOf(one, index), one] as const)

describe('the golden file', () => {
  it('has 35 cases of the sigmoid and 45 of the softmax focal loss', () => {
    const count = (name: string) => cases.filter(([, { loss }]) => loss === name).length
    expect([count('SigmoidFocalLoss'), count('SoftmaxFocalLoss')]).toEqual([35, 45])
  })

  it('has 15 cases of losses that are still to come', () => {
    const others = goldenCases.filter(({ loss }) => !builtLosses.includes(loss))
    expect(others).toHaveLength(15)
    expect([...new Set(others.map(({ loss }) => loss))]).toEqual([
      'FocalStarLoss',
      'QualityFocalLoss',
      'VarifocalLoss',
      'HeatmapFocalLoss',
      'AsymmetricLoss',
    ])
  })
})

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    it.each(cases)('%s', (_, one) => {
      const errors = goldenErrors(one, backend, precision)
      for (const output of ['value', 'grad', 'hess'] as const) {
        // The plain backend computes in double, so that it errs by no more than one rounding
        const rounded = backend === 'js' && precision === 'float32'
        const limit = rounded ? 6e-8 : allowed(precision, output, one.options.gamma)
        expect({ output, error: errors[output] }).toSatisfy(({ error }) => error <= limit, `an error of at most ${limit}`)
      }
    })
  })
})
