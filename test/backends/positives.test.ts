/** What each loss counts as a positive, for 'mean-positives' and for the sums that machines exchange. */
import { describe, expect, it } from 'vitest'
import type { Numbers } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import { logitsOf, type LossName, lossNames, lossOf, precisions } from '../support/losses.js'

/** In float64, which has numbers between the last float32 and 1. */
const labels = Float64Array.of(0, 2 ** -149, 1e-3, 0.25, 0.4999, 0.5, 0.75, 1 - 2 ** -53, 1, 1)

/** Labels of at least one half, unless the loss has another word for a positive. */
const counted: Readonly<Partial<Record<LossName, number>>> = { VarifocalLoss: 9, HeatmapFocalLoss: 2 }

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    const x = logitsOf(precision, Array.from(labels, (_, k) => Math.sin(k)))

    it.each(lossNames)('%s', (name) => {
      const loss = lossOf(name, { reduction: 'mean-positives', ignoreIndex: 255, backend })
      const call = { shape: [5, 2] }
      const expected = counted[name] ?? 5
      const { sum, positives } = loss.sums(x, labels, call)
      expect(positives).toBe(expected)
      expect(loss.value(x, labels, call)).toBeCloseTo(sum / expected, 12)
      // As grad and value are divided by the same
      const ratio = loss.sums(x, labels, { ...call, grad: true }).grad[4] / loss.valueAndGrad(x, labels, call).grad[4]
      expect(ratio).toBeCloseTo(expected, 5)
    })

    it.each(lossNames)('%s does not count what is masked or ignored', (name) => {
      const loss = lossOf(name, { reduction: 'mean-positives', ignoreIndex: 255, backend })
      const count = (targets: Numbers, mask: Numbers) => loss.sums(x, targets, { shape: [5, 2], mask }).positives
      expect(count(labels, [1, 1, 1, 1, 0])).toBe(counted[name] === undefined ? 3 : counted[name] - 2)
      if (name !== 'SoftmaxFocalLoss') expect(count(labels.with(9, 255), [1, 1, 1, 1, 1])).toBe((counted[name] ?? 5) - 1)
    })

    it.each(lossNames)('%s counts rows that have a class', (name) => {
      const loss = lossOf(name, { reduction: 'mean-positives', background: 2, ignoreIndex: -1, backend })
      const { sum, positives } = loss.sums(x, Int32Array.of(0, 1, 2, -1, 1))
      expect(positives).toBe(3)
      expect(loss.value(x, Int32Array.of(0, 1, 2, -1, 1))).toBeCloseTo(sum / 3, 12)
      // Where there is none, by 1
      const none = loss.sums(x, Int32Array.of(2, 2, 2, -1, 2))
      expect([none.positives, loss.denominator(none)]).toEqual([0, 1])
    })
  })
})
