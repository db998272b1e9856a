/** A checked call of evaluation: the problem, with valid targets, weights and logits. */
import type { Logits } from '../../arrays/logits.js'
import type { Targets } from '../../arrays/numeric_array.js'
import { type CallOptions, methods, readCall } from '../../problem/call.js'
import { describe } from '../../problem/describe.js'
import { type Problem, requireHost } from '../../problem/problem.js'
import { inFull } from '../in_full.js'
import { checkNumbers } from './numbers.js'
import type { EvaluableLoss } from './options.js'

export function problemOf(loss: EvaluableLoss, logits: Logits, targets: Targets, call: CallOptions): Problem {
  const none = { values: false, grad: false, hess: false }
  const problem = inFull(requireHost(describe(loss.constants, 'sum', logits, targets, readCall(methods.explainerAdd, call), none)))
  // A backend looks at all targets
  loss.sums(logits, targets, call)
  checkNumbers(problem)
  return problem
}
