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

describe('js, the short loop', () => {
  // A mask of ones computes the same the long way
  it.each([0, 0.5, 1, 1.5, 2, 3, 4, 5, 2.3])('has the bits of the long one, gamma %d', (gamma) => {
    const loss = new SigmoidFocalLoss({ gamma, background: -1, reduction: 'mean-positives', backend: 'js' })
    const logits = Float64Array.from({ length: 60 }, (_, i) => (i - 30) * (i % 7 === 0 ? 40 : 0.3))
    const labels = Float64Array.from(logits, (_, i) => [0, 1, 0, 0.3][i % 4])
    const indices = Int32Array.from({ length: 20 }, (_, i) => (i % 4) - 1)
    for (const targets of [labels, indices]) {
      for (const layout of [{ shape: [20, 3] }, { shape: [2, 3, 10], classAxis: 1 }]) {
        const short = loss.valueGradAndHess(logits, targets, layout)
        const long = loss.valueGradAndHess(logits, targets, { ...layout, mask: new Uint8Array(60).fill(1) })
        expect(short).toEqual(long)
        expect(loss.sums(logits, targets, layout)).toEqual(loss.sums(logits, targets, { ...layout, mask: new Uint8Array(60).fill(1) }))
        expect(short.value).toBeGreaterThan(0)
      }
    }
    expect(() => loss.value(logits, labels.with(17, 1.5), { shape: [20, 3] })).toThrow(/^targets\[17\] is 1\.5; expected a number from 0 to 1/)
  })
})
