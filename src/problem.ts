/** Checks one call and describes it as plain data: what every backend receives. Nothing is written before all is checked. */
import {
  type AnyArray,
  type AnyLogits,
  checkAnyLogits,
  checkedLength,
  checkNumbers,
  checkTargets,
  dtypeOfLogits,
  isFloatArray,
  type Logits,
  newLike,
  type NumericArray,
  onHost,
  overlap,
  sameMemory,
} from './arrays.js'
import type { CallOptions } from './call.js'
import type { LossConstants } from './constants.js'
import { outOfRange, wrongType } from './errors.js'
import type { HalfDtype } from './half.js'
import { tagOf } from './intrinsics.js'
import type { Formula } from './losses/formula.js'
import { number, positiveNumber, type Reduction } from './options.js'
import { checkClassCount, inferLayout, readShape } from './shape.js'

/** The unreduced result of a call: what several machines add up before they divide. */
export interface Sums {
  /** Of the losses. */
  readonly sum: number
  /** Elements that count. */
  readonly elements: number
  /** Rows that count: those with at least one element that does. */
  readonly rows: number
  /**
   * Counting elements whose target is at least 0.5 (heatmap: 1, a peak; varifocal: above 0); with class indices, counting
   * rows that have a class.
   */
  readonly positives: number
}

/** The sums of an empty call. */
export const nothing: Sums = { sum: 0, elements: 0, rows: 0, positives: 0 }

export type Per = 'row' | 'element'

/** `logits[(o * classes + c) * inner + i]` is class c of row `o * inner + i`. */
interface Described<A extends AnyLogits, N extends AnyArray, D extends number | null> {
  readonly loss: LossConstants
  readonly logits: A
  /** Of logits, values, grad and hess: the number in cpp/problem.h (enum FocalDtype). */
  readonly dtype: number
  readonly targets: N
  readonly targetsKind: 'dense' | 'class-index'
  readonly outer: number
  readonly classes: number
  readonly inner: number
  /** NaN: none. */
  readonly background: number
  readonly reduction: Reduction
  /** NaN: none. Replaces the reduction's denominator. */
  readonly normalizer: number
  readonly weights: N | null
  readonly weightsPer: Per
  readonly mask: N | null
  readonly maskPer: Per
  /** Losses, per element (per row for softmax), divided by the normalizer only. */
  readonly values: A | null
  readonly grad: A | null
  readonly hess: A | null
  /** What `hess` never falls below; -Infinity: no bound. */
  readonly leastHess: number
  /** What the sum goes on from: 0, or the sum of the chunks before. */
  readonly sumBefore: number
  /** The GPU in whose memory arrays of the call lie; `null`: all are the host's. */
  readonly device: D
}

/** What every backend runs. */
export type Problem = Described<Logits, NumericArray, null>

/** What only a backend with a device runs. Logits and outputs lie on one side; each of the others on either. */
export type DeviceProblem = Described<AnyLogits, AnyArray, number>

export type AnyProblem = Problem | DeviceProblem

/** Outputs: `false` for none, `true` for a new array, or the caller's. */
export interface Outputs {
  readonly values: unknown
  readonly grad: unknown
  readonly hess: unknown
}

/** The denominator of a reduction, at least 1 so that an empty batch has loss 0. */
export function denominatorOf(reduction: Reduction, formula: Formula, sums: Sums): number {
  if (reduction === 'mean') return Math.max(1, formula.perRow ? sums.rows : sums.elements)
  if (reduction === 'mean-rows') return Math.max(1, sums.rows)
  return reduction === 'mean-positives' ? Math.max(1, sums.positives) : 1
}

/** What a problem's sum and gradient are divided by. */
export function divisorOf(problem: AnyProblem, sums: Sums): number {
  if (!Number.isNaN(problem.normalizer)) return problem.normalizer
  return denominatorOf(problem.reduction, problem.loss.formula, sums)
}

