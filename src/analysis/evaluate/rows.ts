/**
 * The examples of a softmax: the probabilities of a row know of each other, so that each kind of them has histograms of its own, of log-odds: one
 * for each class against the rest, and one for the top label against the truth.
 */
import { checkRecord } from '../../arguments.js'
import { outOfRange } from '../../errors.js'
import { logOddsAgainst, sigmoid, softplus } from '../../formulas/formula.js'
import type { LossConstants } from '../../problem/constants.js'
import type { Problem } from '../../problem/problem.js'
import { isAmount } from '../part.js'
import { checkWeights, logPosteriorsOfRow } from '../posterior.js'
import type { AllScores, Scores } from './evaluation.js'
import { figuresOf, macroOf } from './figures.js'
import { groupsOf } from './groups.js'
import { checkHistogram, checkHistograms, Histogram, type HistogramState } from './histogram.js'
import { readRow, truthOf, weightOf } from './numbers.js'
import type { EvaluatorSettings } from './options.js'
import { rawScale } from './scale.js'

/** What is kept of each kind of probabilities, as plain data. */
export interface RowsState {
  readonly raw: ColumnState
  readonly recalibrated: ColumnState
  readonly tempered: ColumnState | null
}

interface ColumnState {
  readonly classes: readonly HistogramState[]
  readonly top: HistogramState
  /** Sums by weight; `null` for Infinity, which JSON has not. */
  readonly logLoss: number | null
  readonly brier: number
  readonly weight: number
}

/** Throws for a state of another number of classes, or that is damaged; `isTempered` is whether there is a temperature. */
export function checkRows(name: string, state: RowsState, classes: number, isTempered: boolean): void {
  checkRecord(name, state)
  for (const kind of ['raw', 'recalibrated', ...(isTempered ? (['tempered'] as const) : [])] as const) {
    const column = state[kind] as ColumnState
    const called = `${name}.${kind}`
    checkRecord(called, column)
    checkHistograms(`${called}.classes`, column.classes, classes)
    checkHistogram(`${called}.top`, column.top)
    for (const sum of ['logLoss', 'brier', 'weight'] as const) {
      if (!isAmount(column[sum]) && !(sum === 'logLoss' && column[sum] === null)) throw outOfRange(`${called}.${sum}`, column[sum], 'a finite number >= 0')
    }
  }
}

export class Rows {
  readonly #loss: LossConstants
  readonly #temperature: number | null
  readonly #raw: Column
  readonly #recalibrated: Column
  readonly #tempered: Column | null

  constructor(loss: LossConstants, temperature: number | null, classes: number, limit: number) {
    this.#loss = loss
    this.#temperature = temperature
    this.#raw = new Column(classes, limit)
    this.#recalibrated = new Column(classes, limit)
    this.#tempered = temperature === null ? null : new Column(classes, limit)
  }

  add(problem: Problem): void {
    const { outer, classes, inner } = problem
    const [row, cooled] = [new Float64Array(classes), new Float64Array(classes)]
    const divisor = this.#temperature ?? 1
    for (let r = 0; r < outer * inner; r++) {
      const weight = weightOf(problem, r, r)
      const truth = weight === 0 ? -1 : truthOf(problem, r)
      if (truth < 0) continue
      readRow(problem, r, row)
      this.#raw.add(row, truth, weight)
      if (this.#tempered !== null) {
        for (let c = 0; c < classes; c++) cooled[c] = row[c] / divisor
        this.#tempered.add(cooled, truth, weight)
      }
      logPosteriorsOfRow(this.#loss, row)
      this.#recalibrated.add(row, truth, weight)
    }
  }

  state(): RowsState {
    return { raw: this.#raw.state(), recalibrated: this.#recalibrated.state(), tempered: this.#tempered?.state() ?? null }
  }

  merge(part: RowsState): void {
    this.#raw.merge(part.raw)
    this.#recalibrated.merge(part.recalibrated)
    if (part.tempered !== null) this.#tempered?.merge(part.tempered)
  }

  result(settings: EvaluatorSettings): AllScores {
    checkWeights(this.#loss, 'evaluate()')
    return { raw: this.#raw.result(settings), recalibrated: this.#recalibrated.result(settings), tempered: this.#tempered?.result(settings) ?? null }
  }
}

/** One kind of probabilities. */
class Column {
  readonly #classes: readonly Histogram[]
  readonly #top: Histogram
  readonly #odds: Float64Array
  /** By weight. */
  #logLoss = 0
  #brier = 0
  #weight = 0

  constructor(classes: number, limit: number) {
    this.#classes = Array.from({ length: classes }, () => new Histogram(limit))
    this.#top = new Histogram(limit)
    this.#odds = new Float64Array(classes)
  }

  /** `row` has logits, up to a number in common; -Infinity is a class that the row does not have. */
  add(row: Float64Array, truth: number, weight: number): void {
    const odds = this.#odds
    logOddsAgainst(row, odds)
    let top = 0
    for (let c = 0; c < row.length; c++) {
      if (odds[c] < odds[top]) top = c
      const isTrue = c === truth
      this.#brier += weight * sigmoid(isTrue ? odds[c] : -odds[c]) ** 2
      if (row[c] > -Infinity || isTrue) this.#classes[c].add(-odds[c], weight, isTrue)
    }
    this.#top.add(-odds[top], weight, top === truth)
    this.#logLoss += weight * softplus(odds[truth])
    this.#weight += weight
  }

  state(): ColumnState {
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
    const figures = (histogram: Histogram) => figuresOf(groupsOf(histogram.slots(), 0, rawScale, false), settings)
    const classes = this.#classes.map(figures)
    const mean = (sum: number) => (this.#weight > 0 ? sum / this.#weight : null)
    return { ...figures(this.#top), logLoss: mean(this.#logLoss), brier: mean(this.#brier), macro: macroOf(classes), classes }
  }
}
