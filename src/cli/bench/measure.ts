/** Times contenders on one problem, after checking each of them. Runs in pages too. */
import type { BackendName } from 'focal-loss'
import type { BenchProblem } from './cases.js'
import { expectEqual, referenceOf } from './check.js'
import { type Measurement, measurement } from './result.js'
import { summarise } from './statistics.js'
import { sampleCalls } from './timing.js'

/** Who is timed. */
export interface Contender {
  readonly who: string
  /** What is called again and again: it writes the gradient, and returns the sum of the loss. */
  readonly prepare: (problem: BenchProblem, grad: BenchProblem['logits']) => () => number
}

/** A backend, through the public methods. */
export function backendContender(name: BackendName): Contender {
  return {
    who: name,
    prepare({ case: benchCase, logits, targets }, grad) {
      const loss = benchCase.make(name)
      const call = { grad }
      return () => loss.valueAndGrad(logits, targets, call).value
    },
  }
}

/**
 * Yields `null` once memcpy is measured, then a measurement for each contender; each takes about `seconds`, and between two there is
 * time for something else. Throws where a result is wrong: then its speed means nothing.
 */
export function* measureProblem(problem: BenchProblem, contenders: readonly Contender[], seconds: number): Generator<Measurement | null> {
  const { logits } = problem
  const exact = referenceOf(problem)
  const grad = logits.slice()
  const copied = sampleCalls(() => grad.set(logits), seconds)
  const memcpy = (2 * logits.byteLength) / summarise(copied).median
  yield null
  for (const { who, prepare } of contenders) {
    const call = prepare(problem, grad)
    grad.fill(NaN)
    const sum = call()
    expectEqual(`${who} on ${problem.case.name} with ${problem.elements} logits of ${problem.dtype}`, { sum, grad }, exact)
    yield measurement(problem, who, sampleCalls(call, seconds), memcpy)
  }
}