export function describe(
  loss: LossConstants,
  reduction: Reduction,
  givenLogits: unknown,
  givenTargets: unknown,
  call: CallOptions & { normalizer?: number; clampHess?: number },
  outputs: Outputs,
  sumBefore = 0,
): AnyProblem {
  const logits = checkAnyLogits('logits', givenLogits, call.dtype)
  const targets = checkTargets('targets', givenTargets)
  const elements = checkedLength('logits', logits)
  const targetsLength = checkedLength('targets', targets)
  const layout =
    call.shape === undefined
      ? inferLayout(loss, elements, targetsLength, call)
      : readShape(loss, elements, targets, targetsLength, call)
  const { outer, classes, inner, targetsKind } = layout
  if (targetsKind === 'class-index' && isFloatArray(targets)) throw noIndices(targets, givenTargets, elements)
  checkClassCount(loss, classes, call)

  const rows = outer * inner
  const weights = call.weights === undefined ? null : checkNumbers('weights', call.weights)
  const mask = call.mask === undefined ? null : checkNumbers('mask', call.mask)
  const problem = {
    loss,
    logits,
    dtype: dtypeOfLogits(logits, call.dtype),
    targets,
    targetsKind,
    outer,
    classes,
    inner,
    background: loss.background === 'num-classes' ? classes : loss.background,
    reduction,
    normalizer: call.normalizer === undefined ? NaN : positiveNumber('normalizer', call.normalizer),
    weights,
    weightsPer: per('weights', weights, loss.formula, rows, elements),
    mask,
    maskPer: per('mask', mask, loss.formula, rows, elements),
    values: output('out', outputs.values, logits, call.dtype, loss.formula.perRow ? rows : elements),
    grad: output('grad', outputs.grad, logits, call.dtype, elements),
    hess: output('hess', outputs.hess, logits, call.dtype, elements),
    leastHess: call.clampHess === undefined ? -Infinity : number('clampHess', call.clampHess, -Infinity, Infinity),
    sumBefore,
    device: onHost(logits) && onHost(targets) && (weights === null || onHost(weights)) && (mask === null || onHost(mask)) ? null : deviceOf([logits, targets, weights, mask]),
  } as AnyProblem
  checkBackground(problem)
  return problem
}

/** Where a call's arrays lie: its outputs lie where its logits do. */
function deviceOf(inputs: readonly (AnyArray | null)[]): number | null {
  let first: number | null = null
  for (const [i, array] of inputs.entries()) {
    if (array === null || onHost(array)) continue
    first ??= array.device
    if (array.device !== first) throw outOfRange(`${arrayNames[i]}.device`, array.device, `${first}, as arrays of a call lie on one GPU`)
  }
  return first
}

/** The error for a class index that is none; every backend throws this one. */
export function badClass(problem: AnyProblem, index: number, value: number): RangeError {
  const others: string[] = []
  if (!Number.isNaN(problem.background)) others.push(`background ${problem.background}`)
  if (!Number.isNaN(problem.loss.ignoreIndex)) others.push(`ignoreIndex ${problem.loss.ignoreIndex}`)
  const allowed = others.length > 0 ? `, ${others.join(' or ')}` : ' (set background or ignoreIndex to allow others)'
  return outOfRange(`targets[${index}]`, value, `a class in 0..${problem.classes - 1}${allowed}`)
}

/** The error for a dense target that is no label; every backend throws this one. */
export function badTarget(problem: AnyProblem, index: number, value: number): RangeError {
  const { formula, ignoreIndex } = problem.loss
  const ignored = formula.perRow || Number.isNaN(ignoreIndex) ? '' : ` or ignoreIndex ${ignoreIndex}`
  return outOfRange(`targets[${index}]`, value, `a number from 0 to 1${ignored}`)
}

/** The error for a probability that is none; every backend throws this one. */
export function badProbability(index: number, value: number): RangeError {
  return outOfRange(`logits[${index}]`, value, "a number from 0 to 1, as inputs is 'probabilities'")
}

