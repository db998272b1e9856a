/**
 * Examples whose loss depends on the logit and a label of 0 or 1 alone, without weights of their own: each logit is looked at once, whatever
 * the number of gammas and alphas, and what a loss adds up to is worked out from {@link Moments} in the end. A softmax's row is such an example too: with z the
 * log-odds against its true class its loss is that of a positive of logit -z, and so is its gradient, which the other classes have once more.
 */
import { asNegative, Derivatives, sigmoid } from '../../formulas/formula.js'
import type { Logits } from '../../arrays/logits.js'
import { softmaxFocal } from '../../formulas/softmax_focal.js'
import type { LossConstants } from '../../problem/constants.js'
import { hasClass, isValid } from '../../problem/positions.js'
import type { Problem } from '../../problem/problem.js'
import { Labels, LEFT_OUT, NEGATIVE, POSITIVE } from '../labels.js'
import { addByClass, CLASS_ORDER, type LogitExamples } from './class_sums.js'
import { binOf } from './examples.js'
import { lastUpTo } from './hardest.js'
import { LIMIT, Moments, type Slot } from './moments.js'
import type { Tally } from './tally.js'

/** Of all examples: so narrow that losses of a slot are within 1.6 % of each other up to this gamma, and sums within 1e-10. */
const [FINE, FINE_ORDER, MOST_GAMMA] = [512, 4, 7]
/** And of each class's, whose totals alone are wanted: within 1e-8. */
const [COARSE, MOST_CLASSES] = [16, 4096]

/** After so many examples that may be among the hardest, what that takes is worked out anew. */
const CANDIDATES = 64

/** A loss and what it adds up. */
export interface Tallied {
  readonly constants: LossConstants
  readonly tally: Tally
}

/** Whether the losses are such that examples may be summed up so. */
export function areOfLogits(losses: readonly LossConstants[]): boolean {
  return losses.every(({ formula, inputs, gamma, positiveWeight, negativeWeight, classPositive, labelSmoothing }) => {
    const isKnown = formula.perRow ? formula === softmaxFocal : formula.isModulated
    const isPlain = inputs === 'logits' && labelSmoothing === 0 && classPositive === null && Math.max(positiveWeight, negativeWeight) < 1e30
    return isKnown && isPlain && gamma <= MOST_GAMMA
  })
}

export class LogitSums {
  readonly #edges: readonly number[]
  readonly #losses: readonly Tallied[]
  readonly #perRow: boolean
  readonly #fine = new Moments(2, FINE, FINE_ORDER)
  #coarse: Moments | null = null
  /** How many rows have no class. */
  #without = 0
  readonly #labels = new Labels()
  /** What rows are, as labels.ts has it. */
  #rows = new Uint8Array(0)
  /** A negative above `high` and a positive below `low` may be among the hardest. */
  #high = -Infinity
  #low = Infinity
  #candidates = 0
  readonly #derivatives = new Derivatives()

  constructor(losses: readonly Tallied[], edges: readonly number[]) {
    this.#losses = losses
    this.#edges = edges
    this.#perRow = losses[0].constants.formula.perRow
    this.#limit()
  }

  /**
   * The examples of a problem, `null` where they are not all such as can be summed up; `classes` is how many are told apart, `null` for none. They are good until the next.
   *
   * @param oddsOf of a softmax: the log-odds of each row's true class.
   */
  examplesOf(problem: Problem, classes: number | null, oddsOf: (problem: Problem) => Float64Array): LogitExamples | null {
    if (problem.weights !== null || (classes !== null && classes > MOST_CLASSES)) return null
    const examples = this.#perRow ? this.#rowsOf(problem, oddsOf) : this.#elementsOf(problem)
    return examples !== null && areFinite(examples) ? examples : null
  }

