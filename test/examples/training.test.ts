import { describe, expect, it } from 'vitest'
import { describeFirstStep } from '../../examples/cell-detector/first_step.js'
import { priorBias, trainingVariants } from '../../examples/cell-detector/variants.js'

describe('variants', () => {
  it('are the five that are compared, all but the first with the prior bias', () => {
    const variants = trainingVariants(0.01)
    expect(variants.map(({ name }) => name)).toEqual([
      'cross entropy, zero bias',
      'cross entropy, prior',
      'weighted cross entropy, prior',
      'focal, gamma 2, prior',
      'focal, gamma 2, alpha 0.25, prior',
    ])
    expect(variants.map(({ bias }) => bias)).toEqual([0, ...Array<number>(4).fill(priorBias(0.01))])
    expect(1 / (1 + Math.exp(-priorBias(0.01)))).toBeCloseTo(0.01, 12)
  })
})

describe('the first step', () => {
  // 1 positive in 100, and a network that says nothing yet
  const targets = Uint8Array.from({ length: 1000 }, (_, i) => (i % 100 === 0 ? 1 : 0))
  const steps = describeFirstStep(new Float32Array(1000), targets, 0.01)
  const find = (loss: string, bias: string) => {
    const step = steps.find((candidate) => candidate.loss === loss && candidate.bias === bias)
    if (step === undefined) throw new Error(`no ${loss} with ${bias} bias`)
    return step
  }

  it('of cross entropy with zero bias belongs to the background', () => {
    const { meanLoss, lossShare, meanGradient, gradientShare } = find('cross entropy', 'zero')
    expect(meanLoss).toBeCloseTo(Math.LN2, 6)
    expect(meanGradient).toBeCloseTo(0.5, 6)
    expect(lossShare).toBeCloseTo(0.01, 6)
    expect(gradientShare).toBeCloseTo(0.01, 6)
  })

  it('of weighted cross entropy is balanced', () => {
    expect(find('weighted cross entropy', 'zero').gradientShare).toBeCloseTo(0.5, 6)
  })

  it('of cross entropy with the prior bias is balanced in the gradient', () => {
    const { meanLoss, gradientShare } = find('cross entropy', 'prior')
    expect(meanLoss).toBeCloseTo(-0.01 * Math.log(0.01) - 0.99 * Math.log(0.99), 6)
    expect(gradientShare).toBeCloseTo(0.5, 5)
  })

  it('of focal loss is a quarter of cross entropy where p is one half', () => {
    expect(find('focal, gamma 2', 'zero').meanLoss).toBeCloseTo(Math.LN2 / 4, 6)
    expect(find('focal, gamma 2, alpha 0.25', 'zero').lossShare).toBeCloseTo((0.25 * 0.01) / (0.25 * 0.01 + 0.75 * 0.99), 6)
  })
})
