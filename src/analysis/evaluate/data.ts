/** A checked call of evaluation: the problem, with valid targets, weights and logits. */
import type { Logits } from '../../arrays/logits.js'
import type { Targets } from '../../arrays/numeric_array.js'
import { type CallOptions, methods, readCall } from '../../problem/call.js'
import { describe } from '../../problem/describe.js'
import { type Problem, requireHost } from '../../problem/problem.js'
import { inFull } from '../in_full.js'
import { checkNumbers } from './numbers.js'
import type { EvaluableLoss } from './options.js'

/** Whether the model's logits are given, all of one weight. */
export function isPlain({ weights, loss }: Problem): boolean {
  return weights === null && loss.inputs === 'logits'
}

/** @param areKnown whether all targets of a plain problem are seen to be valid. A backend looks at all others. */
export function problemOf(loss: EvaluableLoss, logits: Logits, targets: Targets, call: CallOptions, areKnown: (problem: Problem) => boolean = () => false): Problem {
  const none = { values: false, grad: false, hess: false }
  const problem = inFull(requireHost(describe(loss.constants, 'sum', logits, targets, readCall(methods.explainerAdd, call), none)))
  if (!isPlain(problem) || !areKnown(problem)) loss.sums(logits, targets, call)
  checkNumbers(problem)
  return problem
}
