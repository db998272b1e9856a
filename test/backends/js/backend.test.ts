/** The readable reference at its limits: infinities, NaN, and what is left out. */
import { describe, expect, it } from 'vitest'
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'

describe('js, limits', () => {
  const options = { alpha: null, reduction: 'none', backend: 'js' } as const

  it.each([0, 0.5, 2, 5])('sigmoid, gamma %d', (gamma) => {
    const loss = new SigmoidFocalLoss({ ...options, gamma })
    const of = (x: number, y: number) => {
      const { value, grad, hess } = loss.valueGradAndHess(Float64Array.of(x), [y])
      return [value[0], grad[0] + 0, hess[0] + 0]
    }
    expect(of(Infinity, 0)).toEqual([Infinity, 1, 0])
    expect(of(-Infinity, 1)).toEqual([Infinity, -1, 0])
    expect(of(Infinity, 1)).toEqual([0, 0, 0])
    expect(of(-Infinity, 0)).toEqual([0, 0, 0])
    expect(of(NaN, 0)).toEqual([NaN, NaN, NaN])
    expect(() => of(0, NaN)).toThrow(/^targets\[0\] is NaN/)
    for (const x of [100, -100, 1e4, -1e4, 3e38, -3e38]) {
      for (const y of [0, 0.3, 1]) expect(of(x, y).every(Number.isFinite)).toBe(true)
    }
    expect(of(Infinity, 0.25)[0]).toBe(Infinity)
  })

  it.each([0, 0.5, 2, 5])('softmax, gamma %d', (gamma) => {
    const loss = new SoftmaxFocalLoss({ ...options, gamma })
    const of = (x: number[], target: number) => {
      const { value, grad } = loss.valueAndGrad(Float64Array.from(x), [target], { shape: [1, x.length] })
      return [value[0], ...Array.from(grad, (g) => g + 0)]
    }
    expect(of([Infinity, 1], 0)).toEqual([0, 0, 0])
    expect(of([Infinity, 1], 1)).toEqual([Infinity, 1, -1])
    expect(of([-Infinity, 1, 1], 0)).toEqual([Infinity, -1, 0.5, 0.5])
    expect(of([-Infinity, 1], 1)).toEqual([0, 0, 0])
    expect(of([NaN, 1], 1)).toEqual([NaN, NaN, NaN])
    expect(of([Infinity, Infinity, 1], 2)).toEqual([NaN, NaN, NaN, NaN])
    expect(of([3e38, -3e38, 0], 1).every(Number.isFinite)).toBe(true)
  })

  it('leaves what is masked or ignored alone, whatever it is', () => {
    const loss = new SigmoidFocalLoss({ ...options, ignoreIndex: -1 })
    const { value, grad } = loss.valueAndGrad(Float64Array.of(NaN, 1, NaN), [-1, 1, 7], { mask: [1, 1, 0] })
    expect([value[0], value[2], grad[0], grad[2]]).toEqual([0, 0, 0, 0])
    expect(value[1]).toBeGreaterThan(0)
  })
})
