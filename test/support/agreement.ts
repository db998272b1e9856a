/** How a backend's outcome of a random problem differs from the plain one's. */
import type { BackendName, Logits, Sums } from 'focal-loss'
import { allowed, largestError } from './closeness.js'
import { flat, lossOf, powersOf } from './losses.js'
import { type RandomProblem, termsOf } from './problems.js'

export interface Outcome {
  readonly value: readonly number[]
  readonly grad: readonly number[]
  readonly hess: readonly number[]
  /** `null`: not asked for. */
  readonly sums: Sums | null
  readonly denominator: number
}

/** The options of a call of the problem. */
export function callOf({ call, normalizer, gradScale }: RandomProblem) {
  return { ...call, ...(normalizer !== undefined && { normalizer }), ...(gradScale !== undefined && { gradScale }) }
}

/** What a backend makes of a problem; the text of the error where it is refused. */
export function outcomeOf(problem: RandomProblem, backend: BackendName): Outcome | string {
  const { name, options, logits, targets, call, normalizer, hess } = problem
  const loss = lossOf(name, { ...options, backend })
  const whole = callOf(problem)
  try {
    const result = hess ? loss.valueGradAndHess(logits, targets, whole) : loss.valueAndGrad(logits, targets, whole)
    const sums = loss.sums(logits, targets, call)
    const denominator = normalizer ?? loss.denominator(sums)
    const second = 'hess' in result ? (result.hess as Logits) : []
    return { value: flat(result.value), grad: flat(result.grad), hess: flat(second), sums, denominator }
  } catch (error) {
    return String(error)
  }
}

/** What is wrong with a backend's outcomes, a line each; empty where nothing is. `expected` are the plain backend's. */
export function disagreements(backend: BackendName, problems: readonly RandomProblem[], expected: readonly (Outcome | string)[]): string[] {
  return differences(problems, problems.map((problem) => outcomeOf(problem, backend)), expected)
}

/** The same of outcomes that are there already, which may differ by as much as `limitOf` says. */
export function differences(problems: readonly RandomProblem[], actual: readonly (Outcome | string)[], expected: readonly (Outcome | string)[], limitOf = allowed): string[] {
  return problems.flatMap((problem, i) => {
    const found = complaints(problem, actual[i], expected[i], limitOf)
    const { name, options, call, logits, targets, dense } = problem
    const kinds = [logits.constructor.name, dense ? 'dense' : 'index', targets.constructor.name, call.weights?.length, call.mask?.length]
    return found.map((complaint) => `${i}: ${complaint}: ${name} ${JSON.stringify({ ...options, shape: call.shape, kinds })}`)
  })
}

function complaints(problem: RandomProblem, actual: Outcome | string, exact: Outcome | string, limitOf: typeof allowed): string[] {
  if (typeof actual === 'string' || typeof exact === 'string') {
    return actual === exact ? [] : [`${typeof actual === 'string' ? actual : 'no error'}, and js: ${typeof exact === 'string' ? exact : 'no error'}`]
  }
  const found: string[] = []
  for (const count of ['elements', 'rows', 'positives'] as const) {
    if (actual.sums && exact.sums && actual.sums[count] !== exact.sums[count]) found.push(`${count} ${actual.sums[count]}, and js ${exact.sums[count]}`)
  }
  const precision = problem.logits instanceof Float32Array ? 'float32' : 'float64'
  const terms = termsOf(problem)
  const scaled = (array: Float64Array) => array.map((each) => ((problem.gradScale ?? 1) * each) / exact.denominator)
  // A value that is reduced is a sum of what is never negative
  const ofValues = problem.options.reduction === 'none' ? terms.value?.map((each) => each / (problem.normalizer ?? 1)) : undefined
  const errors = {
    value: largestError(actual.value, exact.value, ofValues),
    sum: actual.sums && exact.sums ? largestError([actual.sums.sum], [exact.sums.sum]) : 0,
    grad: largestError(actual.grad, exact.grad, scaled(terms.grad)),
    hess: largestError(actual.hess, exact.hess, scaled(terms.hess)),
  }
  for (const [name, error] of Object.entries(errors)) {
    const limit = limitOf(precision, name === 'sum' ? 'value' : (name as 'value' | 'grad' | 'hess'), ...powersOf(problem.name, problem.options))
    if (error > limit) found.push(`${name} errs by ${error}, and may by ${limit}`)
  }
  return found
}
