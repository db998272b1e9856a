/** The tables of a softmax's rows against Math, and the slots of a histogram against what its numbers say. */
import { describe, expect, it } from 'vitest'
import { Histogram } from '../../../src/analysis/evaluate/histogram.js'
import { keyOf } from '../../../src/analysis/evaluate/keys.js'
import { expOf, logOfRest, makeTables, SmoothTable } from '../../../src/analysis/evaluate/tables.js'
import { logShare } from '../../../src/analysis/posterior.js'
import { seeded } from '../../support/random.js'

makeTables()

describe('tables', () => {
  it('expOf is exp of what is not above 0', () => {
    const random = seeded(3)
    for (const t of [0, -1e-300, -1e-9, -1 / 64, -699.99, ...Array.from({ length: 5000 }, () => -700 * random() ** 4)]) expect(Math.abs(expOf(t) / Math.exp(t) - 1), String(t)).toBeLessThan(3e-13)
    expect([expOf(-701), expOf(-Infinity)]).toEqual([0, 0])
  })

  it('logOfRest is log(1 - p)', () => {
    for (const p of [1e-300, 1e-9, 0.003, 1 / 64, 1 / 64 + 1e-12, 0.2, 0.5]) expect(Math.abs(logOfRest(p) / Math.log1p(-p) - 1), String(p)).toBeLessThan(1e-12)
    expect(logOfRest(0) + 0).toBe(0)
  })

  it.each([0, 0.5, 1, 2, 5])('shares are those of gamma %d', (gamma) => {
    const random = seeded(4)
    const table = new SmoothTable((odds) => logShare(-odds, gamma))
    for (const x of [0, -48, 47.999, 48, -1e5, 1e5, -Infinity, ...Array.from({ length: 5000 }, () => 100 * (random() - 0.5))]) {
      const exact = logShare(-x, gamma)
      if (Number.isFinite(exact)) expect(Math.abs(table.at(x) - exact) / Math.max(1, Math.abs(exact)), String(x)).toBeLessThan(1e-10)
      else expect(table.at(x)).toBe(exact)
      const all = new Float64Array(2)
      table.readAll(Float64Array.of(x, 0), all)
      expect(all).toEqual(Float64Array.of(table.at(x), table.at(0)))
    }
  })
})

describe('a histogram', () => {
  const LIMIT = 2048
  const filled = (numbers: Float32Array) => {
    const histogram = new Histogram(LIMIT)
    histogram.addAll(numbers, new Uint8Array(numbers.length), 0, numbers.length, 1)
    return histogram.state()
  }
  const distinct = (numbers: Float32Array, level: number) => new Set(Array.from(numbers, (x) => keyOf(x) >>> level)).size

  it.each([
    ['normal numbers', 30_000, (random: ReturnType<typeof seeded>) => 3 * random.normal()],
    ['few that are different', 30_000, (random: ReturnType<typeof seeded>) => random.integer(2000) / 7],
    ['as many as fit', 2048, (random: ReturnType<typeof seeded>) => random()],
    ['one more', 2049, (random: ReturnType<typeof seeded>) => random()],
    ['any magnitude', 60_000, (random: ReturnType<typeof seeded>) => (random() < 0.5 ? -1 : 1) * 2 ** (250 * (random() - 0.5))],
  ])('of %s leaves out as few bits as can be, in whatever order they come', (_, count, number) => {
    const random = seeded(6)
    const numbers = Float32Array.from({ length: count }, () => number(random))
    const state = filled(numbers)
    expect(state.keys).toHaveLength(distinct(numbers, state.level))
    expect(state.keys.length).toBeLessThanOrEqual(LIMIT)
    if (state.level > 0) expect(distinct(numbers, state.level - 1)).toBeGreaterThan(LIMIT)
    expect(state.negatives.reduce((a, b) => a + b)).toBe(count)
    expect(filled(numbers.slice().sort())).toEqual(state)
    expect(filled(numbers.slice().reverse())).toEqual(state)
  })
})
