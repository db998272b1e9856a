/** The examples of a block of a problem: which are valid, which are positives, and the predicted probability of the true class. */
import { logOddsAgainst, sigmoid } from '../../formulas/formula.js'
import { classesLeft, firstOf, hasClass, isMasked, isValid, targetOf } from '../../problem/positions.js'
import type { Problem } from '../../problem/problem.js'
import type { HardExample } from './explanation.js'

/** The group of elements that are not valid. */
export const LEFT_OUT = 0xffff

/**
 * Groups are numbered `2 * bin + 1` for positives, `2 * bin` for negatives, and `2 * bins` is the negatives without p_t. The p_t of an
 * example is 1 minus the distance of prediction and label (in total variation): the predicted probability of the true class where
 * the label is hard, `1 - |y - p|` for a soft label y of one logit, `1 - sum |y_c - p_c| / 2` for those of a row.
 */
export class Examples {
  /** Ascending, from 0 to 1. */
  readonly #edges: readonly number[]
  #problem!: Problem
  /** Grow with the largest block and are used again. */
  groups = new Uint16Array(0)
  probabilities = new Float64Array(0)
  /** Of examples with a class: all of an element-wise loss, and a softmax's positives. Only `withClasses`. */
  classes = new Uint32Array(0)
  count = 0

  readonly #withClasses: boolean

  constructor(edges: readonly number[], withClasses: boolean) {
    this.#edges = edges
    this.#withClasses = withClasses
  }

  /** Whether they are rows of a softmax. */
  get isPerRow(): boolean {
    return this.#problem.loss.formula.perRow
  }

  /** Looks at the targets and logits of a block. */
  read(problem: Problem): void {
    const { outer, classes, inner, loss } = problem
    this.#problem = problem
    this.count = outer * inner * (loss.formula.perRow ? 1 : classes)
    if (this.groups.length < this.count) {
      this.groups = new Uint16Array(this.count)
      this.probabilities = new Float64Array(this.count)
      if (this.#withClasses) this.classes = new Uint32Array(this.count)
    }
    if (loss.formula.perRow) this.#readRows(problem)
    else this.#readElements(problem)
    if (this.#withClasses) for (let e = 0; e < this.count; e++) this.classes[e] = this.#classOf(e)
  }

  /** What is to be told of an example; `firstRow` is the row that the block begins with. */
  describe(example: number, firstRow: number): Omit<HardExample, 'loss'> {
    const { classes, inner, loss } = this.#problem
    const positive = (this.groups[example] & 1) === 1
    const probability = this.probabilities[example]
    const row = loss.formula.perRow ? example : Math.floor(example / (classes * inner)) * inner + (example % inner)
    return { row: firstRow + row, class: this.#classOf(example), positive, probability }
  }

  #classOf(example: number): number {
    const { loss, classes, inner } = this.#problem
    return loss.formula.perRow ? trueClassOf(this.#problem, example) : Math.floor(example / inner) % classes
  }

  #readElements(problem: Problem): void {
    const { outer, classes, inner, logits } = problem
    const { positiveFrom } = problem
    for (let r = 0; r < outer * inner; r++) {
      const first = firstOf(problem, r)
      for (let c = 0; c < classes; c++) {
        const k = first + c * inner
        if (!isValid(problem, r, k)) {
          this.groups[k] = LEFT_OUT
          continue
        }
        const y = targetOf(problem, r, k, c)
        const x = logits[k]
        // The hard labels apart, so that a small probability keeps its digits
        const probability = y === 0 ? sigmoid(-x) : y === 1 ? sigmoid(x) : 1 - Math.abs(y - sigmoid(x))
        this.#put(k, probability, y >= positiveFrom)
      }
    }
  }

  #readRows(problem: Problem): void {
    const { outer, classes, inner, logits, targets, targetsKind } = problem
    const row = new Float64Array(classes)
    const odds = new Float64Array(classes)
    for (let r = 0; r < outer * inner; r++) {
      const first = firstOf(problem, r)
      if (classesLeft(problem, r) === 0) {
        this.groups[r] = LEFT_OUT
        continue
      }
      const isOut = (c: number) => isMasked(problem, r, first + c * inner)
      const labelOf = (c: number) => (isOut(c) ? 0 : targetOf(problem, r, first + c * inner, c))
      let labels = hasClass(problem, r) ? 1 : 0
      if (targetsKind === 'labels') {
        labels = 0
        for (let c = 0; c < classes; c++) labels += labelOf(c)
      }
      if (labels === 0) {
        this.groups[r] = 2 * (this.#edges.length - 1)
        continue
      }
      for (let c = 0; c < classes; c++) row[c] = isOut(c) ? -Infinity : logits[first + c * inner]
      logOddsAgainst(row, odds)
      if (targetsKind === 'class-index') {
        this.#put(r, sigmoid(-odds[targets[r]]), true)
        continue
      }
      let distance = 0
      for (let c = 0; c < classes; c++) distance += Math.abs(labelOf(c) / labels - sigmoid(-odds[c])) / 2
      this.#put(r, 1 - distance, true)
    }
  }

  #put(example: number, probability: number, positive: boolean): void {
    this.groups[example] = 2 * binOf(this.#edges, probability) + (positive ? 1 : 0)
    this.probabilities[example] = probability
  }
}

/** The bin that a probability is in. */
export function binOf(edges: readonly number[], probability: number): number {
  // From the top, where most examples are
  let bin = edges.length - 2
  while (probability < edges[bin]) bin--
  return bin
}

function trueClassOf(problem: Problem, r: number): number {
  const { classes, inner, targets, targetsKind } = problem
  if (targetsKind === 'class-index') return targets[r]
  const first = firstOf(problem, r)
  let best = 0
  for (let c = 1; c < classes; c++) if (targets[first + c * inner] > targets[first + best * inner]) best = c
  return best
}
