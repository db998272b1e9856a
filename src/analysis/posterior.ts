/**
 * What a score means. The focal loss is no proper loss: trained to its optimum, a model's sigmoid (or softmax) is not the
 * probability of the truth. Both directions are here: from a logit to the posterior whose expected loss is least there,
 * and from a prior to the constant logit that is least for it.
 *
 * For one logit the expected gradient `eta dL(1)/dx + (1 - eta) dL(0)/dx` vanishes at the optimum, so
 * `eta = g0 / (g0 - g1)`. For a row it is `eta_c` proportional to `p_c / B_c`, with B_c the pull of softmax_focal.ts.
 */
import { checkNames, oneOf } from '../arguments.js'
import { checkLogits } from '../arrays/check.js'
import { fromBits, toBits } from '../arrays/half.js'
import { bitsDtype, dtypeOfLogits, type Logits } from '../arrays/logits.js'
import { checkedLength, overlap, sameMemory } from '../arrays/memory.js'
import { outOfRange, wrongType } from '../errors.js'
import { asymmetricSoftmax } from '../formulas/asymmetric_softmax.js'
import { Derivatives, type ElementFormula, logOddsAgainst, sigmoid, softplus } from '../formulas/formula.js'
import { clamp, isFarOutside, toleranceOf } from '../formulas/number_range.js'
import { type ProbabilityCall, givenOrNew } from '../problem/call.js'
import { type LossConstants, parametersOf } from '../problem/constants.js'
import { output } from '../problem/describe.js'
import { firstOf, isMasked } from '../problem/positions.js'
import { badProbability, badRow, isBadSum, type Problem } from '../problem/problem.js'
import { checkClassCount, layoutOfLogits } from '../problem/shape.js'

/** A prior with the rule of the RetinaNet paper: {@link FocalLossBase.priorBias}. */
export interface PriorRule {
  /** The share of positives, between 0 and 1. */
  readonly prior: number
  /** `-log((1 - prior) / prior)`, whatever the loss. */
  readonly rule: 'retinanet'
}

/** `toProbability` of a loss: see there. */
export function posteriors(loss: LossConstants, logits: Logits, call: ProbabilityCall<Logits>): Logits {
  checkWeights(loss, 'toProbability()')
  const x = checkLogits(logits, call.dtype)
  const layout = layoutOfLogits(loss, checkedLength('logits', x), call)
  const { outer, classes, inner } = layout
  checkClassCount(loss, classes, call)
  const out = output('out', givenOrNew(true, 'out', call.out), x, x.length) as Logits
  if (overlap(out, x) && !sameMemory(out, x)) {
    throw new RangeError('out overlaps logits in memory; expected memory of its own (or exactly the logits)')
  }
  const bits = bitsDtype(x, dtypeOfLogits(x, call.dtype))
  const from = bits === undefined ? x : fromBits(x as Uint16Array, bits)
  const to = bits === undefined ? out : new Float64Array(x.length)
  if (loss.inputs === 'probabilities') {
    const dtype = dtypeOfLogits(x, call.dtype)
    const bad = from.findIndex((p) => isFarOutside(p, toleranceOf(dtype)))
    if (bad >= 0) throw badProbability(bad, from[bad])
    if (loss.formula.perRow) checkSums(loss, from, layout, dtype)
  }
  const row = new Float64Array(classes)
  for (let r = 0; r < outer * inner; r++) {
    const first = firstOf(layout, r)
    for (let c = 0; c < classes; c++) row[c] = from[first + c * inner]
    const { formula } = loss
    if (loss.inputs === 'probabilities') row.forEach((p, c) => (row[c] = Math.log(clamp(p)) - (formula.perRow ? 0 : Math.log1p(-clamp(p)))))
    if (formula.perRow) posteriorsOfRow(loss, row)
    else for (let c = 0; c < classes; c++) row[c] = posteriorOfLogit(loss, formula, row[c], c)
    for (let c = 0; c < classes; c++) to[first + c * inner] = row[c]
  }
  if (bits !== undefined) toBits(to as Float64Array, bits, out as Uint16Array)
  return out
}

/** Throws for the first invalid row of probabilities. */
function checkSums(loss: LossConstants, from: Logits | Float64Array, layout: ReturnType<typeof layoutOfLogits>, dtype: number): void {
  for (let r = 0; r < layout.outer * layout.inner; r++) {
    const first = firstOf(layout, r)
    let sum = 0
    for (let c = 0; c < layout.classes; c++) sum += from[first + c * layout.inner]
    if (isBadSum(loss.renormalize, sum, dtype)) throw badRow(r, sum, dtype, loss.renormalize)
  }
}

