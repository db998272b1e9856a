import { describe, expect, it } from 'vitest'
import { averagePrecision, bestThreshold, f1, f1At, precisionRecallCurve } from '../../examples/cell-detector/metrics.js'
import { middle95, resampleAveragePrecision } from '../../examples/cell-detector/resampling.js'
import { CELLS } from '../../examples/cell-detector/grid.js'
import { Random } from '../../examples/cell-detector/random.js'

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
    expect(f1At(scores, targets, scores[2])).toBeCloseTo(4 / 5, 12)
    expect(f1At(scores, targets, 1)).toBe(0)
  })

  it('agrees with the curve at every point', () => {
    for (const point of precisionRecallCurve(scores, targets)) {
      expect(f1At(scores, targets, point.threshold)).toBeCloseTo(f1(point), 12)
    }
  })

  it('refuses a curve without positives', () => {
    expect(() => bestThreshold([])).toThrow(RangeError)
  })
})

describe('resampled average precision', () => {
  const random = new Random(3)
  const targets = Uint8Array.from({ length: 3 * CELLS }, () => (random.next() < 0.01 ? 1 : 0))
  // Scores rounded to a few values, so that many are tied
  const scores = Float32Array.from(targets, (target) => Math.round(4 * (random.normal() + target)) / 4)

  it('repeats the plain one when there is one image', () => {
    const one = [scores.subarray(0, CELLS), targets.subarray(0, CELLS)] as const
    const expected = averagePrecision(precisionRecallCurve(...one))
    for (const value of resampleAveragePrecision([one[0]], one[1], 3, 1)[0]) expect(value).toBeCloseTo(expected, 12)
  })

  it('gives equal models equal values, and the same values for the same seed', () => {
    const [first, second] = resampleAveragePrecision([scores, scores.slice()], targets, 20, 7)
    expect(first).toHaveLength(20)
    expect(first).toEqual(second)
    expect(resampleAveragePrecision([scores], targets, 20, 7)[0]).toEqual(first)
  })

  it('passes over drawings without a positive', () => {
    const onlyFirst = targets.map((target, cell) => (cell < CELLS ? target : 0))
    const [values] = resampleAveragePrecision([scores], onlyFirst, 50, 1)
    expect(values.length).toBeLessThan(50)
    expect(values.every(Number.isFinite)).toBe(true)
  })

  it('takes the middle 95 %', () => {
    expect(middle95(Array.from({ length: 201 }, (_, i) => 200 - i))).toEqual([5, 195])
  })
})
