/** Calls of a few logits on the choice of 'auto', which times each loss once on problems of its own making. */
import { afterEach, describe, expect, it } from 'vitest'
import * as focal from 'focal-loss'

const variants: readonly (readonly [string, () => focal.FocalLossBase])[] = [
  ['SigmoidFocalLoss', () => new focal.SigmoidFocalLoss()],
  ['SigmoidFocalLoss, gamma per class', () => new focal.SigmoidFocalLoss({ gamma: [0, 2, 5] })],
  ['SigmoidFocalLoss, smoothing of the cross entropy', () => new focal.SigmoidFocalLoss({ labelSmoothing: 0.1, labelSmoothingOf: 'cross-entropy' })],
  ['SoftmaxFocalLoss', () => new focal.SoftmaxFocalLoss()],
  ['SoftmaxFocalLoss, gamma per class', () => new focal.SoftmaxFocalLoss({ gamma: [0, 2, 5] })],
  ['FocalStarLoss', () => new focal.FocalStarLoss()],
  ['QualityFocalLoss', () => new focal.QualityFocalLoss()],
  ['VarifocalLoss', () => new focal.VarifocalLoss()],
  ['HeatmapFocalLoss', () => new focal.HeatmapFocalLoss()],
  ['AsymmetricLoss', () => new focal.AsymmetricLoss()],
  ['AsymmetricSoftmaxLoss', () => new focal.AsymmetricSoftmaxLoss()],
  ['DistributionFocalLoss', () => new focal.DistributionFocalLoss()],
]

afterEach(() => focal.setBackend('auto'))

describe("a small call on 'auto'", () => {
  it('is tried with every loss', () => {
    const losses = Object.keys(focal).filter((name) => name.endsWith('Loss') && /^[A-Z]/.test(name) && name !== 'ElementwiseLoss')
    expect(new Set(variants.map(([name]) => name.split(',')[0]))).toEqual(new Set(losses))
  })

  it.each(variants)('%s is what js computes, whichever backend is chosen', (name, make) => {
    const loss = make()
    const targets = Int32Array.of(2, 0)
    for (const Type of [Float32Array, Float64Array]) {
      const logits = Type.of(0.5, -1.25, 2, -3, 0.25, 1)
      focal.setBackend('auto')
      const chosen = loss.valueAndGrad(logits, targets, { shape: [2, 3] })
      focal.setBackend('js')
      const plain = loss.valueAndGrad(logits, targets, { shape: [2, 3] })
      const digits = Type === Float32Array ? 6 : 13
      expect(chosen.value, name).toBeCloseTo(plain.value as number, digits)
      chosen.grad.forEach((g, k) => expect(g).toBeCloseTo(plain.grad[k], digits))
    }
  })
})