/** `priorBias` of a loss: see there. */
export function biases(loss: LossConstants, prior: unknown): number | Float64Array {
  const { formula } = loss
  if (Array.isArray(prior)) {
    const priors = prior.map((each: unknown, c) => checkPrior(`prior[${c}]`, each))
    if (priors.length === 0) throw new RangeError('prior is an empty array; expected one number per class')
    checkWeights(loss, 'priorBias()')
    checkClassCount(loss, priors.length, {})
    if (!formula.perRow) return Float64Array.from(priors, (each, c) => biasOfPrior(loss, formula, each, c, `prior[${c}]`))
    const sum = priors.reduce((a, b) => a + b, 0)
    if (!(Math.abs(sum - 1) < 1e-6)) throw new RangeError(`prior has the sum ${sum}; expected 1, as a softmax gives every row one class`)
    return biasesOfPriors(loss, priors.map((each) => each / sum))
  }
  if (typeof prior === 'object' && prior !== null) {
    const given = prior as PriorRule
    checkNames(given, new Set(['prior', 'rule']), 'priorBias()')
    oneOf('rule', given.rule, ['retinanet'])
    const pi = checkPrior('prior', given.prior)
    return -Math.log((1 - pi) / pi)
  }
  const single = checkPrior('prior', prior)
  if (formula.perRow) throw wrongType('prior', single, 'an array, one number per class')
  if (loss.classPositive !== null) throw wrongType('prior', single, `an array of ${loss.classPositive.length}, as ${loss.perClassOption} is one`)
  checkWeights(loss, 'priorBias()')
  return biasOfPrior(loss, formula, single, 0, 'prior')
}

/** The weights of class `c`: of a positive and of a negative. */
function weightsOf({ classPositive, classNegative, positiveWeight, negativeWeight }: LossConstants, c: number): [number, number] {
  return [classPositive?.[c] ?? positiveWeight, classNegative?.[c] ?? negativeWeight]
}

/** Whether a class costs nothing: every score is the optimum of one posterior then. */
export function hasFreeClass(loss: LossConstants): boolean {
  for (let c = 0; c < (loss.classPositive?.length ?? 1); c++) {
    const weights = loss.formula.perRow ? weightsOf(loss, c).slice(0, 1) : weightsOf(loss, c)
    if (weights.includes(0)) return true
  }
  return false
}

export function checkWeights(loss: LossConstants, method: string): void {
  if (loss.formula === asymmetricSoftmax && loss.labelSmoothing > 0) {
    throw outOfRange('labelSmoothing', loss.labelSmoothing, `0, as ${method} has no inverse of an asymmetric loss over a softmax with label smoothing`)
  }
  if (hasFreeClass(loss)) throw new RangeError(`${method} needs a weight above 0 for every class; alpha, classWeights or posWeight gives one the weight 0`)
}

/**
 * The posterior of the logit `x` of class `c`; monotone in x, 0 and 1 at the infinities. With `isOf` 0 it is 1 less that, without
 * the rounding of 1.
 */
export function posteriorOfLogit(loss: LossConstants, formula: ElementFormula, x: number, c: number, isOf: 0 | 1 = 1): number {
  // Where classes differ in no ratio of weights, not by a rounding error either: equal logits stay ties
  const [positive, negative] = weightsOf(loss, loss.isOneScale ? 0 : c)
  const result = new Derivatives()
  // Far past a margin both gradients are 0; their ratio has been at its limit long before
  const at = loss.margin > 0 ? Math.min(x, 700) : x
  const parameters = parametersOf(loss, c)
  formula.element(at, loss.labelSmoothing / 2, positive, negative, parameters, result)
  const down = result.grad
  formula.element(at, 1 - loss.labelSmoothing / 2, positive, negative, parameters, result)
  const up = -result.grad
  // So far out that neither pulls any more
  if (down === 0 && up === 0) return x > 0 ? isOf : 1 - isOf
  // Smoothing keeps the optimum away from 0 and 1: scores beyond are of posteriors that do not exist
  return Math.min(1, Math.max(0, (isOf === 1 ? down : up) / (down + up)))
}

/**
 * The posteriors of a softmax's rows, as labels of a problem: 0 for classes that the mask takes out, and for a row whose logits
 * leave none.
 */
export function posteriorLabels(problem: Problem): Float64Array {
  const { loss, logits, dtype, outer, classes, inner } = problem
  const bits = bitsDtype(logits, dtype)
  const from = bits === undefined ? logits : fromBits(logits as Uint16Array, bits)
  const labels = new Float64Array(from.length)
  const row = new Float64Array(classes)
  for (let r = 0; r < outer * inner; r++) {
    const first = firstOf(problem, r)
    for (let c = 0; c < classes; c++) {
      const x = from[first + c * inner]
      row[c] = isMasked(problem, r, first + c * inner) ? -Infinity : loss.inputs === 'probabilities' ? Math.log(clamp(x)) : x
    }
    posteriorsOfRow(loss, row)
    for (let c = 0; c < classes; c++) labels[first + c * inner] = Number.isNaN(row[c]) ? 0 : row[c]
  }
  return labels
}