  /** Adds them; the tallies have room for `classes`. `firstRow` is the row that they begin with. */
  add(examples: LogitExamples, classes: number | null, firstRow: number): void {
    if (this.#perRow) this.#without += countWithout(examples.problem)
    this.#addFine(examples, firstRow)
    if (classes === null || (classes === 1 && !this.#perRow)) return
    this.#coarse ??= new Moments(2 * classes, COARSE, CLASS_ORDER)
    addByClass(this.#coarse, examples, this.#perRow)
  }

  /** Adds what has been summed up so far to other tallies, which have room for `classes`. */
  addTo(tallies: readonly Tally[], classes: number | null): void {
    const sums = { count: 0, loss: 0, gradient: 0, square: 0 }
    const sumUp = (loss: number, { count, nodes, weights }: Slot, label: number) => {
      sums.count = count
      sums.loss = sums.gradient = sums.square = 0
      let some = 0
      for (let j = 0; j < nodes.length; j++) {
        const { value: each, grad } = this.#at(loss, nodes[j], label)
        sums.loss += weights[j] * each
        sums.gradient += weights[j] * grad
        sums.square += weights[j] * each * each
        some = each
      }
      return some
    }
    for (const slot of this.#fine.slots()) {
      tallies.forEach((tally, i) => {
        const some = sumUp(i, slot, slot.group)
        tally.addSums(2 * slot.part + slot.group, sums, some)
        if (classes === 1 && this.#coarse === null) tally.addToClass(slot.group, sums)
      })
    }
    for (const slot of this.#coarse?.slots() ?? []) {
      tallies.forEach((tally, i) => {
        sumUp(i, slot, slot.group % 2)
        tally.addToClass(slot.group, sums)
      })
    }
    for (const tally of tallies) if (this.#without > 0) tally.addSums(2 * (this.#edges.length - 1), { count: this.#without, loss: 0, gradient: 0, square: 0 }, 0)
  }

  #elementsOf(problem: Problem): LogitExamples | null {
    return this.#labels.read(problem) ? { logits: problem.logits, labels: this.#labels.bytes, problem } : null
  }

  #rowsOf(problem: Problem, oddsOf: (problem: Problem) => Float64Array): LogitExamples | null {
    if (problem.targetsKind !== 'class-index' || (problem.mask !== null && problem.maskPer === 'element')) return null
    const { targets, classes } = problem
    if (this.#rows.length < targets.length) this.#rows = new Uint8Array(targets.length)
    for (let r = 0; r < targets.length; r++) {
      const isExample = hasClass(problem, r) && isValid(problem, r, r)
      // What the backend refuses where it looks at all of them
      if (isExample && !(Number.isInteger(targets[r]) && targets[r] >= 0 && targets[r] < classes)) return null
      this.#rows[r] = isExample ? POSITIVE : LEFT_OUT
    }
    return { logits: oddsOf(problem), labels: this.#rows, problem }
  }

  #addFine({ logits, labels, problem }: LogitExamples, firstRow: number): void {
    const fine = this.#fine
    const { places } = fine
    const { width } = fine
    let { sums } = fine
    // A line each: what comes out of an array is an object to V8
    let high = this.#high
    let low = this.#low
    const binOfPositive = (x: number) => binOf(this.#edges, sigmoid(x))
    const binOfNegative = (x: number) => binOf(this.#edges, sigmoid(-x))
    for (let k = 0; k < logits.length; k++) {
      const label = labels[k]
      if (label === LEFT_OUT) continue
      const x = logits[k]
      if (label === POSITIVE ? x < low : x > high) {
        this.#tryHardest(x, label, k, problem, firstRow)
        high = this.#high
        low = this.#low
      }
      const t = (x + LIMIT) * FINE
      if (!(t >= 0 && t < width)) {
        this.#addAlone(x, label, problem, k)
        continue
      }
      const middle = t | 0
      const slot = label === POSITIVE ? middle + width : middle
      let at = places[slot]
      if (at === 0) {
        at = fine.placeOf(slot, x, label === POSITIVE ? binOfPositive : binOfNegative)
        sums = fine.sums
      }
      const d = t - middle - 0.5
      const square = d * d
      sums[at]++
      sums[at + 1] += d
      sums[at + 2] += square
      sums[at + 3] += square * d
    }
  }

  /** A logit that no slot is for. */
  #addAlone(x: number, label: number, problem: Problem, k: number): void {
    const bin = binOf(this.#edges, sigmoid(label === POSITIVE ? x : -x))
    this.#losses.forEach(({ tally }, i) => {
      const { value, grad } = this.#at(i, x, label)
      const sums = { count: 1, loss: value, gradient: grad, square: value * value }
      tally.addSums(2 * bin + label, sums, value)
      if (tally.hasClasses) tally.addToClass(2 * classOf(problem, k, this.#perRow) + label, sums)
    })
  }

  #tryHardest(x: number, label: number, k: number, problem: Problem, firstRow: number): void {
    this.#losses.forEach(({ tally: { hardest } }, i) => {
      const { value } = this.#at(i, x, label)
      if (!(value > hardest.floor)) return
      const { classes, inner } = problem
      const row = this.#perRow ? k : Math.floor(k / (classes * inner)) * inner + (k % inner)
      const positive = label === POSITIVE
      hardest.add(value, { row: firstRow + row, class: classOf(problem, k, this.#perRow), positive, probability: sigmoid(positive ? x : -x) })
    })
    if (++this.#candidates % CANDIDATES === 0) this.#limit()
  }

  /** The loss and the absolute gradient of a logit under one of the losses. */
  #at(loss: number, x: number, label: number): Derivatives {
    const { positiveWeight, negativeWeight, gamma } = this.#losses[loss].constants
    const to = this.#derivatives
    asNegative(label === POSITIVE ? -x : x, label === POSITIVE ? positiveWeight : negativeWeight, gamma, to)
    if (this.#perRow) to.grad *= 2
    return to
  }

  /** Losses rise with a negative's logit, and fall with a positive's. */
  #limit(): void {
    const limits = [NEGATIVE, POSITIVE].map((label) => {
      const each = this.#losses.map(({ tally: { hardest } }, i) => lastUpTo((z) => this.#at(i, label === POSITIVE ? -z : z, label).value, hardest.floor))
      return Math.min(...each)
    })
    this.#high = limits[NEGATIVE]
    this.#low = -limits[POSITIVE]
  }
}

function areFinite({ logits, labels, problem }: LogitExamples): boolean {
  if (timesZero(logits) === 0) return true
  // Of a softmax, one class alone is right for certain
  const isFine = problem.loss.formula.perRow ? (x: number) => x > -Infinity : (x: number) => x * x < Infinity
  return logits.every((x, k) => labels[k] === LEFT_OUT || isFine(x))
}

/** 0 where all numbers are finite. Alone, as labels.ts reads hard labels. */
function timesZero(numbers: Logits): number {
  let sum = 0
  for (let k = 0; k < numbers.length; k++) sum += numbers[k] * numbers[k] * 0
  return sum
}

function countWithout(problem: Problem): number {
  let count = 0
  for (let r = 0; r < problem.targets.length; r++) if (!hasClass(problem, r) && isValid(problem, r, r)) count++
  return count
}

function classOf({ classes, inner, targets }: Problem, example: number, perRow: boolean): number {
  return perRow ? targets[example] : Math.floor(example / inner) % classes
}
