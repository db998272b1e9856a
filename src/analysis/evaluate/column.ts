/** One kind of a softmax's probabilities: histograms of log-odds, one for each class against the rest, and one for the top label against the truth. */
import { checkRecord } from '../../arguments.js'
import { outOfRange } from '../../errors.js'
import { LEFT_OUT, NEGATIVE, POSITIVE } from '../labels.js'
import { isAmount } from '../part.js'
import type { Scores } from './evaluation.js'
import { figuresOf, macroOf } from './figures.js'
import { groupsOf } from './groups.js'
import { Histogram } from './histogram.js'
import { checkHistogram, checkHistograms, type HistogramState } from './histogram_state.js'
import type { EvaluatorSettings } from './options.js'
import { rawScale } from './scale.js'
import { expOf, logOfRest } from './tables.js'

/** What is kept, as plain data. */
export interface ColumnState {
  readonly classes: readonly HistogramState[]
  readonly top: HistogramState
  /** Sums by weight; `null` for Infinity, which JSON has not. */
  readonly logLoss: number | null
  readonly brier: number
  readonly weight: number
}

/** Throws for a state of another number of classes, or that is damaged. */
export function checkColumn(name: string, column: ColumnState, classes: number): void {
  checkRecord(name, column)
  checkHistograms(`${name}.classes`, column.classes, classes)
  checkHistogram(`${name}.top`, column.top)
  for (const sum of ['logLoss', 'brier', 'weight'] as const) {
    if (!isAmount(column[sum]) && !(sum === 'logLoss' && column[sum] === null)) throw outOfRange(`${name}.${sum}`, column[sum], 'a finite number >= 0')
  }
}

/** Scores that wait until there are enough of each class, as the histograms of all of them do not fit into a cache. */
const WAITING = 1 << 19

export class Column {
  readonly #classes: readonly Histogram[]
  readonly #top: Histogram
  /** Of rows of weight 1, class after class, with what labels.ts says of each: negative unless said otherwise. Empty where classes are not told apart. */
  readonly #waiting: Float32Array
  readonly #labels: Uint8Array
  readonly #room: number
  #rows = 0
  /** Of the row that was added last: log(p / (1 - p)) of each class. */
  readonly odds: Float64Array
  readonly #exponentials: Float64Array
  /** By weight. */
  #logLoss = 0
  #brier = 0
  #weight = 0

  /** @param apart how many of the classes are told apart: all of them, or none. */
  constructor(classes: number, apart: number, limit: number) {
    this.#classes = Array.from({ length: apart }, () => new Histogram(limit, 2 * apart))
    this.#top = new Histogram(limit)
    // Odd, so that a row's numbers do not all compete for one place in a cache
    this.#room = Math.floor(WAITING / classes) | 1
    this.#waiting = new Float32Array(this.#room * apart)
    this.#labels = new Uint8Array(this.#waiting.length)
    this.odds = new Float64Array(classes)
    this.#exponentials = new Float64Array(classes)
  }

  /** `row` has logits, up to a number in common; -Infinity is a class that the row does not have. */
  add(row: Float64Array, truth: number, weight: number): void {
    const { odds } = this
    const exponentials = this.#exponentials
    let top = 0
    for (let c = 1; c < row.length; c++) if (row[c] > row[top]) top = c
    const most = row[top]
    let others = 0
    for (let c = 0; c < row.length; c++) {
      // The top may be infinite, and Infinity - Infinity is no difference
      const below = row[c] === most ? 0 : row[c] - most
      odds[c] = below
      const e = expOf(below)
      exponentials[c] = e
      if (c !== top) others += e
    }
    const [share, logSum] = [1 / (1 + others), Math.log1p(others)]
    this.#logLoss += weight * (logSum - odds[truth])
    let square = 0
    for (let c = 0; c < row.length; c++) {
      const p = exponentials[c] * share
      square += p * p
      odds[c] -= logSum + (c === top ? 0 : logOfRest(p))
    }
    odds[top] = -Math.log(others)
    const p = exponentials[truth] * share
    const q = truth === top ? others * share : 1 - p
    this.#brier += weight * Math.max(0, square - p * p + q * q)
    this.#weight += weight
    this.#top.add(rounded(odds[top]), weight, top === truth)
    if (this.#classes.length === 0) return
    if (weight === 1) this.#wait(row, truth)
    else for (let c = 0; c < row.length; c++) if (row[c] > -Infinity || c === truth) this.#classes[c].add(rounded(odds[c]), weight, c === truth)
  }

  #wait(row: Float64Array, truth: number): void {
    const [odds, waiting, labels, room] = [this.odds, this.#waiting, this.#labels, this.#room]
    let hasAll = true
    for (let c = 0, at = this.#rows; c < row.length; c++, at += room) {
      waiting[at] = rounded(odds[c])
      if (row[c] === -Infinity) hasAll = false
    }
    if (!hasAll) for (let c = 0, at = this.#rows; c < row.length; c++, at += room) if (row[c] === -Infinity) labels[at] = LEFT_OUT
    labels[truth * room + this.#rows] = POSITIVE
    if (++this.#rows === room) this.#flush()
  }

  /** Adds what waits. */
  #flush(): void {
    this.#classes.forEach((histogram, c) => {
      const [from, to] = [c * this.#room, c * this.#room + this.#rows]
      histogram.addAll(this.#waiting, this.#labels, from, to, 1)
      this.#labels.fill(NEGATIVE, from, to)
    })
    this.#rows = 0
  }

  state(): ColumnState {
    this.#flush()
    const logLoss = Number.isFinite(this.#logLoss) ? this.#logLoss : null
    return { classes: this.#classes.map((histogram) => histogram.state()), top: this.#top.state(), logLoss, brier: this.#brier, weight: this.#weight }
  }

  merge({ classes, top, logLoss, brier, weight }: ColumnState): void {
    classes.forEach((state, c) => {
      this.#classes[c].merge(state)
    })
    this.#top.merge(top)
    this.#logLoss += logLoss ?? Infinity
    this.#brier += brier
    this.#weight += weight
  }

  result(settings: EvaluatorSettings): Scores {
    this.#flush()
    const figures = (histogram: Histogram) => figuresOf(groupsOf(histogram.slots(), 0, rawScale, false), settings)
    const classes = this.#classes.map(figures)
    const mean = (sum: number) => (this.#weight > 0 ? sum / this.#weight : null)
    return { ...figures(this.#top), logLoss: mean(this.#logLoss), brier: mean(this.#brier), macro: classes.length > 0 ? macroOf(classes) : null, classes }
  }
}

/** As float32, and not above `x`: what a threshold is compared with must be reached by all that it stands for. */
function rounded(x: number): number {
  return Math.fround(x * (x > 0 ? 1 - 2 ** -24 : 1 + 2 ** -24))
}
