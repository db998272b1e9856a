import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { Random } from '../../examples/cell-detector/random.js'
import { compare, type Comparison, SETTINGS, VARIANTS } from '../../examples/calibration/compare.js'
import { bestAccuracy, CLASSES, drawCentres, drawPoints, FEATURES, mislabel, slicePoints } from '../../examples/calibration/data.js'
import { pooledReliability, renderReport } from '../../examples/calibration/report.js'
import { summarise } from '../../examples/calibration/summary.js'
import { longTail, ratesTable, tailCounts, tailTable } from '../../examples/calibration/tail.js'

const page = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')

describe('the points', () => {
  const random = new Random(1)
  const centres = drawCentres(random)
  const points = drawPoints(centres, 3000, random)

  it('are of ten classes that overlap a little', () => {
    expect(new Set(points.labels).size).toBe(CLASSES)
    expect(points.features).toHaveLength(3000 * FEATURES)
    expect(bestAccuracy(centres, points)).toBeGreaterThan(0.95)
    expect(bestAccuracy(centres, points)).toBeLessThan(1)
  })

  it('have as many wrong labels as was asked for, each of another class', () => {
    const wrong = mislabel(points, 0.2, new Random(2))
    const changed = wrong.labels.filter((label, i) => label !== points.labels[i]).length
    expect(changed / 3000).toBeCloseTo(0.2, 1)
    expect(mislabel(points, 0, new Random(2)).labels).toEqual(points.labels)
  })

  it('are cut where it says', () => {
    const { features, labels } = slicePoints(points, 10, 12)
    expect(labels).toEqual(points.labels.slice(10, 12))
    expect(features).toEqual(points.features.slice(10 * FEATURES, 12 * FEATURES))
  })
})

describe('the comparison, of two seeds', () => {
  const variants = VARIANTS.filter(({ name }) => /^cross entropy$|gamma 2|smoothing|temperature/.test(name))
  let comparisons: Comparison[] = []
  beforeAll(() => {
    comparisons = [1, 2].flatMap((seed) => [...compare(seed, SETTINGS, variants)])
  }, 240_000)
  const of = (setting: number) => comparisons.filter((each) => each.setting === SETTINGS[setting])
  const mean = (from: readonly Comparison[], value: (scores: Comparison['scores']) => number) => from.reduce((sum, { scores }) => sum + value(scores), 0) / from.length

  it('finds over-trained cross entropy too sure of itself, and gamma 2, smoothing and a temperature better calibrated', () => {
    const error = (v: number) => mean(of(0), (scores) => scores[v].calibrationError)
    expect(mean(of(0), ([crossEntropy]) => crossEntropy.temperature)).toBeGreaterThan(1.3)
    for (const v of [1, 2, 3]) expect(error(v)).toBeLessThan(0.8 * error(0))
  })

  it('finds that toProbability hurts there, and helps where the training stopped early', () => {
    const change = (setting: number) => mean(of(setting), (scores) => scores[1].recalibrated - scores[1].calibrationError)
    expect(change(0)).toBeGreaterThan(0.01)
    expect(change(1)).toBeLessThan(-0.05)
  })

  it('finds that focal loss loses accuracy to wrong labels', () => {
    expect(mean(of(2), ([crossEntropy, focal]) => focal.accuracy - crossEntropy.accuracy)).toBeLessThan(-0.02)
  })

  it('is summed up in pairs', () => {
    const { table, verdict, best } = summarise(of(2))
    expect(table.rows).toHaveLength(4)
    for (const row of table.rows) expect(row).toHaveLength(table.head.length)
    expect(table.rows[1][2]).toMatch(/^-\d+\.\d\d ± \d+\.\d\d$/)
    expect(verdict).toContain('focal, gamma 2: calibration ')
    expect(best).toBeGreaterThan(0.95)
  })

  it('has reliability diagrams of all seeds together', () => {
    const points = pooledReliability(of(0), 0)
    expect(points.reduce((sum, { count }) => sum + count, 0)).toBe(2 * 2000)
    for (const { score, rate } of points) {
      expect(score).toBeLessThanOrEqual(1)
      expect(rate).toBeLessThanOrEqual(1)
    }
  })

  it('makes a page with everything in it', async () => {
    const html = await renderReport(SETTINGS.map((_, s) => ({ summary: summarise(of(s)), comparisons: of(s) })), 'Two seeds.')
    expect(html.match(/<svg/g)).toHaveLength(3)
    expect(html.match(/<table>/g)).toHaveLength(3)
    expect(html).not.toMatch(/<script|<link|NaN|undefined/)
  })
}, 120_000)

describe('a long tail', () => {
  it('is helped by weights and by the prior, not by gamma', () => {
    const { rows } = tailTable([1, 2, 3].map(longTail))
    const [, focal, weights, adjusted] = rows.map(([, , difference]) => Number.parseFloat(difference))
    expect(Math.abs(focal)).toBeLessThan(2)
    expect(weights).toBeGreaterThan(3)
    expect(adjusted).toBeGreaterThan(5)
    expect([tailCounts[0], tailCounts[9]]).toEqual([300, 3])
  })

  it('compares each loss at its best rate so far', () => {
    const seeds = [[{ crossEntropy: 0.2, focal: 0.3 }, { crossEntropy: 0.5, focal: 0.25 }], [{ crossEntropy: 0.2, focal: 0.3 }, { crossEntropy: 0.5, focal: 0.25 }]]
    expect(ratesTable(seeds, [0.1, 1]).rows).toEqual([
      ['0.1', '20.0', '30.0', '+10.00 ± 0.00'],
      ['1', '50.0', '25.0', '-20.00 ± 0.00'],
    ])
  })
}, 120_000)

describe('the pages', () => {
  it('have the figures of the example', () => {
    const figures = page('examples/calibration/README.md')
    for (const row of page('docs/calibration.md').matchAll(/^\| (focal, gamma \d|cross entropy|label smoothing 0\.01) \| \**([\d.]+)\** \| \**([\d.]+)\** \| \**([\d.± ]+?)\** \|$/gm)) {
      const [, name, accuracy, logLoss, error] = row
      const line = figures.split('\n').find((each) => each.startsWith(`| ${name} | ${accuracy} |`)) ?? ''
      expect(line, name).toContain(`| ${logLoss} | ${error} |`)
    }
  })
})
