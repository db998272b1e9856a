/** What `explain` should find, worked out plainly: every loss in a list, sorted, added up. */
import { expect } from 'vitest'
import type { Bin, Explanation, ExplainedLoss, HardExample, Logits, Numbers } from 'focal-loss'
import { type AnyLoss, type AnyOptions, type LossName, lossOf } from './losses.js'

export interface Example extends HardExample {
  readonly gradient: number
  /** NaN: without class, and in no bin. */
  readonly probability: number
}

export interface Case {
  readonly name: LossName
  readonly options: AnyOptions
  readonly logits: Logits
  readonly targets: Numbers
  readonly shape: readonly [outer: number, classes: number, inner: number]
  readonly dense: boolean
  readonly weights?: Numbers
  readonly mask?: Numbers
}

/** The least target of a positive. */
function positiveFromOf(name: LossName): number {
  if (name === 'HeatmapFocalLoss') return 1
  return name === 'VarifocalLoss' ? Number.MIN_VALUE : 0.5
}

/** Every example that counts, in the order of the logits. Losses and gradients are the backend's own, in double precision. */
export function examplesOf({ name, options, logits: given, targets, shape, dense, weights, mask }: Case): Example[] {
  const logits = Float64Array.from(given)
  const loss: AnyLoss<'sum'> = lossOf(name, { ...options, reduction: 'sum' })
  const { out, grad } = loss.sums(logits, targets, { shape: [...shape], classAxis: 1, targetKind: dense ? 'labels' : 'class-index', weights, mask, out: true, grad: true })
  const [outer, classes, inner] = shape
  const { ignoreIndex = null } = options
  const background = options.background === 'num-classes' ? classes : options.background
  const examples: Example[] = []
  for (let o = 0; o < outer; o++) {
    const places = (i: number) => Array.from({ length: classes }, (_, c) => (o * classes + c) * inner + i)
    const labelOf = (i: number, k: number, c: number) => Number(dense ? targets[k] : targets[o * inner + i] === c && c !== background)
    const masked = (row: number, k: number) => mask !== undefined && !mask[mask.length === outer * inner ? row : k]
    if (name === 'SoftmaxFocalLoss') {
      for (let i = 0; i < inner; i++) {
        const row = o * inner + i
        // Masked classes are none of the row's
        const left = places(i).filter((k) => !masked(row, k))
        if (left.length === 0 || (!dense && targets[row] === ignoreIndex)) continue
        const y = places(i).map((k, c) => labelOf(i, k, c))
        const sum = y.reduce((a, b) => a + b, 0)
        const x = places(i).map((k) => (left.includes(k) ? logits[k] : -Infinity))
        const top = Math.max(...x)
        const total = x.reduce((a, each) => a + Math.exp(each - top), 0)
        const p = x.map((each) => Math.exp(each - top) / total)
        const distance = p.reduce((a, each, c) => a + Math.abs(each - y[c] / sum) / 2, 0)
        examples.push({
          row,
          class: y.indexOf(Math.max(...y)),
          positive: sum > 0,
          probability: dense ? Math.max(0, 1 - distance) : p[targets[row] as number],
          loss: out[row],
          gradient: places(i).reduce((a, k) => a + Math.abs(grad[k]), 0),
        })
      }
      continue
    }
    for (let c = 0; c < classes; c++) {
      for (let i = 0; i < inner; i++) {
        const [row, k] = [o * inner + i, (o * classes + c) * inner + i]
        // A label from 0 to 1 is a label, whatever is to be ignored
        const ignored = dense ? targets[k] === ignoreIndex && !(ignoreIndex >= 0 && ignoreIndex <= 1) : targets[row] === ignoreIndex
        if (masked(row, k) || ignored) continue
        const y = labelOf(i, k, c)
        const p = (x: number) => 1 / (1 + Math.exp(-x))
        const probability = y === 1 ? p(logits[k]) : y === 0 ? p(-logits[k]) : 1 - Math.abs(y - p(logits[k]))
        examples.push({ row, class: c, positive: y >= positiveFromOf(name), probability, loss: out[k], gradient: Math.abs(grad[k]) })
      }
    }
  }
  return examples
}

