/**
 * The most frequent calls without what costs as much as the loss itself: focal losses of logits that nothing but alpha weighs and
 * no mask thins out. Results have the same bits as those of rows.ts.
 */
import { Derivatives, type ElementFormula, fromExponential } from '../../formulas/formula.js'
import { clamp } from '../../formulas/number_range.js'
import type { Problem } from '../../problem/problem.js'
import { BLOCK, gather, scatter } from '../element_blocks.js'

const logits = new Float64Array(BLOCK)
const labels = new Float64Array(BLOCK)
/** e^-|x| and log(1 + e^-|x|). In loops of their own: calls of these functions lose what the processor's registers hold. */
const exponentials = new Float64Array(BLOCK)
const logarithms = new Float64Array(BLOCK)
const values = new Float64Array(BLOCK)
const grads = new Float64Array(BLOCK)
const hesses = new Float64Array(BLOCK)
const result = new Derivatives()

/**
 * What is done with the first `count` elements, in this order. One call for all, as V8 compiles no function into its caller where several
 * are called: the loss is compiled into its own loop, and numbers need no objects on their way there. One loop each: V8 keeps code that was
 * made within a loop, and leaves it again and again where that code fails behind the loop.
 */
const stages: readonly ((count: number, problem: Problem, formula: ElementFormula) => void)[] = [takeExponentials, takeLogarithms, takeLosses]

/** Computes rows `begin` to `end - 1`, and returns what `sum` has become. */
export function computeDirect(problem: Problem, formula: ElementFormula, begin: number, end: number, divisor: number, sum: number): number {
  const { classes } = problem
  for (let from = begin * classes; from < end * classes; from += BLOCK) {
    const to = Math.min(from + BLOCK, end * classes)
    gather(problem, problem.logits, logits, from, to)
    if (problem.targetsKind === 'labels') gather(problem, problem.targets, labels, from, to)
    else labelClasses(problem, from, to)
    for (const stage of stages) stage(to - from, problem, formula)
    sum = addLosses(to - from, sum)
    if (problem.values !== null) {
      if (!Number.isNaN(problem.normalizer)) divide(values, to - from, problem.normalizer)
      scatter(problem, values, problem.values, from, to)
    }
    if (problem.grad !== null) {
      divide(grads, to - from, divisor)
      multiply(grads, to - from, problem.gradScale)
      scatter(problem, grads, problem.grad, from, to)
    }
    if (problem.hess !== null) {
      divide(hesses, to - from, divisor)
      for (let i = 0; i < to - from; i++) hesses[i] = Math.max(problem.leastHess, hesses[i])
      multiply(hesses, to - from, problem.gradScale)
      scatter(problem, hesses, problem.hess, from, to)
    }
  }
  return sum
}

/** Labels of 0 and 1 for class indices. */
function labelClasses({ targets, classes, background }: Problem, from: number, to: number): void {
  for (let i = 0; i < to - from; i++) labels[i] = 0
  for (let r = Math.floor(from / classes); r * classes < to; r++) {
    const i = r * classes + targets[r] - from
    if (targets[r] !== background && i >= 0 && i < to - from) labels[i] = 1
  }
}

function takeExponentials(count: number): void {
  for (let i = 0; i < count; i++) exponentials[i] = Math.exp(-Math.abs(logits[i]))
}

function takeLogarithms(count: number): void {
  for (let i = 0; i < count; i++) logarithms[i] = Math.log1p(exponentials[i])
}

function takeLosses(count: number, { loss, oneFrom }: Problem, formula: ElementFormula): void {
  const { gamma, positiveWeight, negativeWeight } = loss
  for (let i = 0; i < count; i++) {
    const x = logits[i]
    const y = labels[i]
    const positive = y === 1
    if (positive || y === 0) {
      // A positive is a negative seen in the mirror
      fromExponential(positive ? -x : x, exponentials[i], logarithms[i], positive ? positiveWeight : negativeWeight, gamma, result)
    } else {
      formula.element(x, y >= oneFrom ? 1 : clamp(y), positiveWeight, negativeWeight, loss, result)
    }
    values[i] = result.value
    grads[i] = positive ? -result.grad : result.grad
    hesses[i] = result.hess
  }
}

function addLosses(count: number, sum: number): number {
  for (let i = 0; i < count; i++) sum += values[i]
  return sum
}

function divide(block: Float64Array, count: number, divisor: number): void {
  if (divisor !== 1) for (let i = 0; i < count; i++) block[i] /= divisor
}

function multiply(block: Float64Array, count: number, factor: number): void {
  if (factor !== 1) for (let i = 0; i < count; i++) block[i] *= factor
}
