/** The backend in plain TypeScript and double precision: the readable reference, and what runs where nothing else may. */
import { bitsDtype, type Logits } from '../arrays.js'
import { fromBits, toBits } from '../half.js'
import type { Derivatives, ElementFormula, Parameters, RowFormula } from '../losses/formula.js'
import { evaluateWithin, type NumberRange, rangeOf, within } from '../losses/probability.js'
import { counts, firstOf, hasClass, targetOf } from '../places.js'
import { badClass, badProbability, badTarget, checkOverlaps, divisorOf, type Problem, type Sums } from '../problem.js'
import type { Backend } from './backend.js'

export const jsBackend: Backend = { name: 'js', description: 'plain JavaScript in double precision', run }

function run(problem: Problem): Sums {
  checkOverlaps(problem)
  const dtype = bitsDtype(problem.logits, problem.dtype)
  if (dtype === undefined) return runNumbers(problem)
  const numbersFor = (output: Logits | null) => (output === null ? null : new Float64Array(output.length))
  const { values, grad, hess } = problem
  const inNumbers = {
    ...problem,
    logits: fromBits(problem.logits as Uint16Array, dtype),
    values: numbersFor(values),
    grad: numbersFor(grad),
    hess: numbersFor(hess),
  }
  const sums = runNumbers(inNumbers)
  const put = (numbers: Float64Array | null, to: Logits | null) => numbers !== null && toBits(numbers, dtype, to as Uint16Array)
  put(inNumbers.values, values)
  put(inNumbers.grad, grad)
  put(inNumbers.hess, hess)
  return sums
}

/** Arrays whose elements are the numbers. */
function runNumbers(problem: Problem): Sums {
  const counted = count(problem)
  if (problem.loss.inputs === 'probabilities') checkProbabilities(problem)
  const { formula } = problem.loss
  const divisor = divisorOf(problem, { sum: 0, ...counted })
  const sum = formula.perRow ? runRows(problem, formula, divisor) : runElements(problem, formula, divisor)
  return { sum, ...counted }
}

/** Counts what counts and checks every target that does, before anything is written. */
function count(problem: Problem): Omit<Sums, 'sum'> {
  const { loss, targets, targetsKind, outer, classes, inner, background } = problem
  let elements = 0
  let rows = 0
  let positives = 0
  let bad = Infinity
  for (let r = 0; r < outer * inner; r++) {
    const first = firstOf(problem, r)
    const target = targetsKind === 'class-index' ? targets[r] : NaN
    let counting = 0
    for (let c = 0; c < classes; c++) {
      const k = first + c * inner
      if (!counts(problem, r, k)) continue
      counting++
      if (targetsKind === 'class-index') {
        if (c === target && target !== background) positives++
        continue
      }
      const y = targets[k]
      if (y < 0 || y > 1) bad = Math.min(bad, k)
      if (y >= loss.formula.positiveFrom) positives++
    }
    elements += counting
    if (counting === 0) continue
    rows++
    const known = (target >= 0 && target < classes) || target === background
    if (targetsKind === 'class-index' && !known) throw badClass(problem, r, target)
  }
  if (bad < Infinity) throw badTarget(problem, bad, targets[bad])
  // A row of a softmax counts as a whole
  return { elements: loss.formula.perRow ? rows * classes : elements, rows, positives }
}

/** Every probability that counts is from 0 to 1. NaN is no number at all, and comes through. */
function checkProbabilities(problem: Problem): void {
  const { logits, outer, classes, inner } = problem
  let bad = Infinity
  for (let r = 0; r < outer * inner; r++) {
    const first = firstOf(problem, r)
    for (let k = first; k < first + classes * inner; k += inner) {
      if ((logits[k] < 0 || logits[k] > 1) && counts(problem, r, k)) bad = Math.min(bad, k)
    }
  }
  if (bad < Infinity) throw badProbability(bad, logits[bad])
}

