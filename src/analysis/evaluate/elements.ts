/** The examples of an element-wise loss: a histogram of logits for each class, which all scores are worked out from. */
import { checkRecord } from '../../arguments.js'
import type { ElementFormula } from '../../formulas/formula.js'
import type { LossConstants } from '../../problem/constants.js'
import { isValid, targetOf } from '../../problem/positions.js'
import type { Problem } from '../../problem/problem.js'
import { checkWeights } from '../posterior.js'
import type { AllScores, Scores } from './evaluation.js'
import { figuresOf, macroOf } from './figures.js'
import { groupsOf, together } from './groups.js'
import { Histogram, type Slots } from './histogram.js'
import { checkHistograms, type HistogramState } from './histogram_state.js'
import { logitOf, weightOf } from './numbers.js'
import type { EvaluatorSettings } from './options.js'
import { rawScale, recalibratedScale, type Scale, temperedScale } from './scale.js'

/** Logits that are read for all classes in turn: few enough to stay in a cache, many enough for what is read of a histogram to pay. */
const STRETCH = 1 << 19

/** The histograms of the classes, as plain data. */
export interface ElementsState {
  readonly classes: readonly HistogramState[]
}

/** Throws for a state of another number of classes, or that is damaged. */
export function checkElements(name: string, state: ElementsState, classes: number): void {
  checkRecord(name, state)
  checkHistograms(`${name}.classes`, state.classes, classes)
}

export class Elements {
  readonly #loss: LossConstants
  readonly #formula: ElementFormula
  readonly #histograms: readonly Histogram[]
  /** Rows of small chunks, which wait until there are enough to be read for all classes in turn. */
  #waiting = new Float32Array(0)
  #labels = new Uint8Array(0)
  #filled = 0

  /** @param apart how many classes are told apart: all of them, or 1 for none. */
  constructor(loss: LossConstants, formula: ElementFormula, apart: number, limit: number) {
    this.#loss = loss
    this.#formula = formula
    this.#histograms = Array.from({ length: apart }, () => new Histogram(limit, apart))
  }

  /**
   * Class after class, as the histograms of all of them do not fit into a cache.
   *
   * @param labels of a plain problem.
   */
  add(problem: Problem, labels: Uint8Array | null): void {
    const { outer, classes, inner, logits } = problem
    if (labels !== null && this.#histograms.length > 1 && inner === 1 && logits instanceof Float32Array && logits.length < STRETCH) {
      this.#wait(logits, labels)
      return
    }
    const step = Math.max(1, Math.floor(STRETCH / (classes * inner)))
    for (let from = 0; from < outer; from += step) {
      const to = Math.min(outer, from + step)
      if (labels !== null && this.#histograms.length === 1) {
        this.#histograms[0].addAll(problem.logits, labels, from * classes * inner, to * classes * inner, 1)
        continue
      }
      for (let c = 0; c < classes; c++) {
        const histogram = this.#histograms[this.#histograms.length === 1 ? 0 : c]
        if (labels !== null) addPlain(histogram, problem, labels, c, from, to)
        else addClass(histogram, problem, c, from, to)
      }
    }
  }

  #wait(logits: Float32Array, labels: Uint8Array): void {
    if (this.#waiting.length === 0) {
      this.#waiting = new Float32Array(STRETCH)
      this.#labels = new Uint8Array(STRETCH)
    }
    if (this.#filled + logits.length > STRETCH) this.#flush()
    this.#waiting.set(logits, this.#filled)
    this.#labels.set(labels.subarray(0, logits.length), this.#filled)
    this.#filled += logits.length
  }

  /** Adds what waits. */
  #flush(): void {
    this.#histograms.forEach((histogram, c) => {
      histogram.addAll(this.#waiting, this.#labels, c, this.#filled, this.#histograms.length)
    })
    this.#filled = 0
  }

  state(): ElementsState {
    this.#flush()
    return { classes: this.#histograms.map((histogram) => histogram.state()) }
  }

  merge(part: ElementsState): void {
    part.classes.forEach((state, c) => {
      this.#histograms[c].merge(state)
    })
  }

  result(settings: EvaluatorSettings): AllScores {
    checkWeights(this.#loss, 'evaluate()')
    this.#flush()
    const slots = this.#histograms.map((histogram) => histogram.slots())
    const scoresOf = (scale: Scale, isShared: boolean) => scoresOn(slots, scale, isShared, settings)
    const { temperature } = settings
    return {
      raw: scoresOf(rawScale, true),
      recalibrated: scoresOf(recalibratedScale(this.#loss, this.#formula), this.#loss.isOneScale),
      tempered: temperature === null ? null : scoresOf(temperedScale(temperature), temperature.length === 1),
    }
  }
}

/** The elements of class `c`, of some slices of the outermost axis, where the logits are given and have no weights. */
function addPlain(histogram: Histogram, { classes, inner, logits }: Problem, labels: Uint8Array, c: number, from: number, to: number): void {
  const slice = classes * inner
  if (inner === 1) histogram.addAll(logits, labels, from * slice + c, to * slice, slice)
  else for (let o = from; o < to; o++) histogram.addAll(logits, labels, o * slice + c * inner, o * slice + (c + 1) * inner, 1)
}

/** The same of any. */
function addClass(histogram: Histogram, problem: Problem, c: number, from: number, to: number): void {
  const { classes, inner, positiveFrom } = problem
  for (let o = from; o < to; o++) {
    for (let r = o * inner, k = (o * classes + c) * inner; r < (o + 1) * inner; r++, k++) {
      const weight = weightOf(problem, r, k)
      if (weight === 0 || !isValid(problem, r, k)) continue
      histogram.add(logitOf(problem, k), weight, targetOf(problem, r, k, c) >= positiveFrom)
    }
  }
}

/** `isShared`: whether a logit stands for the same probability in all classes. */
function scoresOn(slots: readonly Slots[], scale: Scale, isShared: boolean, settings: EvaluatorSettings): Scores {
  const groups = slots.map((each, c) => groupsOf(each, c, scale, true))
  if (groups.length === 1) return { ...figuresOf(groups[0], settings), macro: null, classes: [] }
  const classes = groups.map((each) => figuresOf(each, settings))
  return { ...figuresOf(together(groups, isShared), settings), macro: macroOf(classes), classes }
}
