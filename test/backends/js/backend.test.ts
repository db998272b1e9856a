/** The readable reference at its limits: infinities, NaN, and what is left out. */
import { describe, expect, it } from 'vitest'
import { AsymmetricLoss, HeatmapFocalLoss, QualityFocalLoss, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'

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
  // A mask of ones computes the same the long way. 2,800 logits are more than two blocks, whose ends lie within rows
  it.each([0, 0.5, 1, 1.5, 2, 3, 4, 5, 2.3])('has the bits of the long one, gamma %d', (gamma) => {
    const loss = new SigmoidFocalLoss({ gamma, background: -1, reduction: 'mean-positives', backend: 'js' })
    const each = new SigmoidFocalLoss({ gamma, background: -1, reduction: 'none', backend: 'js' })
    for (const [rows, outer] of [
      [20, 2],
      [400, 4],
    ]) {
      const logits = Float64Array.from({ length: rows * 7 }, (_, i) => ((i % 61) - 30) * (i % 7 === 0 ? 40 : 0.3))
      const labels = Float64Array.from(logits, (_, i) => [0, 1, 0, 0.3][i % 4])
      const indices = Int32Array.from({ length: rows }, (_, i) => (i % 8) - 1)
      const mask = new Uint8Array(logits.length).fill(1)
      for (const targets of [labels, indices]) {
        for (const layout of [{ shape: [rows, 7] }, { shape: [outer, 7, rows / outer], classAxis: 1 }]) {
          const short = loss.valueGradAndHess(logits, targets, layout)
          expect(short).toEqual(loss.valueGradAndHess(logits, targets, { ...layout, mask }))
          expect(short.value).toBeGreaterThan(0)
          expect(loss.sums(logits, targets, layout)).toEqual(loss.sums(logits, targets, { ...layout, mask }))
          expect(each.value(logits, targets, { ...layout, normalizer: 3 })).toEqual(each.value(logits, targets, { ...layout, mask, normalizer: 3 }))
        }
      }
    }
  })

  it('names the first bad label and the first bad class, in whatever order they lie', () => {
    const loss = new SigmoidFocalLoss({ background: -1, backend: 'js' })
    const logits = new Float32Array(2800)
    const labels = new Float32Array(2800)
    labels[17] = labels[2050] = 1.5
    for (const layout of [{ shape: [400, 7] }, { shape: [4, 7, 100], classAxis: 1 }]) {
      expect(() => loss.value(logits, labels, layout)).toThrow(/^targets\[17\] is 1\.5; expected a number from 0 to 1/)
    }
    const indices = new Int32Array(400)
    indices[300] = indices[301] = 7
    expect(() => loss.value(logits, indices, { shape: [400, 7] })).toThrow(/^targets\[300\] is 7; expected a class in 0\.\.6/)
  })

  it('makes no objects of numbers, whatever else the program has computed', () => {
    const [rows, classes] = [1200, 80]
    for (const Loss of [SigmoidFocalLoss, SoftmaxFocalLoss, QualityFocalLoss, HeatmapFocalLoss, AsymmetricLoss]) {
      const other = new Loss({ backend: 'js' })
      for (const Logits of [Float32Array, Float64Array]) {
        for (const Labels of [Uint8Array, Int32Array, Float32Array, Float64Array, Int16Array, Uint16Array]) {
          const labels = new Labels(500)
          for (let i = 0; i < 500; i += 5) labels[i] = 1
          for (let i = 0; i < 5; i++) other.valueGradAndHess(new Logits(500), labels, { shape: [100, 5] })
        }
      }
    }
    const loss = new SigmoidFocalLoss({ background: -1, reduction: 'sum', backend: 'js' })
    const logits = Float32Array.from({ length: rows * classes }, (_, i) => (i % 13) - 7)
    const targets = Int32Array.from({ length: rows }, (_, i) => (i % 50 === 0 ? 3 : -1))
    const grad = new Float32Array(rows * classes)
    const allocated = Array.from({ length: 60 }, () => {
      const before = process.memoryUsage().heapUsed
      loss.valueAndGrad(logits, targets, { grad, shape: [rows, classes] })
      return process.memoryUsage().heapUsed - before
    })
    // An object per logit would be 1.5 MB; a compilation in the background, or a collection, changes single calls
    const median = allocated.slice(20).sort((a, b) => a - b)[20]
    expect(median).toBeLessThan(100_000)
    expect(grad.some((each) => each > 0)).toBe(true)
  })
})
