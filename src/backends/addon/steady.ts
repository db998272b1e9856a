/** Memory that stays while an addon reads and writes it on another thread: engines take the pages of a buffer away when it shrinks. */
import { lengthOf, mayShrink, setIn, tagOf } from '../../arrays/intrinsics.js'
import { kinds } from '../../arrays/kinds.js'
import { type AnyArray, onHost } from '../../arrays/logits.js'
import type { NumericArray } from '../../arrays/numeric_array.js'
import { type AnyProblem, arraysOf, checkOverlaps } from '../../problem/problem.js'

interface Steady<P> {
  readonly problem: P
  /** Puts the outputs where the caller wants them, in memory that is still there. */
  finish(): void
}

/** The problem itself, or one on copies of those arrays whose buffers may be resized. */
export function inSteadyMemory<P extends AnyProblem>(problem: P): Steady<P> {
  if (!arraysOf(problem).some(isUnsteady)) return { problem, finish: () => undefined }
  // Copies overlap nothing
  checkOverlaps(problem)
  const { logits, targets, weights, mask, values, grad, hess } = problem
  const outputs = { values: steadied(values), grad: steadied(grad), hess: steadied(hess) }
  return {
    problem: { ...problem, logits: steadied(logits), targets: steadied(targets), weights: steadied(weights), mask: steadied(mask), ...outputs },
    finish() {
      for (const name of ['values', 'grad', 'hess'] as const) {
        const [to, from] = [problem[name], outputs[name]]
        if (isUnsteady(to)) setIn(to, from as NumericArray)
      }
    },
  }
}

function isUnsteady(array: AnyArray | null): array is NumericArray {
  return array !== null && onHost(array) && mayShrink(array)
}

function steadied<A extends AnyArray | null>(array: A): A {
  if (!isUnsteady(array)) return array
  const copy = new kinds[tagOf(array)](lengthOf(array))
  setIn(copy, array)
  return copy as A
}
