/** `clampHess`: a floor under the second derivative, for boosters that divide by it. */
import type { HessCall, Logits, Numbers } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { bitsOf, elementwiseNames, elementwiseOf, logitsOf, precisions } from '../support/losses.js'

/** Longer than a block; some far out, where another path of the kernel computes. */
const numbers = Array.from({ length: 4200 }, (_, k) => (k % 700 === 5 ? 900 : 8 * Math.sin(k)))
const soft = Float64Array.from(numbers, (_, k) => (k % 11) / 10)
const indices = Int32Array.from({ length: 1400 }, (_, r) => (r % 4) - 1)
const bounds = [-0.02, 0, 1e-4, 0.125, 3e38]

/** The same bits, but for the sign of zero. */
function expectClamped(hess: Logits, free: Logits, bound: number): void {
  expect(bitsOf(hess.map((each) => each + 0))).toBe(bitsOf(free.map((each) => Math.max(each, bound) + 0)))
}

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    const x = logitsOf(precision, numbers)

    it.each(elementwiseNames)('%s has no entry below it, and nothing else changes', (name) => {
      const loss = elementwiseOf(name, { reduction: 'sum', background: -1, backend })
      for (const targets of [soft, indices] as Numbers[]) {
        const free = loss.valueGradAndHess(x, targets)
        for (const clampHess of bounds) {
          const { value, grad, hess } = loss.valueGradAndHess(x, targets, { clampHess })
          const bound = logitsOf(precision, [clampHess])[0]
          expectClamped(hess, free.hess, bound)
          expect([value, bitsOf(grad)]).toEqual([free.value, bitsOf(free.grad)])
        }
      }
      const { hess } = loss.valueGradAndHess(x, soft)
      if (name !== 'FocalStarLoss' && name !== 'VarifocalLoss') expect(Math.min(...hess)).toBeLessThan(-0.01)
    })

    it.each(elementwiseNames)('%s: what does not count stays 0', (name) => {
      const loss = elementwiseOf(name, { ignoreIndex: 255, backend })
      const targets = soft.map((y, k) => (k % 5 === 0 ? 255 : y))
      const mask = Uint8Array.from(numbers, (_, k) => Number(k % 3 !== 0))
      const { hess } = loss.valueGradAndHess(x, targets, { mask, clampHess: 7 })
      hess.forEach((each, k) => expect(each).toBe(k % 5 === 0 || k % 3 === 0 ? 0 : 7))
    })

    it.each(elementwiseNames)('%s: NaN stays NaN', (name) => {
      const loss = elementwiseOf(name, { backend })
      const strange = logitsOf(precision, [NaN, 1, -Infinity, Infinity, NaN, -900])
      for (const targets of [[0, 0, 1, 0, 1, 1], [0.3, 0.3, 1, 0, 0.3, 1]]) {
        const { hess } = loss.valueGradAndHess(strange, targets, { clampHess: 2 })
        expect([...hess]).toEqual([NaN, 2, 2, 2, NaN, 2])
      }
    })

    it.each(['none', 'sum', 'mean', 'mean-rows', 'mean-positives'] as const)('is of the reduced loss, %s', (reduction) => {
      for (const name of elementwiseNames) {
        const loss = elementwiseOf(name, { reduction, backend })
        const of = (call: HessCall<Logits>) => loss.valueGradAndHess(x, soft, { shape: [1400, 3], ...call }).hess
        for (const normalizer of [undefined, 50]) {
          const free = of({ normalizer })
          const bound = logitsOf(precision, [Math.max(...free) / 3])[0]
          expectClamped(of({ normalizer, clampHess: bound }), free, bound)
        }
      }
    })

    it('goes with the gradient over the logits, and buffers of the caller', () => {
      const loss = elementwiseOf('SigmoidFocalLoss', { backend })
      const apart = loss.valueGradAndHess(x, soft, { clampHess: 1e-3 })
      const logits = x.slice()
      const mine = x.slice()
      const { grad, hess } = loss.valueGradAndHess(logits, soft, { clampHess: 1e-3, grad: logits, hess: mine })
      expect([grad, hess]).toEqual([logits, mine])
      expect([grad, hess].map(bitsOf)).toEqual([apart.grad, apart.hess].map(bitsOf))
    })
  })
})