const sumOf = (examples: readonly Example[], of: 'loss' | 'gradient') => examples.reduce((sum, each) => sum + each[of], 0)

/** The whole but for the curves. */
export function explainPlainly(examples: readonly Example[], edges: readonly number[], hardest: number): Omit<ExplainedLoss, 'gamma' | 'alpha' | 'curves'> {
  const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole)
  const portion = (some: readonly Example[]) => {
    const [loss, gradient] = [sumOf(some, 'loss'), sumOf(some, 'gradient')]
    const [lossShare, gradientShare] = [ratio(loss, sumOf(examples, 'loss')), ratio(gradient, sumOf(examples, 'gradient'))]
    return { count: some.length, loss, lossShare, gradient, gradientShare }
  }
  const total = (some: readonly Example[]) => {
    const squares = some.reduce((sum, { loss }) => sum + loss * loss, 0)
    return { ...portion(some), effectiveCount: ratio(sumOf(some, 'loss') ** 2, squares) }
  }
  const [positives, negatives] = [true, false].map((side) => examples.filter(({ positive }) => positive === side))
  const bins = edges.slice(0, -1).map((from, bin): Bin => {
    const to = edges[bin + 1]
    const inside = ({ probability: p }: Example) => p >= from && (p < to || (to === 1 && p === 1))
    return { from, to, positives: portion(positives.filter(inside)), negatives: portion(negatives.filter(inside)) }
  })
  const ranked = examples.filter(({ loss, probability }) => loss > 0 && !Number.isNaN(probability)).sort((a, b) => b.loss - a.loss)
  return {
    all: total(examples),
    positives: total(positives),
    negatives: total(negatives),
    bins,
    hardest: ranked.slice(0, hardest).map(({ gradient: _, ...shown }) => shown),
  }
}

/** The largest distance of a curve from the sorted losses, and the largest step between two points that was not needed. */
export function curveErrors(curve: ExplainedLoss['curves']['positives'], examples: readonly Example[]): { off: number; step: number } {
  const losses = examples.map(({ loss }) => loss).sort((a, b) => a - b)
  const sums = [0]
  for (const loss of losses) sums.push(sums[sums.length - 1] + loss)
  const total = sums[losses.length]
  let [off, step] = [0, 0]
  curve.forEach((point, i) => {
    const rank = Math.round(point.examples * losses.length)
    off = Math.max(off, Math.abs(point.examples - rank / losses.length), Math.abs(point.loss - (total === 0 ? 0 : sums[rank] / total)))
    if (i === 0) return
    const before = Math.round(curve[i - 1].examples * losses.length)
    const [least, greatest] = [losses[before], losses[rank - 1]]
    const single = greatest <= least * (1 + 1 / 32) || greatest < 1e-37
    if (!single) step = Math.max(step, point.examples - curve[i - 1].examples, point.loss - curve[i - 1].loss)
  })
  return { off, step }
}

/** All numbers of an explanation with the names that lead to them. */
export function numbersOf(explanation: Explanation | object, prefix = ''): Map<string, number> {
  const numbers = new Map<string, number>()
  for (const [name, value] of Object.entries(explanation) as [string, unknown][]) {
    if (typeof value === 'number') numbers.set(prefix + name, value)
    else if (typeof value === 'object' && value !== null) for (const [path, each] of numbersOf(value, `${prefix}${name}.`)) numbers.set(path, each)
  }
  return numbers
}

/** Every number within `tolerance` of the other's, relative to the larger, and the same names. */
export function expectClose(actual: object, expected: object, tolerance: number): void {
  const [came, wanted] = [numbersOf(actual), numbersOf(expected)]
  expect([...came.keys()].join()).toBe([...wanted.keys()].join())
  const off = [...wanted].filter(([name, value]) => Math.abs((came.get(name) ?? NaN) - value) > tolerance * Math.max(1, Math.abs(value)))
  expect(off).toEqual([])
}
