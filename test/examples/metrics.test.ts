import { describe, expect, it } from 'vitest'
import { evaluate, SigmoidFocalLoss } from 'focal-loss'
import { middle95, resampleAveragePrecision } from '../../examples/cell-detector/resampling.js'
import { f1At } from '../../examples/cell-detector/results.js'
import { CELLS } from '../../examples/cell-detector/grid.js'
import { Random } from '../../examples/cell-detector/random.js'

const averagePrecision = (scores: Float32Array, targets: Uint8Array) =>
  evaluate(scores, targets, { loss: new SigmoidFocalLoss() }).raw.averagePrecision ?? NaN

describe('F1', () => {
  const scores = Float32Array.from([0.9, 0.8, 0.7, 0.6, 0.5])
  const targets = Uint8Array.from([1, 0, 1, 0, 0])

  it('counts the threshold itself as found', () => {
    expect(f1At(scores, targets, scores[2])).toBeCloseTo(4 / 5, 12)
    expect(f1At(scores, targets, 1)).toBe(0)
  })

  it('is at its best threshold what evaluate() says', () => {
    const best = evaluate(scores, targets, { loss: new SigmoidFocalLoss() }).raw.thresholds?.bestF1
    expect(best?.logit).toBe(scores[2])
    expect(f1At(scores, targets, scores[2])).toBeCloseTo(best?.f1 ?? NaN, 12)
  })
})

describe('resampled average precision', () => {
  const random = new Random(3)
  const targets = Uint8Array.from({ length: 3 * CELLS }, () => (random.next() < 0.01 ? 1 : 0))
  // Scores rounded to a few values, so that many are tied
  const scores = Float32Array.from(targets, (target) => Math.round(4 * (random.normal() + target)) / 4)

  it('repeats the plain one when there is one image', () => {
    const one = [scores.subarray(0, CELLS), targets.subarray(0, CELLS)] as const
    const expected = averagePrecision(...one)
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
