/** The rows of a problem in plain TypeScript, some at a time. */
import { Derivatives, type ElementFormula, type RowFormula } from '../../formulas/formula.js'
import { clamp, finiteProbability, type NumberRange, rangeOf, within } from '../../formulas/number_range.js'
import { type LossConstants, parametersOf } from '../../problem/constants.js'
import { classesLeft, firstOf, hasClass, isMasked, isValid, targetOf } from '../../problem/positions.js'
import type { Problem } from '../../problem/problem.js'
import { isDirect } from '../target_scan.js'
import { computeDirect } from './direct.js'

/** Computes rows `begin` to `end - 1`, and returns what `sum` has become. */
export function compute(problem: Problem, begin: number, end: number, divisor: number, sum: number): number {
  const { formula } = problem.loss
  if (formula.perRow) return computeRows(problem, formula, begin, end, divisor, sum)
  return (formula.isModulated && isDirect(problem) ? computeDirect : computeElements)(problem, formula, begin, end, divisor, sum)
}

/** What is infinite is no weight, as little as a NaN. */
function weightOf({ weights, weightsPer }: Problem, r: number, k: number): number {
  if (weights === null) return 1
  const weight = weights[weightsPer === 'row' ? r : k]
  return Number.isFinite(weight) ? weight : NaN
}