/** The error for targets that must be class indices and are no integers. */
function noIndices(targets: AnyArray, given: unknown, elements: number): Error {
  const at = Array.isArray(given) && onHost(targets) ? targets.findIndex((value) => (value | 0) !== value) : -1
  if (at >= 0) return outOfRange(`targets[${at}]`, (targets as NumericArray)[at], 'an integer, the index of a class')
  const hint = `an integer array of class indices, one per row, or ${elements} targets, one per logit`
  return wrongType('targets', given, hint)
}

function per(name: string, array: AnyArray | null, formula: Formula, rows: number, elements: number): Per {
  if (array === null) return 'row'
  const length = checkedLength(name, array)
  if (!formula.perRow && length === elements) return 'element'
  if (length === rows) return 'row'
  const expected = formula.perRow ? `${rows}, one per row` : `${elements} (one per logit) or ${rows} (one per row)`
  throw new RangeError(`${name} has length ${length}; expected ${expected}`)
}

export function output<A extends AnyLogits>(name: string, given: unknown, logits: A, dtype: HalfDtype | undefined, length: number): A | null {
  if (given === false) return null
  if (given === true) return newLike(logits, length)
  const array = checkAnyLogits(name, given, dtype)
  if (!sameKind(array, logits)) throw wrongType(name, given, `${kindOf(logits)}, as logits is`)
  const came = checkedLength(name, array)
  if (came !== length) throw new RangeError(`${name} has length ${came}; expected ${length}`)
  return array as A
}

/** A problem for what computes on the host itself. */
export function requireHost(problem: AnyProblem): Problem {
  if (problem.device === null) return problem
  const at = arraysOf(problem).findIndex((array) => array !== null && !onHost(array))
  throw wrongType(arrayNames[at], arraysOf(problem)[at], 'a typed array of the host (toHost() makes one)')
}

/** What an output must have in common with the logits: the type, and where they lie. */
function sameKind(a: AnyLogits, b: AnyLogits): boolean {
  // An array on a GPU has no tag of a typed array
  if (tagOf(a) !== tagOf(b)) return false
  return onHost(a) || onHost(b) || (a.dtype === b.dtype && a.device === b.device)
}

function kindOf(array: AnyLogits): string {
  return onHost(array) ? `a ${tagOf(array)}` : `a ${array.dtype} array on GPU ${array.device}`
}

function checkBackground({ loss, targetsKind, background, classes }: AnyProblem): void {
  if (!loss.formula.perRow || targetsKind === 'dense') return
  if (background >= 0 && background < classes) {
    throw outOfRange('background', background, `an integer outside the classes 0..${classes - 1} of a softmax`)
  }
}

/** The names of a problem's arrays. */
export const arrayNames = ['logits', 'targets', 'weights', 'mask', 'out', 'grad', 'hess'] as const

/** A call's arrays, in the order of {@link arrayNames}. */
export function arraysOf(problem: AnyProblem): (AnyArray | null)[] {
  const { logits, targets, weights, mask, values, grad, hess } = problem
  return [logits, targets, weights, mask, values, grad, hess]
}

/**
 * No output may lie in the memory of another array, except the gradient exactly on the logits. Every backend refuses
 * the others before it writes: through this, or, where it knows addresses, faster.
 */
export function checkOverlaps(problem: AnyProblem): void {
  const { logits, grad } = problem
  const arrays = arraysOf(problem)
  for (let i = 4; i < arrays.length; i++) {
    const written = arrays[i]
    if (written === null) continue
    for (let j = 0; j < arrays.length; j++) {
      const other = arrays[j]
      if (j === i || other === null || !overlap(written, other)) continue
      const onLogits = written === grad && other === logits
      if (onLogits && sameMemory(written, other)) continue
      const excepted = onLogits ? ' (or exactly the logits)' : ''
      const names = `${arrayNames[i]} overlaps ${arrayNames[j]}`
      throw new RangeError(`${names} in memory; expected memory of its own${excepted}`)
    }
  }
}