/** Replaces a row of logits by its posteriors, which sum to 1. */
function posteriorsOfRow(loss: LossConstants, row: Float64Array): void {
  // Label smoothing is shared by the classes that a row has: those that were masked in training come with -Infinity
  const left = row.reduce((count, x) => count - (x === -Infinity ? 1 : 0), row.length) || row.length
  logSharesOfRow(loss, row)
  let largest = -Infinity
  // NaN comes through
  for (const each of row) if (!(each <= largest)) largest = each
  normalise(row, (each) => (each === largest ? 1 : Math.exp(each - largest)))
  const { labelSmoothing: e } = loss
  if (e > 0) normalise(row, (each) => Math.max(0, each - e / left))
}

/** Replaces a row of logits by the logarithms of its posteriors, up to a number that all of them have in common. */
export function logPosteriorsOfRow(loss: LossConstants, row: Float64Array): void {
  if (loss.labelSmoothing === 0) {
    logSharesOfRow(loss, row)
    return
  }
  posteriorsOfRow(loss, row)
  for (let c = 0; c < row.length; c++) row[c] = Math.log(row[c])
}

/** The same of a loss without label smoothing: of far-off classes too, whose posteriors are too small for a double. */
function logSharesOfRow(loss: LossConstants, row: Float64Array): void {
  const odds = new Float64Array(row.length)
  logOddsAgainst(row, odds)
  const { classPositive } = loss
  for (let c = 0; c < odds.length; c++) {
    row[c] = logShare(odds[c], parametersOf(loss, c).gamma) - (classPositive === null ? 0 : Math.log(classPositive[c]))
  }
}

function normalise(row: Float64Array, map: (each: number) => number): void {
  let sum = 0
  for (let c = 0; c < row.length; c++) sum += row[c] = map(row[c])
  for (let c = 0; c < row.length; c++) row[c] /= sum
}

/** log(p / B) for a class of weight 1 with log-odds `z` against it: p = sigmoid(-z), B = q^gamma (gamma p nll / q + 1). */
export function logShare(z: number, gamma: number): number {
  const e = Math.exp(-Math.abs(z))
  const [larger, tail] = [1 / (1 + e), Math.log1p(e)]
  const q = z >= 0 ? larger : e * larger
  const p = z >= 0 ? e * larger : larger
  const nll = Math.max(z, 0) + tail
  // nll / q tends to 1 as q does to 0, and p nll to 0 as p does
  const pull = q === 0 ? 1 : z === Infinity ? 0 : (p * nll) / q
  const modulator = gamma === 0 ? 0 : gamma * (Math.max(-z, 0) + tail)
  return modulator - nll - Math.log1p(gamma * pull)
}

/** The logit whose posterior is `prior`, for class `c`. `name` is the prior's in an error. */
function biasOfPrior(loss: LossConstants, formula: ElementFormula, prior: number, c: number, name: string): number {
  const most = posteriorOfLogit(loss, formula, Infinity, c)
  if (prior > most) throw outOfRange(name, prior, `at most ${most.toPrecision(4)}, which the largest logits stand for under this loss`)
  return bisect((x) => posteriorOfLogit(loss, formula, x, c) < prior, 1e300)
}

/** The logits of a row whose posteriors are `priors`, with log-sum-exp 0: the logarithms of the optimal softmax. */
function biasesOfPriors(loss: LossConstants, priors: readonly number[]): Float64Array {
  // For a row at its optimum, log(p_c / B_c) - log(prior_c) is one number for all classes; it grows with p_c
  const oddsAt = (level: number) =>
    priors.map((prior, c) => {
      const wanted = level + Math.log(prior) + Math.log(weightsOf(loss, c)[0])
      return -bisect((logit) => logShare(-logit, parametersOf(loss, c).gamma) < wanted)
    })
  const level = bisect((at) => oddsAt(at).reduce((sum, z) => sum + sigmoid(-z), 0) < 1)
  return Float64Array.from(oddsAt(level), (z) => -softplus(z))
}

/** The last number between `-end` and `end` at which a monotone `isBelow` still holds, to double precision. */
function bisect(isBelow: (at: number) => boolean, end = 800): number {
  let [low, high] = [-end, end]
  for (let middle = 0; low < middle || middle < high; middle = (low + high) / 2) {
    if (isBelow(middle)) {
      if (low === middle) break
      low = middle
    } else {
      if (high === middle) break
      high = middle
    }
  }
  return high
}

/** A probability, neither 0 nor 1. */
function checkPrior(name: string, value: unknown): number {
  const expected = 'a number between 0 and 1, both excluded'
  if (typeof value !== 'number') throw wrongType(name, value, expected)
  if (!(value > 0 && value < 1)) throw outOfRange(name, value, expected)
  return value
}