function weightOf({ weights, weightsPer }: Problem, r: number, k: number): number {
  return weights === null ? 1 : weights[weightsPer === 'row' ? r : k]
}

function runElements(problem: Problem, formula: ElementFormula, divisor: number): number {
  const { loss, logits, outer, classes, inner, values, grad, hess } = problem
  const { labelSmoothing: e, classPositive, classNegative, positiveWeight, negativeWeight } = loss
  const valueDivisor = Number.isNaN(problem.normalizer) ? 1 : problem.normalizer
  const result: Derivatives = { value: 0, grad: 0, hess: 0 }
  const range = loss.inputs === 'probabilities' ? rangeOf(problem.dtype) : null
  let sum = problem.sumBefore
  for (let r = 0; r < outer * inner; r++) {
    const first = firstOf(problem, r)
    for (let c = 0; c < classes; c++) {
      const k = first + c * inner
      if (counts(problem, r, k)) {
        const y = targetOf(problem, r, k, c) * (1 - e) + e / 2
        const weight = weightOf(problem, r, k)
        const positive = weight * (classPositive?.[c] ?? positiveWeight)
        const negative = weight * (classNegative?.[c] ?? negativeWeight)
        if (range === null) formula.element(logits[k], y, positive, negative, loss, result)
        else evaluateWithin(range, logits[k], result, (p) => formula.probability(p, y, positive, negative, loss, result))
        result.grad /= divisor
        result.hess = Math.max(problem.leastHess, result.hess / divisor)
        if (range !== null) {
          result.grad = within(range, result.grad)
          result.hess = within(range, result.hess)
        }
      } else {
        result.value = result.grad = result.hess = 0
      }
      sum += result.value
      if (values !== null) values[k] = result.value / valueDivisor
      if (hess !== null) hess[k] = result.hess
      if (grad !== null) grad[k] = result.grad
    }
  }
  return sum
}

function runRows(problem: Problem, formula: RowFormula, divisor: number): number {
  const { loss, logits, outer, classes, inner, values, grad } = problem
  const { labelSmoothing, classPositive, positiveWeight } = loss
  const valueDivisor = Number.isNaN(problem.normalizer) ? 1 : problem.normalizer
  const row = new Float64Array(classes)
  const weights = new Float64Array(classes)
  const scratch = new Float64Array(classes)
  const range = loss.inputs === 'probabilities' ? rangeOf(problem.dtype) : null
  let sum = problem.sumBefore
  for (let r = 0; r < outer * inner; r++) {
    const first = firstOf(problem, r)
    let value = 0
    if (counts(problem, r, first) && hasClass(problem, r)) {
      const weight = weightOf(problem, r, first)
      for (let c = 0; c < classes; c++) {
        const k = first + c * inner
        const y = targetOf(problem, r, k, c) * (1 - labelSmoothing) + labelSmoothing / classes
        row[c] = logits[k]
        weights[c] = y * weight * (classPositive?.[c] ?? positiveWeight)
      }
      value = range === null ? formula.row(row, weights, scratch, loss) : runClasses(formula, loss, range, row, weights)
    } else {
      row.fill(0)
    }
    sum += value
    if (values !== null) values[r] = value / valueDivisor
    if (grad === null) continue
    for (let c = 0; c < classes; c++) grad[first + c * inner] = range === null ? row[c] / divisor : within(range, row[c] / divisor)
  }
  return sum
}

/** One row of probabilities, as {@link RowFormula.row}. Classes without a target have no part in it. */
function runClasses(formula: RowFormula, loss: Parameters, range: NumberRange, row: Float64Array, weights: Float64Array): number {
  const result: Derivatives = { value: 0, grad: 0, hess: 0 }
  let value = 0
  for (let c = 0; c < row.length; c++) {
    if (weights[c] === 0) {
      row[c] = 0
      continue
    }
    evaluateWithin(range, row[c], result, (p) => formula.probability(p, weights[c], loss, result))
    value += result.value
    row[c] = result.grad
  }
  return value
}