function computeElements(problem: Problem, formula: ElementFormula, begin: number, end: number, divisor: number, sum: number): number {
  const { loss, logits, classes, inner, values, grad, hess, gradScale } = problem
  const { labelSmoothing: e, classPositive, classNegative, positiveWeight, negativeWeight } = loss
  const valueDivisor = Number.isNaN(problem.normalizer) ? 1 : problem.normalizer
  const result = new Derivatives()
  const range = loss.inputs === 'probabilities' ? rangeOf(problem.dtype) : null
  const [ofGrad, ofHess] = [rangeOf(problem.gradDtype), rangeOf(problem.hessDtype)]
  for (let r = begin; r < end; r++) {
    const first = firstOf(problem, r)
    for (let c = 0; c < classes; c++) {
      const k = first + c * inner
      if (isValid(problem, r, k)) {
        const y = targetOf(problem, r, k, c) * (1 - e) + e / 2
        const weight = weightOf(problem, r, k)
        const positive = weight * (classPositive?.[c] ?? positiveWeight)
        const negative = weight * (classNegative?.[c] ?? negativeWeight)
        const parameters = parametersOf(loss, c)
        if (range === null) formula.element(logits[k], y, positive, negative, parameters, result)
        else finiteProbability(formula, range, clamp(logits[k]), y, positive, negative, parameters, result)
        result.grad = (result.grad / divisor) * gradScale
        result.hess = Math.max(problem.leastHess, result.hess / divisor) * gradScale
        if (range !== null) {
          result.grad = within(ofGrad, result.grad)
          result.hess = within(ofHess, result.hess)
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

function computeRows(problem: Problem, formula: RowFormula, begin: number, end: number, divisor: number, sum: number): number {
  const { loss, logits, targets, classes, inner, values, grad, hess, gradScale } = problem
  const isIndex = problem.targetsKind === 'class-index'
  const { labelSmoothing, classPositive, positiveWeight } = loss
  const valueDivisor = Number.isNaN(problem.normalizer) ? 1 : problem.normalizer
  const whole = Array.from({ length: 4 }, () => new Float64Array(classes))
  const range = loss.inputs === 'probabilities' ? rangeOf(problem.dtype) : null
  const [ofGrad, ofHess] = [rangeOf(problem.gradDtype), rangeOf(problem.hessDtype)]
  const classOf = new Uint32Array(classes)
  const gammas = loss.classGamma?.slice() ?? null
  for (let r = begin; r < end; r++) {
    const first = firstOf(problem, r)
    let value = 0
    let rowSum = 1
    // Classes that are masked have no part in their row
    const left = classesLeft(problem, r)
    const [row, weights, scratch, curve] = left === classes ? whole : whole.map((array) => array.subarray(0, left))
    const counts = left > 0 && hasClass(problem, r)
    if (counts) {
      const weight = weightOf(problem, r, first)
      let at = 0
      let truth = -1
      for (let c = 0; c < classes; c++) {
        const k = first + c * inner
        if (isMasked(problem, r, k)) continue
        const y = targetOf(problem, r, k, c) * (1 - labelSmoothing) + labelSmoothing / left
        classOf[at] = c
        if (isIndex && targets[r] === c) truth = at
        if (gammas !== null && loss.classGamma !== null) gammas[at] = loss.classGamma[c]
        row[at] = range === null ? logits[k] : clamp(logits[k])
        weights[at++] = y * weight * (classPositive?.[c] ?? positiveWeight)
      }
      if (loss.renormalize && range !== null) {
        rowSum = row.reduce((a, b) => a + b, 0)
        for (let c = 0; c < left; c++) row[c] /= rowSum
      }
      const bends = hess === null ? null : curve
      value = range === null ? formula.row(row, weights, scratch, loss, bends, gammas, truth) : computeClasses(formula, loss, range, row, weights, bends, classOf)
    }
    sum += value
    if (values !== null) values[r] = value / valueDivisor
    const rowDivisor = divisor * rowSum
    for (let c = 0, at = 0; c < classes; c++) {
      const k = first + c * inner
      const has = counts && !isMasked(problem, r, k)
      if (hess !== null) {
        const scaled = has ? Math.max(problem.leastHess, curve[at] / (rowDivisor * rowSum)) * gradScale : 0
        hess[k] = range === null ? scaled : within(ofHess, scaled)
      }
      if (grad !== null) {
        const scaled = has ? (row[at] / rowDivisor) * gradScale : 0
        grad[k] = range === null ? scaled : within(ofGrad, scaled)
      }
      if (has) at++
    }
  }
  return sum
}

/** One row of probabilities, as {@link RowFormula.row}. Classes without a target have no part in it. */
function computeClasses(formula: RowFormula, loss: LossConstants, range: NumberRange, row: Float64Array, weights: Float64Array, hess: Float64Array | null, classOf: Uint32Array): number {
  const shares = row.slice()
  const result = new Derivatives()
  let value = 0
  let pull = 0
  for (let c = 0; c < row.length; c++) {
    if (weights[c] === 0) {
      row[c] = 0
      if (hess !== null) hess[c] = 0
      continue
    }
    const p = row[c]
    finiteProbability(formula, range, p, 1, weights[c], 0, parametersOf(loss, classOf[c]), result)
    value += result.value
    pull += result.grad * p
    row[c] = result.grad
    if (hess !== null) hess[c] = result.hess
  }
  if (!loss.renormalize) return value
  // Of a row that has been divided by its sum: every class has a part in that
  if (hess !== null) bendOfShares(shares, row, hess)
  for (let c = 0; c < row.length; c++) row[c] -= pull
  return value
}

/**
 * Second derivatives of a row that is divided by its sum, times the square of the sum: with u the shares and f', f'' the
 * derivatives of the classes' parts by them, f''_j (1 - u_j)^2 - 2 f'_j (1 - u_j) + sum_{c != j} (f''_c u_c + 2 f'_c) u_c. Sums
 * leave a class out: they are no differences.
 */
function bendOfShares(u: Float64Array, slopes: Float64Array, hess: Float64Array): void {
  const others = Float64Array.from(u, (each, c) => (hess[c] * each + 2 * slopes[c]) * each)
  const without = (parts: Float64Array, j: number) => parts.reduce((sum, part, c) => (c === j ? sum : sum + part), 0)
  for (let j = 0; j < u.length; j++) {
    const rest = without(u, j)
    hess[j] = (hess[j] * rest - 2 * slopes[j]) * rest + without(others, j)
  }
}
