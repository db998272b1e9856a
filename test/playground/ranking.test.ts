import { describe, expect, it } from 'vitest'
import { averagePrecision, bestThreshold, decide, f1, precisionRecallCurve } from '../../playground/panels/training/ranking.js'

const apOf = (scores: number[], targets: number[]) => averagePrecision(precisionRecallCurve(Float32Array.from(scores), Uint8Array.from(targets)))

describe('average precision, against values by hand', () => {
  it.each([
    { name: 'a perfect order', scores: [4, 3, 2, 1], targets: [1, 1, 0, 0], ap: 1 },
    { name: 'the worst order', scores: [4, 3, 2, 1], targets: [0, 0, 1, 1], ap: (1 / 3 + 2 / 4) / 2 },
    { name: 'a mixed order', scores: [5, 4, 3, 2, 1], targets: [1, 0, 1, 0, 1], ap: (1 + 2 / 3 + 3 / 5) / 3 },
    { name: 'the example of scikit-learn', scores: [0.1, 0.4, 0.35, 0.8], targets: [0, 0, 1, 1], ap: 0.5 + 0.5 * (2 / 3) },
    { name: 'all scores equal: the share of positives', scores: [1, 1, 1, 1], targets: [1, 0, 0, 0], ap: 1 / 4 },
    { name: 'a tie across classes', scores: [3, 2, 2, 1], targets: [1, 1, 0, 1], ap: (1 + 2 / 3 + 3 / 4) / 3 },
    { name: 'a tie of positives', scores: [3, 2, 2, 1], targets: [0, 1, 1, 0], ap: 2 / 3 },
    { name: 'infinite scores', scores: [Infinity, 0, -Infinity], targets: [1, 0, 1], ap: (1 + 2 / 3) / 2 },
  ])('$name', ({ scores, targets, ap }) => {
    expect(apOf(scores, targets)).toBeCloseTo(ap, 12)
  })

  it('does not depend on the order in which tied cells come', () => {
    expect(apOf([2, 2, 1, 2], [0, 1, 1, 0])).toBe(apOf([2, 2, 2, 1], [1, 0, 0, 1]))
  })
})

describe('F1', () => {
  const scores = Float32Array.from([0.9, 0.8, 0.7, 0.6, 0.5])
  const targets = Uint8Array.from([1, 0, 1, 0, 0])

  it('is the harmonic mean of precision and recall', () => {
    expect(f1({ precision: 0.5, recall: 1 })).toBeCloseTo(2 / 3, 12)
    expect(f1({ precision: 0, recall: 0 })).toBe(0)
  })

  it('is best where a person would put the threshold', () => {
    expect(bestThreshold(precisionRecallCurve(scores, targets))).toBeCloseTo(0.7, 6)
  })

  it('counts the threshold itself as found', () => {
    expect(decide(scores, targets, scores[2]).f1).toBeCloseTo(4 / 5, 12)
    expect(decide(scores, targets, 1).f1).toBe(0)
  })

  it('agrees with the curve at every point', () => {
    for (const point of precisionRecallCurve(scores, targets)) {
      expect(decide(scores, targets, point.threshold).f1).toBeCloseTo(f1(point), 12)
    }
  })

  it('refuses a curve without positives', () => {
    expect(() => bestThreshold([])).toThrow(RangeError)
  })
})
