/** Views of a call's arrays that keep their lengths: those that follow a growable SharedArrayBuffer get longer when another thread lets it grow, also while they are copied. */
import { bufferOf, byteOffsetOf, mayGrow, tagOf } from '../../arrays/intrinsics.js'
import { kinds } from '../../arrays/kinds.js'
import type { NumericArray } from '../../arrays/numeric_array.js'
import type { Problem } from '../../problem/problem.js'

/** The problem itself, or one whose arrays are as long as they were when it was described. */
export function withFixedLengths(problem: Problem): Problem {
  const { logits, targets, weights, mask, values, grad, hess } = problem
  if (!(grows(logits) || grows(targets) || grows(weights) || grows(mask) || grows(values) || grows(grad) || grows(hess))) return problem
  const rows = problem.outer * problem.inner
  const elements = rows * problem.classes
  return {
    ...problem,
    logits: fixed(logits, elements),
    targets: fixed(targets, problem.targetsKind === 'labels' ? elements : rows),
    weights: fixed(weights, problem.weightsPer === 'element' ? elements : rows),
    mask: fixed(mask, problem.maskPer === 'element' ? elements : rows),
    values: fixed(values, problem.loss.formula.perRow ? rows : elements),
    grad: fixed(grad, elements),
    hess: fixed(hess, elements),
  }
}

function grows(array: NumericArray | null): array is NumericArray {
  return array !== null && mayGrow(array)
}

function fixed<A extends NumericArray | null>(array: A, length: number): A {
  return grows(array) ? (new kinds[tagOf(array)](bufferOf(array), byteOffsetOf(array), length) as A) : array
}
