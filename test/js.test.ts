/** The readable reference against the golden values, at both precisions, and at its limits. */
import { describe, expect, it } from 'vitest'
import { type FocalOptions, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import golden from './conformance/golden.json' with { type: 'json' }

interface Golden {
  loss: string
  options: FocalOptions
  shape: number[]
  logits: number[]
  targets: number[]
  expected: { value: number[]; grad: number[]; hess?: number[] }
}

const cases = (golden.cases as Golden[]).filter(({ loss }) => loss === 'SigmoidFocalLoss' || loss === 'SoftmaxFocalLoss')

function expectClose(actual: ArrayLike<number>, expected: readonly number[], relative: number): void {
  expect(actual).toHaveLength(expected.length)
  expected.forEach((exact, i) => {
    expect(Math.abs(actual[i] - exact)).toBeLessThanOrEqual(Math.max(1e-37, relative * Math.abs(exact)))
  })
}

describe.each([
  ['float64', Float64Array, 1e-12],
  ['float32', Float32Array, 6e-8],
] as const)('js, %s', (_, Type, tolerance) => {
  it.each(cases.map((one, i) => [`${i} ${one.loss} ${JSON.stringify(one.options).slice(0, 60)}`, one] as const))('%s', (_, one) => {
    const logits = Type.from(one.logits) as Float32Array
    const call = { shape: one.shape }
    const options = { ...one.options, reduction: 'none', backend: 'js' } as const
    if (one.loss === 'SoftmaxFocalLoss') {
      const { value, grad } = new SoftmaxFocalLoss(options).valueAndGrad(logits, one.targets, call)
      expectClose(value, one.expected.value, tolerance)
      expectClose(grad, one.expected.grad, tolerance)
    } else {
      const { value, grad, hess } = new SigmoidFocalLoss(options).valueGradAndHess(logits, one.targets, call)
      expectClose(value, one.expected.value, tolerance)
      expectClose(grad, one.expected.grad, tolerance)
      expectClose(hess, one.expected.hess ?? [], tolerance)
    }
  })
})

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
    expect(of(0, NaN)).toEqual([NaN, NaN, NaN])
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
    expect(of([-Infinity], 0)).toEqual([0, 0])
    expect(of([3e38, -3e38, 0], 1).every(Number.isFinite)).toBe(true)
  })

  it('leaves what is masked or ignored alone, whatever it is', () => {
    const loss = new SigmoidFocalLoss({ ...options, ignoreIndex: -1 })
    const { value, grad } = loss.valueAndGrad(Float64Array.of(NaN, 1, NaN), [-1, 1, 7], { mask: [1, 1, 0] })
    expect([value[0], value[2], grad[0], grad[2]]).toEqual([0, 0, 0, 0])
    expect(value[1]).toBeGreaterThan(0)
  })
})
