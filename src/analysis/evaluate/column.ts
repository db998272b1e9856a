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
import { expOf, logOfRest, makeTables } from './tables.js'

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
const WAITING = 1 << 20

export class Column {
  /** One for each class that is told apart, and behind them the top label's. */
  readonly #histograms: readonly Histogram[]
  readonly #apart: number
  /** Scores for each of them one after another, with what labels.ts says of each: negative unless said otherwise. */
  readonly #waiting: Float32Array
  readonly #labels: Uint8Array
  readonly #room: number
  #rows = 0
  /** Of the row that was added last: log(p / (1 - p)) of each class. */
  readonly odds: Float64Array
  /** And before that, the exponentials of its logits. */
  readonly #exponentials: Float64Array
  /** By weight. */
  #logLoss = 0
  #brier = 0
  #weight = 0

  /** @param apart how many of the classes are told apart: all of them, or none. */
  constructor(classes: number, apart: number, limit: number) {
    this.#histograms = [...Array.from({ length: apart }, () => new Histogram(limit, 2 * apart)), new Histogram(limit)]
    this.#apart = apart
    makeTables()
    // Odd, so that a row's numbers do not all compete for one place in a cache
    this.#room = Math.floor(WAITING / (apart + 1)) | 1
    this.#waiting = new Float32Array(this.#room * (apart + 1))
    this.#labels = new Uint8Array(this.#waiting.length)
    this.odds = new Float64Array(classes)
    this.#exponentials = new Float64Array(classes)
  }

  /**
   * @param given logits, up to a number in common.
   * @param model the model's own, of which -Infinity is a class that the row does not have. Label smoothing makes posteriors of 0 of others too.
   */
  add(given: Float64Array, model: Float64Array, truth: number, weight: number): void {
    const [odds, exponentials, waiting, room, apart, at] = [this.odds, this.#exponentials, this.#waiting, this.#room, this.#apart, this.#rows]
    const classes = given.length
    let row = given
    // Numbers of a loop have a line each: those that come out of an array are objects to V8
    let top = 0
    let most = row[0]
    let least = most
    for (let c = 1; c < classes; c++) {
      const x = row[c]
      least = Math.min(least, x)
      if (x > most) {
        most = x
        top = c
      }
    }
    if (!Number.isFinite(most)) {
      row = levelled(row, most)
      most = 0
    }
    let others = 0
    for (let c = 0; c < classes; c++) {
      const e = expOf(row[c] - most)
      exponentials[c] = e
      if (c !== top) others += e
    }
    const share = 1 / (1 + others)
    const logSum = Math.log1p(others)
    let square = 0
    // Where classes are not told apart, all wait at one place, in vain
    const step = apart > 0 ? room : 0
    for (let c = 0, k = at; c < classes; c++, k += step) {
      const p = exponentials[c] * share
      square += p * p
      const x = row[c] - most - logSum - logOfRest(p)
      odds[c] = x
      waiting[k] = x * ROUNDED_DOWN
    }
    odds[top] = -Math.log(others)
    waiting[apart * room + at] = rounded(odds[top])
    if (apart > 0) waiting[top * room + at] = waiting[apart * room + at]
    const p = exponentials[truth] * share
    const q = truth === top ? others * share : 1 - p
    this.#logLoss += weight * (logSum - (row[truth] - most))
    this.#brier += weight * Math.max(0, square - p * p + q * q)
    this.#weight += weight
    this.#label(model, least, truth, top)
    if (weight === 1) this.#rows++
    else this.#addWeighted(weight)
    if (this.#rows === room) this.#flush()
  }

  /** What the row is to those that it waits for. `least`: of the logits that are given, -Infinity where a class may be left out. */
  #label(row: Float64Array, least: number, truth: number, top: number): void {
    const [labels, room, apart, at] = [this.#labels, this.#room, this.#apart, this.#rows]
    if (truth === top) labels[apart * room + at] = POSITIVE
    if (apart === 0) return
    if (least === -Infinity) for (let c = 0; c < row.length; c++) if (row[c] === -Infinity) labels[c * room + at] = LEFT_OUT
    labels[truth * room + at] = POSITIVE
  }

  /** The row that would wait, were its weight 1. */
  #addWeighted(weight: number): void {
    this.#histograms.forEach((histogram, i) => {
      const at = i * this.#room + this.#rows
      if (this.#labels[at] !== LEFT_OUT) histogram.add(this.#waiting[at], weight, this.#labels[at] === POSITIVE)
      this.#labels[at] = NEGATIVE
    })
  }

  /** Adds what waits. */
  #flush(): void {
    this.#histograms.forEach((histogram, i) => {
      const [from, to] = [i * this.#room, i * this.#room + this.#rows]
      histogram.addAll(this.#waiting, this.#labels, from, to, 1)
      this.#labels.fill(NEGATIVE, from, to)
    })
    this.#rows = 0
  }

  state(): ColumnState {
    this.#flush()
    const logLoss = Number.isFinite(this.#logLoss) ? this.#logLoss : null
    const states = this.#histograms.map((histogram) => histogram.state())
    return { classes: states.slice(0, -1), top: states[this.#apart], logLoss, brier: this.#brier, weight: this.#weight }
  }

  merge({ classes, top, logLoss, brier, weight }: ColumnState): void {
    for (const [i, state] of [...classes, top].entries()) this.#histograms[i].merge(state)
    this.#logLoss += logLoss ?? Infinity
    this.#brier += brier
    this.#weight += weight
  }

  result(settings: EvaluatorSettings): Scores {
    this.#flush()
    const figures = this.#histograms.map((histogram) => figuresOf(groupsOf(histogram.slots(), 0, rawScale, false), settings))
    const classes = figures.slice(0, -1)
    const mean = (sum: number) => (this.#weight > 0 ? sum / this.#weight : null)
    return { ...figures[this.#apart], logLoss: mean(this.#logLoss), brier: mean(this.#brier), macro: classes.length > 0 ? macroOf(classes) : null, classes }
  }
}

/** A row with the same probabilities, whose top is 0: Infinity - Infinity is no difference. */
function levelled(row: Float64Array, most: number): Float64Array {
  return row.map((x) => (x === most ? 0 : -Infinity))
}

/** What makes a number that is not above 0 less by more than rounding to float32 may make it more. */
const ROUNDED_DOWN = 1 + 2 ** -24

/** As float32, and not above `x`: what a threshold is compared with must be reached by all that it stands for. */
function rounded(x: number): number {
  return Math.fround(x * (x > 0 ? 1 - 2 ** -24 : ROUNDED_DOWN))
}
