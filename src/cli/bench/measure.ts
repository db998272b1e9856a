/** Times the backends on one problem, after checking each of them. Runs in pages too. */
import type { BackendName } from 'focal-loss'
import type { BenchProblem } from './cases.js'
import { expectEqual, referenceOf } from './check.js'
import { type Measurement, measurement } from './result.js'
import { summarise } from './statistics.js'
import { sampleCalls } from './timing.js'

/**
 * Yields `null` once memcpy is measured, then a measurement for each name; each takes about `seconds`, and between two there is
 * time for something else. Throws where a backend's result is wrong: then its speed means nothing.
 */
export function* measureProblem(problem: BenchProblem, names: readonly BackendName[], seconds: number): Generator<Measurement | null> {
  const { logits, targets } = problem
  const exact = referenceOf(problem)
  const grad = logits.slice()
  const copied = sampleCalls(() => grad.set(logits), seconds)
  const memcpy = (2 * logits.byteLength) / summarise(copied).median
  yield null
  for (const name of names) {
    const loss = problem.case.make(name)
    const call = { grad }
    grad.fill(NaN)
    const { value } = loss.valueAndGrad(logits, targets, call)
    expectEqual(`${name} on ${problem.case.name} with ${problem.elements} logits of ${problem.dtype}`, { sum: value, grad }, exact)
    yield measurement(problem, name, sampleCalls(() => loss.valueAndGrad(logits, targets, call), seconds), memcpy)
  }
}
