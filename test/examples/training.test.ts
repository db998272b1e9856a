import { describe, expect, it } from 'vitest'
import { describeFirstStep } from '../../examples/cell-detector/first_step.js'
import { trainingVariants } from '../../examples/cell-detector/variants.js'

describe('variants', () => {
  it('are the five that are compared; each loss has its own prior bias, and focal loss the rule as well', () => {
    const variants = trainingVariants(0.01)
    expect(variants.map(({ name }) => name)).toEqual([
      'cross entropy, zero bias',
      'cross entropy, prior',
      'weighted cross entropy, prior',
      'focal, gamma 2, alpha 0.25, prior',
      'focal, gamma 2, alpha 0.25, RetinaNet rule',
    ])
    const [zero, crossEntropy, weighted, focal, rule] = variants.map(({ bias }) => bias)
    expect(zero).toBe(0)
    expect(crossEntropy).toBeCloseTo(-Math.log(99), 12)
    expect(weighted).toBeCloseTo(0, 12)
    expect(focal).toBeGreaterThan(-2.5)
    expect(focal).toBeLessThan(-1)
    expect(rule).toBe(-Math.log(99))
  })
})

describe('the first step', () => {
  // 1 positive in 100, and a network that says nothing yet
  const targets = Uint8Array.from({ length: 1000 }, (_, i) => (i % 100 === 0 ? 1 : 0))
  const steps = describeFirstStep(new Float32Array(1000), targets, 0.01)
  const find = (loss: string, start: string) => {
    const step = steps.find((candidate) => candidate.loss === loss && candidate.start === start)
    if (step === undefined) throw new Error(`no ${loss} from ${start}`)
    return step
  }

  it('of cross entropy with zero bias belongs to the background', () => {
    const { meanLoss, lossShare, meanGradient, gradientShare } = find('cross entropy', 'zero bias')
    expect(meanLoss).toBeCloseTo(Math.LN2, 6)
    expect(meanGradient).toBeCloseTo(0.5, 6)
    expect(lossShare).toBeCloseTo(0.01, 6)
    expect(gradientShare).toBeCloseTo(0.01, 6)
  })

  it('of weighted cross entropy is balanced', () => {
    expect(find('weighted cross entropy', 'zero bias').gradientShare).toBeCloseTo(0.5, 6)
  })

  it('of cross entropy with the prior bias is balanced in the gradient', () => {
    const { meanLoss, gradientShare } = find('cross entropy', 'prior')
    expect(meanLoss).toBeCloseTo(-0.01 * Math.log(0.01) - 0.99 * Math.log(0.99), 6)
    expect(gradientShare).toBeCloseTo(0.5, 5)
  })

  it.each(['cross entropy', 'weighted cross entropy', 'focal, gamma 2, alpha 0.25'])('of %s is balanced in the gradient from its own prior bias', (loss) => {
    expect(find(loss, 'prior').gradientShare).toBeCloseTo(0.5, 5)
  })

  it('of focal loss from the RetinaNet rule belongs to the positives', () => {
    expect(find('focal, gamma 2, alpha 0.25', 'RetinaNet rule').gradientShare).toBeGreaterThan(0.995)
  })

  it('of focal loss is a quarter of cross entropy where p is one half', () => {
    const { meanLoss, lossShare } = find('focal, gamma 2, alpha 0.25', 'zero bias')
    expect(meanLoss).toBeCloseTo((Math.LN2 / 4) * (0.25 * 0.01 + 0.75 * 0.99), 6)
    expect(lossShare).toBeCloseTo((0.25 * 0.01) / (0.25 * 0.01 + 0.75 * 0.99), 6)
  })
})
