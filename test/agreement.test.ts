/** Every backend and every instruction set against the plain one, on random problems over all options and layouts. */
import { afterAll, describe, expect, it } from 'vitest'
import { type BackendName, type Logits, SigmoidFocalLoss, type Sums } from 'focal-loss'
import { testedBackends } from './backends.js'
import { allowed, largestError } from './support/closeness.js'
import { flat, lossOf } from './support/losses.js'
import { isas, useMachine } from './support/native.js'
import { type RandomProblem, randomProblems, termsOf } from './support/problems.js'

interface Outcome {
  readonly value: readonly number[]
  readonly grad: readonly number[]
  readonly hess: readonly number[]
  readonly sums: Sums
  readonly denominator: number
}

const problems = randomProblems(1500, 12345)

/** What a backend makes of a problem; the text of the error where it is refused. */
function outcomeOf({ name, options, logits, targets, call, normalizer, hess }: RandomProblem, backend: BackendName): Outcome | string {
  const loss = lossOf(name, { ...options, backend })
  const whole = { ...call, ...(normalizer !== undefined && { normalizer }) }
  try {
    const result = hess && loss instanceof SigmoidFocalLoss ? loss.valueGradAndHess(logits, targets, whole) : loss.valueAndGrad(logits, targets, whole)
    const sums = loss.sums(logits, targets, call)
    const denominator = normalizer ?? loss.denominator(sums)
    const second = 'hess' in result ? (result.hess as Logits) : []
    return { value: flat(result.value), grad: flat(result.grad), hess: flat(second), sums, denominator }
  } catch (error) {
    return String(error)
  }
}

const expected = problems.map((problem) => outcomeOf(problem, 'js'))

/** What is wrong with a backend's outcome; empty where nothing is. */
function complaints(problem: RandomProblem, actual: Outcome | string, exact: Outcome | string): string[] {
  if (typeof actual === 'string' || typeof exact === 'string') {
    return actual === exact ? [] : [`${typeof actual === 'string' ? actual : 'no error'}, and js: ${typeof exact === 'string' ? exact : 'no error'}`]
  }
  const found: string[] = []
  for (const count of ['elements', 'rows', 'positives'] as const) {
    if (actual.sums[count] !== exact.sums[count]) found.push(`${count} ${actual.sums[count]}, and js ${exact.sums[count]}`)
  }
  const precision = problem.logits instanceof Float32Array ? 'float32' : 'float64'
  const terms = termsOf(problem)
  const scaled = (array: Float64Array) => array.map((each) => each / exact.denominator)
  const errors = {
    value: largestError(actual.value, exact.value),
    sum: largestError([actual.sums.sum], [exact.sums.sum]),
    grad: largestError(actual.grad, exact.grad, scaled(terms.grad)),
    hess: largestError(actual.hess, exact.hess, scaled(terms.hess)),
  }
  for (const [name, error] of Object.entries(errors)) {
    const limit = allowed(precision, name === 'sum' ? 'value' : (name as 'value' | 'grad' | 'hess'), problem.options.gamma)
    if (error > limit) found.push(`${name} errs by ${error}, and may by ${limit}`)
  }
  return found
}

function expectAgreement(backend: BackendName): void {
  const all = problems.flatMap((problem, i) => {
    const found = complaints(problem, outcomeOf(problem, backend), expected[i])
    const { name, options, call, logits, targets, dense } = problem
    const kinds = [logits.constructor.name, dense ? 'dense' : 'index', targets.constructor.name, call.weights?.length, call.mask?.length]
    return found.map((complaint) => `${i}: ${complaint}: ${name} ${JSON.stringify({ ...options, shape: call.shape, kinds })}`)
  })
  expect(all.slice(0, 5)).toEqual([])
}

describe('the random problems', () => {
  it('are of all kinds, and some are refused', () => {
    const refused = expected.filter((outcome) => typeof outcome === 'string')
    expect(refused.length).toBeGreaterThan(50)
    expect(refused.every((error) => /^RangeError: targets\[\d+\] is /.test(error))).toBe(true)
    expect(refused.length).toBeLessThan(problems.length / 5)
    expect(problems.filter(({ hess }) => hess).length).toBeGreaterThan(200)
  })
})

describe.each(testedBackends().filter((backend) => backend !== 'js'))('%s', (backend) => {
  it('agrees with js', () => expectAgreement(backend), 60_000)
})

describe.each(isas)('native, $name', ({ isa }) => {
  afterAll(() => useMachine(2))
  it.each([1, 3])('agrees with js on %d threads', (threads) => {
    useMachine(threads, isa)
    expectAgreement('native')
  }, 60_000)
})
