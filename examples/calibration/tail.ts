/** A long tail of classes: which methods help, and the effect of a grid of learning rates that stops too low. */
import { SoftmaxFocalLoss, type SoftmaxFocalOptions } from 'focal-loss'
import { formatDifference, pairedInterval } from '../cell-detector/intervals.js'
import { Random } from '../cell-detector/random.js'
import type { TextTable } from '../cell-detector/tables.js'
import { CLASSES, drawCentres, drawLabelled, drawPoints, type Points } from './data.js'
import { logitsOf, RATE, train } from './train.js'

/** Training points of the first class, and how many times as many as of the last. */
const HEAD = { count: 300, ratio: 100 }
const TEST = 2000
const EPOCHS = 30

/** Training points of each class: a geometric fall from the first to the last. */
export const tailCounts = Array.from({ length: CLASSES }, (_, c) => Math.round(HEAD.count * HEAD.ratio ** (-c / (CLASSES - 1))))

interface TailVariant {
  readonly name: string
  readonly loss: SoftmaxFocalOptions
  /** Added to each class's logit before the decision. */
  readonly shift: readonly number[]
}

const none = tailCounts.map(() => 0)
const weights = tailCounts.map((count) => tailCounts.reduce((a, b) => a + b, 0) / (CLASSES * count))
const tailVariants: readonly TailVariant[] = [
  { name: 'cross entropy', loss: { gamma: 0 }, shift: none },
  { name: 'focal, gamma 2', loss: { gamma: 2 }, shift: none },
  { name: 'cross entropy, class weights', loss: { gamma: 0, classWeights: weights }, shift: none },
  // Menon et al. 2021, arXiv:2007.07314: the test classes are as likely as one another
  { name: 'cross entropy, logits less the log prior', loss: { gamma: 0 }, shift: tailCounts.map((count) => -Math.log(count)) },
]

/** The accuracy of each variant on classes of equal size, after training on a long tail. */
export function longTail(seed: number): number[] {
  const { points, test } = drawTail(seed)
  return tailVariants.map(({ loss, shift }) => accuracyOf(points, test, { loss, shift, rate: RATE, seed }))
}

/** The same of cross entropy and of focal loss, at each learning rate. */
export function rates(seed: number, grid: readonly number[]): { readonly crossEntropy: number; readonly focal: number }[] {
  const { points, test } = drawTail(seed)
  const at = (gamma: number, rate: number) => accuracyOf(points, test, { loss: { gamma }, shift: none, rate, seed })
  return grid.map((rate) => ({ crossEntropy: at(0, rate), focal: at(2, rate) }))
}

function drawTail(seed: number): { points: Points; test: Points } {
  const random = new Random(seed)
  const centres = drawCentres(random)
  const labels = Int32Array.from(tailCounts.flatMap((count, c) => Array<number>(count).fill(c)))
  return { points: drawLabelled(centres, labels, random), test: drawPoints(centres, TEST, random) }
}

function accuracyOf(points: Points, test: Points, { loss, shift, rate, seed }: { loss: SoftmaxFocalOptions; shift: readonly number[]; rate: number; seed: number }): number {
  const logits = logitsOf(train(points, new SoftmaxFocalLoss({ ...loss }), { epochs: EPOCHS, rate, seed }), test)
  const right = test.labels.filter((label, i) => {
    const row = shift.map((by, c) => logits[i * CLASSES + c] + by)
    return row.indexOf(Math.max(...row)) === label
  })
  return right.length / test.labels.length
}

export function tailTable(perSeed: readonly (readonly number[])[]): TextTable {
  const of = (v: number) => perSeed.map((accuracies) => 100 * accuracies[v])
  return {
    head: ['trained with', 'accuracy %', 'against cross entropy'],
    rows: tailVariants.map(({ name }, v) => [name, mean(of(v)).toFixed(1), v === 0 ? '' : formatDifference(pairedInterval(of(v), of(0)), 2)]),
  }
}

/** What a grid that stops at each rate would have made of it: each loss at its best rate so far, by mean accuracy. */
export function ratesTable(perSeed: readonly ReturnType<typeof rates>[], grid: readonly number[]): TextTable {
  const of = (loss: 'crossEntropy' | 'focal', r: number) => perSeed.map((each) => 100 * each[r][loss])
  const best = (loss: 'crossEntropy' | 'focal', last: number) =>
    grid.slice(0, last + 1).map((_, r) => of(loss, r)).reduce((ahead, values) => (mean(values) > mean(ahead) ? values : ahead))
  return {
    head: ['learning rate', 'cross entropy %', 'focal, gamma 2 %', 'focal ahead, grid up to here'],
    rows: grid.map((rate, r) => [
      String(rate),
      mean(of('crossEntropy', r)).toFixed(1),
      mean(of('focal', r)).toFixed(1),
      formatDifference(pairedInterval(best('focal', r), best('crossEntropy', r)), 2),
    ]),
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
