import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { boost } from '../../examples/boosting/boost.js'
import { compare, type Score, variantsFor } from '../../examples/boosting/compare.js'
import { drawData } from '../../examples/boosting/data.js'
import { summaryTable, verdicts } from '../../examples/boosting/summary.js'
import { addTree, bestSplit, binColumn, type Binned, BINS, edgesOf, growTree, type Tree } from '../../examples/boosting/tree.js'
import { Random } from '../../examples/cell-detector/random.js'

function drawBinned(rows: number, columns: number, random: Random): Binned {
  const draw = () => Uint8Array.from({ length: rows }, () => random.integer(BINS))
  return { rows, columns: Array.from({ length: columns }, draw) }
}

const draw = (rows: number, random: Random, low: number, high: number) => Float64Array.from({ length: rows }, () => random.between(low, high))

/** Every split there is, each side summed on its own. */
function bruteForce({ rows, columns }: Binned, grad: Float64Array, hess: Float64Array, leastRows: number, l2: number) {
  const gainOf = (members: readonly number[]) => {
    const sum = (values: Float64Array) => members.reduce((total, r) => total + values[r], 0)
    return sum(grad) ** 2 / (sum(hess) + l2) / 2
  }
  const all = Array.from({ length: rows }, (_, r) => r)
  return columns
    .flatMap((bins, column) =>
      Array.from({ length: BINS - 1 }, (_, k) => {
        const left = all.filter((r) => bins[r] < k + 1)
        const right = all.filter((r) => bins[r] >= k + 1)
        const gain = Math.min(left.length, right.length) < leastRows ? -Infinity : gainOf(left) + gainOf(right) - gainOf(all)
        return { column, bin: k + 1, gain }
      }),
    )
    .reduce((best, split) => (split.gain > best.gain ? split : best))
}

describe('a split', () => {
  it.each([1, 2, 3, 4, 5, 6])('is the one that gains most of all, %i', (seed) => {
    const random = new Random(seed)
    const rows = 40 + random.integer(60)
    const data = drawBinned(rows, 3, random)
    const [grad, hess] = [draw(rows, random, -1, 1), draw(rows, random, 0.01, 1)]
    for (const leastRows of [1, 10]) {
      const found = bestSplit(data, grad, hess, { depth: 1, leastRows, l2: 0.5 })
      const expected = bruteForce(data, grad, hess, leastRows, 0.5)
      expect([found?.column, found?.bin]).toEqual([expected.column, expected.bin])
      expect(found?.gain).toBeCloseTo(expected.gain, 10)
    }
  })

  it('is none where no side is large enough, or nothing differs', () => {
    const data = drawBinned(20, 2, new Random(1))
    const ones = new Float64Array(20).fill(1)
    expect(bestSplit(data, ones, ones, { depth: 1, leastRows: 11, l2: 1 })).toBeUndefined()
    const constant: Binned = { rows: 20, columns: [new Uint8Array(20).fill(7)] }
    expect(bestSplit(constant, draw(20, new Random(2), -1, 1), ones, { depth: 1, leastRows: 1, l2: 1 })).toBeUndefined()
  })
})

describe('a tree', () => {
  const random = new Random(7)
  const data = drawBinned(500, 4, random)
  const [grad, hess] = [draw(500, random, -1, 1), draw(500, random, 0.01, 1)]
  const tree = growTree(data, grad, hess, { depth: 3, leastRows: 30, l2: 2 })

  it('has the Newton step of its rows in each leaf, and enough of them', () => {
    const margins = new Float64Array(500)
    addTree(tree, data, 1, margins)
    const leaves = [...new Set(margins)]
    expect(leaves.length).toBeGreaterThanOrEqual(4)
    expect(leaves.length).toBeLessThanOrEqual(8)
    for (const value of leaves) {
      const rows = Array.from(margins.keys()).filter((r) => margins[r] === value)
      expect(rows.length).toBeGreaterThanOrEqual(30)
      const sum = (values: Float64Array) => rows.reduce((total, r) => total + values[r], 0)
      expect(value).toBeCloseTo(-sum(grad) / (sum(hess) + 2), 12)
    }
  })

  it('is as deep as it may be, and a leaf at depth 0', () => {
    const depth = (node: Tree): number => ('split' in node ? 1 + Math.max(depth(node.left), depth(node.right)) : 0)
    expect(depth(tree)).toBe(3)
    expect(growTree(data, grad, hess, { depth: 0, leastRows: 1, l2: 2 })).toHaveProperty('value')
  })

  it('sees columns in bins of about as many rows, in order, ties together', () => {
    const column = draw(3200, new Random(3), -5, 5)
    const bins = binColumn(column, edgesOf(column))
    const counts = Array.from({ length: BINS }, (_, bin) => bins.filter((b) => b === bin).length)
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(99)
    column.forEach((value, r) => expect(bins[r] <= bins[0]).toBe(value <= column[0] || bins[r] === bins[0]))
    expect(new Set(binColumn(Float64Array.of(1, 1, 1), edgesOf(Float64Array.of(1, 1, 1)))).size).toBe(1)
  })
})

describe('boosting', () => {
  const { rows, columns, labels, posteriors } = drawData(3000, new Random(1))
  const train = { data: { rows, columns: columns.map((column) => binColumn(column, edgesOf(column))) }, labels }
  const prior = labels.reduce((a, b) => a + b, 0) / rows

  it('has data of which about one row in fifty is positive', () => {
    expect(prior).toBeGreaterThan(0.01)
    expect(prior).toBeLessThan(0.03)
    expect(posteriors.reduce((a, b) => a + b, 0) / rows).toBeCloseTo(prior, 2)
  })

  it.each(variantsFor(prior))('lowers the loss in every round: $name', ({ loss }) => {
    const losses = Array.from(boost(train, loss, loss.priorBias(prior), { rounds: 40, rate: 0.15, depth: 3, leastRows: 20, l2: 50 }), (round) => round.loss)
    for (let i = 1; i < losses.length; i++) expect(losses[i]).toBeLessThan(losses[i - 1])
    expect(losses[39]).toBeLessThan(0.7 * losses[0])
  })
})

describe('the README of the example', () => {
  const page = readFileSync(new URL('../../examples/boosting/README.md', import.meta.url), 'utf8')
  let draws: Score[][] = []
  beforeAll(() => {
    draws = [1, 2, 3, 4, 5].map((seed) => [...compare(seed)])
  }, 120_000)

  it('has the numbers that the seeds give', () => {
    const { head, rows } = summaryTable(draws)
    expect(page).toContain(`| ${head.join(' | ')} |`)
    for (const [name, ...numbers] of rows) {
      const line = page.split('\n').find((each) => each.startsWith(`| ${name} |`)) ?? ''
      const written = line.split('|').slice(2, -1).map((cell) => cell.trim())
      // Backends differ in the last digit, and a split may turn on it
      const [precision, calibrated, sigmoid, trees] = numbers.map((number, i) => Math.abs(Number(number) - Number(written[i])))
      expect([precision <= 0.003, calibrated <= 0.0003, sigmoid <= 0.003, trees <= 5], `${name}: ${numbers.join(', ')}`).toEqual([true, true, true, true])
    }
  })

  it('says what the numbers say', () => {
    const [weighted, ...focal] = verdicts(draws)
    expect(weighted).toContain('log loss worse than cross entropy')
    for (const verdict of focal) expect(verdict.match(/not to be told from cross entropy/g)).toHaveLength(2)
    expect(page).toContain('**Focal loss does not win here.**')
  })
})
