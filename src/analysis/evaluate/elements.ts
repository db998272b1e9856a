/** The examples of an element-wise loss: a histogram of logits for each class, which all scores are worked out from. */
import type { ElementFormula } from '../../formulas/formula.js'
import type { LossConstants } from '../../problem/constants.js'
import { firstOf, isValid, targetOf } from '../../problem/positions.js'
import type { Problem } from '../../problem/problem.js'
import { checkWeights } from '../posterior.js'
import type { AllScores, Scores } from './evaluation.js'
import { figuresOf, macroOf } from './figures.js'
import { groupsOf, together } from './groups.js'
import { Histogram, type HistogramState, type Slots } from './histogram.js'
import { logitOf, weightOf } from './numbers.js'
import type { EvaluatorSettings } from './options.js'
import { rawScale, recalibratedScale, type Scale, temperedScale } from './scale.js'

/** The histograms of the classes, as plain data. */
export interface ElementsState {
  readonly classes: readonly HistogramState[]
}

export class Elements {
  readonly #loss: LossConstants
  readonly #formula: ElementFormula
  readonly #histograms: readonly Histogram[]

  constructor(loss: LossConstants, formula: ElementFormula, classes: number, limit: number) {
    this.#loss = loss
    this.#formula = formula
    this.#histograms = Array.from({ length: classes }, () => new Histogram(limit))
  }

  add(problem: Problem): void {
    const { outer, classes, inner, positiveFrom } = problem
    for (let r = 0; r < outer * inner; r++) {
      const first = firstOf(problem, r)
      for (let c = 0; c < classes; c++) {
        const k = first + c * inner
        const weight = weightOf(problem, r, k)
        if (weight === 0 || !isValid(problem, r, k)) continue
        this.#histograms[c].add(logitOf(problem, k), weight, targetOf(problem, r, k, c) >= positiveFrom)
      }
    }
  }

  state(): ElementsState {
    return { classes: this.#histograms.map((histogram) => histogram.state()) }
  }

  merge(part: ElementsState): void {
    part.classes.forEach((state, c) => {
      this.#histograms[c].merge(state)
    })
  }

  result(settings: EvaluatorSettings): AllScores {
    checkWeights(this.#loss, 'evaluate()')
    const slots = this.#histograms.map((histogram) => histogram.slots())
    const scoresOf = (scale: Scale, isShared: boolean) => scoresOn(slots, scale, isShared, settings)
    const { temperature } = settings
    return {
      raw: scoresOf(rawScale, true),
      recalibrated: scoresOf(recalibratedScale(this.#loss, this.#formula), this.#loss.classPositive === null),
      tempered: temperature === null ? null : scoresOf(temperedScale(temperature), temperature.length === 1),
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
