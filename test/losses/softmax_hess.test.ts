/** `valueGradAndHess` of the softmax loss: the diagonal of the Hessian, in every layout, and beside the same values and gradients. */
import { type Logits, SoftmaxFocalLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { bitsOf, logitsOf, precisions } from '../support/losses.js'
import { seeded } from '../support/random.js'

const random = seeded(18)
const rows = 300
const numbers = (count: number, spread = 4) => Array.from({ length: count }, () => spread * random.normal())

/** The transposed array: classes apart. */
const apart = <A extends Logits>(array: A, classes: number): A => array.map((_, k) => array[(k % rows) * classes + Math.floor(k / rows)]) as A

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    it.each([2, 3, 10, 33, 80])('of %d classes: value and gradient have the bits that they have without it, whatever the layout', (classes) => {
      const x = logitsOf(precision, numbers(rows * classes))
      const indices = Int32Array.from({ length: rows }, (_, r) => r % classes)
      const soft = logitsOf(precision, Array.from({ length: rows * classes }, () => random() / classes))
      for (const options of [{}, { gamma: 1.7, labelSmoothing: 0.1 }, { gamma: 0 }]) {
        const loss = new SoftmaxFocalLoss({ ...options, reduction: 'none', backend })
        for (const targets of [indices, soft]) {
          const shape = [rows, classes]
          const all = loss.valueGradAndHess(x, targets, { shape })
          const both = loss.valueAndGrad(x, targets, { shape })
          expect([all.value, all.grad].map(bitsOf)).toEqual([both.value, both.grad].map(bitsOf))
          const across = { shape: [1, classes, rows], classAxis: 1 }
          const turned = loss.valueGradAndHess(apart(x, classes), targets === soft ? apart(soft, classes) : targets, across)
          const back = apart(all.hess, classes)
          expect(turned.hess.findIndex((each, k) => !(Math.abs(each - back[k]) <= 2e-6 * Math.max(1, Math.abs(back[k]))))).toBe(-1)
        }
      }
    })

    it('is clamped, scaled, and 0 for what a mask or ignoreIndex leaves out', () => {
      const classes = 5
      const x = logitsOf(precision, numbers(rows * classes))
      const targets = Int32Array.from({ length: rows }, (_, r) => (r % 7 === 0 ? 255 : r % classes))
      const mask = Uint8Array.from(x, (_, k) => (k % classes === targets[Math.floor(k / classes)] || k % 3 !== 0 ? 1 : 0))
      const loss = new SoftmaxFocalLoss({ ignoreIndex: 255, reduction: 'sum', backend })
      const free = loss.valueGradAndHess(x, targets, { mask }).hess
      const held = loss.valueGradAndHess(x, targets, { mask, clampHess: 0.125, gradScale: 4 }).hess
      expect(Math.min(...free)).toBeLessThan(-0.01)
      held.forEach((each, k) => expect(each).toBe(mask[k] === 0 || targets[Math.floor(k / classes)] === 255 ? 0 : 4 * Math.max(0.125, free[k])))
    })

    it('of rows far out comes from the double-precision fallback, and is that of the rest of the row', () => {
      const loss = new SoftmaxFocalLoss({ gamma: 2, reduction: 'sum', backend })
      const far = logitsOf(precision, [-Infinity, 1, -0.5, NaN, 1, 2, 1, 1e32, 0, 900, 899, 0])
      const { hess } = loss.valueGradAndHess(far, Int32Array.of(1, 0, 1, 1))
      const near = loss.valueGradAndHess(logitsOf(precision, [1, -0.5]), Int32Array.of(0)).hess
      expect(hess[0]).toBe(0)
      for (const c of [0, 1]) expect(Math.abs(hess[1 + c] / near[c] - 1)).toBeLessThan(2e-5)
      expect([...hess.subarray(3, 6)]).toEqual([NaN, NaN, NaN])
      expect([...hess.subarray(6, 9)]).toEqual([0, 0, 0])
      const pair = loss.valueGradAndHess(logitsOf(precision, [1, 0]), Int32Array.of(1)).hess
      expect(Math.abs(hess[9] / pair[0] - 1)).toBeLessThan(2e-5)
    })

    it.each([false, true])('of probabilities is by them: differences of the gradient, renormalize %s', (renormalize) => {
      const loss = new SoftmaxFocalLoss({ gamma: 1.5, inputs: 'probabilities', renormalize, labelSmoothing: 0.1, reduction: 'sum', backend })
      const p = [0.2, 0.5, 0.3, 0.999, 0.0006, 0.0004]
      const targets = Int32Array.of(0, 0)
      const { hess } = loss.valueGradAndHess(logitsOf(precision, p), targets)
      const exact = new SoftmaxFocalLoss({ ...loss.options, backend: 'js' })
      const slopeAt = (k: number, at: number) => exact.valueAndGrad(Float64Array.from(p).with(k, at), targets).grad[k]
      p.forEach((at, k) => {
        const step = at * 1e-5
        const expected = (slopeAt(k, at + step) - slopeAt(k, at - step)) / (2 * step)
        expect(Math.abs(hess[k] - expected)).toBeLessThan(5e-5 * Math.max(1, Math.abs(expected)))
      })
    })
  })

  it('of half precision is rounded from float32, or comes in float32', () => {
    const bits = Uint16Array.of(0x3c00, 0xbc00, 0x4000, 0x3800) // 1, -1, 2, 0.5
    const loss = new SoftmaxFocalLoss({ reduction: 'sum', backend })
    const call = { dtype: 'float16', shape: [1, 4] } as const
    const single = loss.valueGradAndHess(bits, Int32Array.of(1), { ...call, hess: new Float32Array(4) }).hess
    const exact = loss.valueGradAndHess(Float32Array.of(1, -1, 2, 0.5), Int32Array.of(1)).hess
    expect([...single]).toEqual([...exact])
    expect(loss.valueGradAndHess(bits, Int32Array.of(1), call).hess).toBeInstanceOf(Uint16Array)
  })
})
