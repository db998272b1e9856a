/** Applies `curvature` and `maxStep` to second derivatives: one pass after the backend has written value and gradient. */
import { hasFreeClass, posteriorLabels } from '../analysis/posterior.js'
import { oneOf, positiveNumber } from '../arguments.js'
import { fromBits, toBits } from '../arrays/half.js'
import { bitsDtype, dtypeOf, isHalf, type Logits } from '../arrays/logits.js'
import { sameMemory } from '../arrays/memory.js'
import { outOfRange } from '../errors.js'
import type { Curvature, HessCall } from '../problem/call.js'
import { classesLeft, firstOf, hasClass, isMasked, isValid } from '../problem/positions.js'
import { type AnyProblem, divisorOf, type Problem, requireHost, type Sums } from '../problem/problem.js'

const curvatures: readonly Curvature[] = ['exact', 'expected']

/** A call whose second derivatives are not yet what it asks for when its problem has been run. */
export interface CurvatureCall {
  /** The problem itself, without the second derivatives where they come from others. */
  readonly main: AnyProblem
  /** What is to be run after it: the same logits with other labels. */
  after(sums: Sums): readonly Problem[]
  /** Writes `hess`, when all of them have been run. */
  finish(): void
}

/** Null where a call asks for the exact second derivative as it is. */
export function curvatureCall(problem: AnyProblem, { curvature, maxStep }: Pick<HessCall<Logits>, 'curvature' | 'maxStep'>): CurvatureCall | null {
  const expected = curvature !== undefined && oneOf('curvature', curvature, curvatures) === 'expected'
  const longest = maxStep === undefined ? Infinity : positiveNumber('maxStep', maxStep)
  const { formula } = problem.loss
  if (expected && formula.perRow && formula.indicesOnly === true) throw outOfRange('curvature', curvature, "'exact', as an asymmetric loss over a softmax takes no labels, and a posterior is of such")
  if (expected && hasFreeClass(problem.loss)) {
    throw outOfRange('curvature', curvature, "'exact', as alpha, classWeights or posWeight gives a class the weight 0, which leaves no posterior")
  }
  if (!expected && longest === Infinity) return null
  const host = requireHost(problem)
  if (!expected) return { main: host, after: () => [], finish: () => writeHess(host, numbersOf(host.hess, host.hessDtype), longest) }
  // The gradient may be about to overwrite the logits
  const logits = host.grad !== null && sameMemory(host.grad, host.logits) ? host.logits.slice() : host.logits
  const kept: Problem = { ...host, logits, values: null, leastHess: -Infinity, gradScale: 1, sumBefore: 0 }
  let mean: () => ArrayLike<number>
  return {
    main: { ...host, hess: null },
    after(sums) {
      // What it is divided by is that of the call, whatever the labels
      const divided = { ...kept, normalizer: divisorOf(problem, sums) }
      const { problems, result } = problem.loss.formula.perRow ? ofPosterior(divided) : ofBothLabels(divided)
      mean = result
      return problems
    },
    finish: () => writeHess(host, meanOfValid(host, mean()), longest),
  }
}

/** Problems, and what the averaged second derivative is once they have been run. */
interface Averaging {
  readonly problems: readonly Problem[]
  readonly result: () => ArrayLike<number>
}

/** A softmax's loss is linear in its labels: its second derivative averaged over the posterior is that at labels which are the posterior. */
function ofPosterior(problem: Problem): Averaging {
  const labels = posteriorLabels(problem)
  const hess = derivative(problem)
  const at: Problem = { ...problem, targets: labels, targetsDtype: dtypeOf(labels), targetsKind: 'labels', grad: null, hess, hessDtype: dtypeOf(hess) }
  return { problems: [at], result: () => hess }
}

/**
 * Of an element whose gradient is -a at label 1 and b at label 0, the posterior is b / (a + b): what `toProbability` gives. So the
 * mean is (b L''(1) + a L''(0)) / (a + b).
 */
function ofBothLabels(problem: Problem): Averaging {
  const of = (label: 0 | 1): Problem & { readonly grad: Logits; readonly hess: Logits } => {
    const targets = new Uint8Array(problem.logits.length).fill(label)
    const [grad, hess] = [derivative(problem), derivative(problem)]
    return { ...problem, targets, targetsDtype: dtypeOf(targets), targetsKind: 'labels', grad, gradDtype: dtypeOf(grad), hess, hessDtype: dtypeOf(hess) }
  }
  const [zero, one] = [of(0), of(1)]
  return {
    problems: [zero, one],
    result: () =>
      Float64Array.from(zero.hess, (below, k) => {
        const [down, up] = [zero.grad[k], -one.grad[k]]
        const pull = down + up
        // Neither label pulls: far out, or where a weight is 0
        if (pull === 0) return 0
        // Smoothed labels leave no posterior beyond them: it is that of the nearest
        return times(within(down / pull), one.hess[k]) + times(within(up / pull), below)
      }),
  }
}

function within(share: number): number {
  return Math.min(1, Math.max(0, share))
}

/** What has no share has none, infinite as it may be. */
function times(share: number, curve: number): number {
  return share === 0 ? 0 : share * curve
}

/** Room for a derivative, with digits enough for what half precision is rounded from. */
function derivative({ logits, dtype }: Problem): Float32Array | Float64Array {
  return dtype === 1 ? new Float64Array(logits.length) : new Float32Array(logits.length)
}

/** Clamped and scaled, and 0 for what is not valid. Nothing is below 0, however it was rounded. */
function meanOfValid(problem: Problem, mean: ArrayLike<number>): Float64Array {
  const { loss, classes, inner, outer, leastHess, gradScale } = problem
  const to = new Float64Array(problem.logits.length)
  for (let r = 0; r < outer * inner; r++) {
    const first = firstOf(problem, r)
    const isRow = !loss.formula.perRow || (hasClass(problem, r) && classesLeft(problem, r) > 0)
    for (let k = first, c = 0; c < classes; c++, k += inner) {
      const counts = isRow && (loss.formula.perRow ? !isMasked(problem, r, k) : isValid(problem, r, k))
      if (counts) to[k] = Math.max(0, leastHess, mean[k]) * gradScale
    }
  }
  return to
}

/** No Newton step is longer than `longest`; what is masked or ignored has none. Both derivatives are scaled alike. */
function writeHess({ grad, gradDtype, hess, hessDtype }: Problem, curves: Logits | Float64Array, longest: number): void {
  const slopes = numbersOf(grad, gradDtype)
  if (longest !== Infinity) for (let k = 0; k < curves.length; k++) curves[k] = Math.max(curves[k], Math.abs(slopes[k]) / longest)
  const bits = bitsDtype(hess as Logits, hessDtype)
  if (bits !== undefined) toBits(curves as Float64Array, bits, hess as Uint16Array)
  else if (curves !== hess) (hess as Float64Array).set(curves)
}

/** An array, or the numbers that its bits stand for. */
function numbersOf(array: Logits | null, dtype: number): Logits | Float64Array {
  const bits = isHalf(dtype) ? bitsDtype(array as Logits, dtype) : undefined
  return bits === undefined ? (array as Logits) : fromBits(array as Uint16Array, bits)
}
