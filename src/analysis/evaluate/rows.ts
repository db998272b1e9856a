/** The examples of a softmax: the probabilities of a row depend on each other, so each kind of probability has its own {@link Column}. */
import { checkRecord } from '../../arguments.js'
import { type LossConstants, parametersOf } from '../../problem/constants.js'
import { isIgnored } from '../../problem/positions.js'
import type { Problem } from '../../problem/problem.js'
import { checkWeights, logPosteriorsOfRow, logShare } from '../posterior.js'
import { checkColumn, Column, type ColumnState } from './column.js'
import type { AllScores } from './evaluation.js'
import { readRow, truthOf, weightOf } from './numbers.js'
import type { EvaluatorSettings } from './options.js'
import { SmoothTable } from './tables.js'

/** What is kept of each kind of probabilities, as plain data. */
export interface RowsState {
  readonly raw: ColumnState
  readonly recalibrated: ColumnState
  readonly tempered: ColumnState | null
}

/** Throws for a state of another number of classes, or that is damaged; `isTempered` is whether there is a temperature. */
export function checkRows(name: string, state: RowsState, classes: number, isTempered: boolean): void {
  checkRecord(name, state)
  for (const kind of ['raw', 'recalibrated', ...(isTempered ? (['tempered'] as const) : [])] as const) checkColumn(`${name}.${kind}`, state[kind] as ColumnState, classes)
}

/** Whether all targets are seen to be valid: classes, the background, or ignored. A mask may have taken a row's class out. */
export function areIndices({ loss, targets, targetsKind, background, classes, mask, maskPer }: Problem): boolean {
  if (targetsKind !== 'class-index' || (mask !== null && maskPer === 'element')) return false
  for (let r = 0; r < targets.length; r++) {
    const index = targets[r]
    if (!(index >= 0 && index < classes && index === Math.floor(index)) && index !== background && !isIgnored(loss, index)) return false
  }
  return true
}

export class Rows {
  readonly #loss: LossConstants
  readonly #temperature: number | null
  readonly #raw: Column
  /** `null` where it is the raw one: of cross entropy. */
  readonly #recalibrated: Column | null
  readonly #tempered: Column | null
  /** Of each class, the logarithm of its posterior by the log-odds, up to a number that all classes have in common. */
  readonly #shares: readonly SmoothTable[]
  /** Whether that is the same of all classes. */
  readonly #isShared: boolean
  readonly #logWeights: Float64Array | null

  constructor(loss: LossConstants, temperature: number | null, classes: number, apart: number, limit: number) {
    this.#loss = loss
    this.#temperature = temperature
    const { classPositive } = loss
    const gammas = Array.from({ length: classes }, (_, c) => parametersOf(loss, c).gamma)
    const tables = new Map([...new Set(gammas)].map((gamma) => [gamma, new SmoothTable((odds) => logShare(-odds, gamma))]))
    this.#shares = gammas.map((gamma) => tables.get(gamma) as SmoothTable)
    this.#isShared = tables.size === 1
    this.#logWeights = classPositive && Float64Array.from(classPositive, Math.log)
    const isCrossEntropy = gammas.every((gamma) => gamma === 0) && classPositive === null && loss.labelSmoothing === 0
    const column = () => new Column(classes, apart, limit)
    this.#raw = column()
    this.#recalibrated = isCrossEntropy ? null : column()
    this.#tempered = temperature === null ? null : column()
  }

  add(problem: Problem): void {
    const { outer, classes, inner } = problem
    const [row, other] = [new Float64Array(classes), new Float64Array(classes)]
    const divisor = this.#temperature ?? 1
    for (let r = 0; r < outer * inner; r++) {
      const weight = weightOf(problem, r, r)
      const truth = weight === 0 ? -1 : truthOf(problem, r)
      if (truth < 0) continue
      readRow(problem, r, row)
      this.#raw.add(row, row, truth, weight)
      if (this.#recalibrated !== null) {
        if (this.#loss.labelSmoothing === 0) this.#readShares(other)
        else {
          other.set(row)
          logPosteriorsOfRow(this.#loss, other)
        }
        this.#recalibrated.add(other, row, truth, weight)
      }
      if (this.#tempered === null) continue
      for (let c = 0; c < classes; c++) other[c] = row[c] / divisor
      this.#tempered.add(other, row, truth, weight)
    }
  }

  /** Of the row that was added last to the raw scores. */
  #readShares(to: Float64Array): void {
    const [{ odds }, shares, logWeights] = [this.#raw, this.#shares, this.#logWeights]
    if (this.#isShared) shares[0].readAll(odds, to)
    else for (let c = 0; c < to.length; c++) to[c] = shares[c].at(odds[c])
    if (logWeights !== null) for (let c = 0; c < to.length; c++) to[c] -= logWeights[c]
  }

  state(): RowsState {
    return { raw: this.#raw.state(), recalibrated: (this.#recalibrated ?? this.#raw).state(), tempered: this.#tempered?.state() ?? null }
  }

  merge(part: RowsState): void {
    this.#raw.merge(part.raw)
    this.#recalibrated?.merge(part.recalibrated)
    if (part.tempered !== null) this.#tempered?.merge(part.tempered)
  }

  result(settings: EvaluatorSettings): AllScores {
    checkWeights(this.#loss, 'evaluate()')
    const raw = this.#raw.result(settings)
    return { raw, recalibrated: this.#recalibrated?.result(settings) ?? raw, tempered: this.#tempered?.result(settings) ?? null }
  }
}
