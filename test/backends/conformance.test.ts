/** Every backend against the golden values, at both precisions, within the numerics contract. */
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { allowed } from '../support/closeness.js'
import { goldenCases, goldenErrors, nameOf } from '../support/golden.js'
import { lossNames, powersOf, precisions } from '../support/losses.js'

const cases = goldenCases.map((one, index) => [nameOf(one, index), one] as const)

describe('the golden file', () => {
  it('has 35 cases of the sigmoid, 45 of the softmax focal loss and 3 of each other', () => {
    const count = (name: string) => goldenCases.filter(({ loss }) => loss === name).length
    expect(lossNames.map(count)).toEqual([35, 3, 3, 3, 3, 3, 45])
    expect(goldenCases).toHaveLength(95)
  })
})

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    it.each(cases)('%s', (_, one) => {
      const errors = goldenErrors(one, backend, precision)
      for (const output of ['value', 'grad', 'hess'] as const) {
        // The plain backend computes in double, so that it errs by no more than one rounding
        const rounded = backend === 'js' && precision === 'float32'
        const limit = rounded ? 6e-8 : allowed(precision, output, ...powersOf(one.loss, one.options))
        expect({ output, error: errors[output] }).toSatisfy(({ error }) => error <= limit, `an error of at most ${limit}`)
      }
    })
  })
})
