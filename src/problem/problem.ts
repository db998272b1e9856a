/** One call as plain data, which every backend receives; its sums, and the errors that only a look at the data shows. */
import { type AnyArray, type AnyLogits, type Logits, onHost } from '../arrays/logits.js'
import type { NumericArray } from '../arrays/numeric_array.js'
import { overlap, sameMemory } from '../arrays/memory.js'
import type { LossConstants } from './constants.js'
import { outOfRange, wrongType } from '../errors.js'
import type { Formula } from '../formulas/formula.js'
import { sumToleranceOf } from '../formulas/number_range.js'
import type { Reduction } from './options.js'
import type { TargetKind } from './call.js'

/** The unreduced result of a call: what several machines add up before they divide. */
export interface Sums {
  /** Of the losses. */
  readonly sum: number
  /** Valid elements: those neither masked nor ignored. */
  readonly elements: number
  /** Valid rows: those with at least one valid element. */
  readonly rows: number
  /**
   * Valid elements whose target is at least 0.5 (heatmap: 1, a peak; varifocal: above 0); with class indices, valid
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
  /** Of logits and values: the number in cpp/problem.h (enum FocalDtype). */
  readonly dtype: number
  /** Of grad and hess: as `dtype`, or float32 where that is half precision. */
  readonly gradDtype: number
  readonly hessDtype: number
  readonly targets: N
  readonly targetsDtype: number
  readonly targetsKind: TargetKind
  /** What labels were made of, one per row, where the loss takes positions. */
  readonly positions: NumericArray | null
  readonly outer: number
  readonly classes: number
  readonly inner: number
  /** NaN: none. */
  readonly background: number
  readonly reduction: Reduction
  /** The least labels that are counted as positives, and that are taken for 1, as numbers of the targets' type. */
  readonly positiveFrom: number
  readonly oneFrom: number
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
  /** Multiplies `grad` and `hess` before they are rounded. */
  readonly gradScale: number
  /** What `hess` never falls below, before it is scaled; -Infinity: no bound. */
  readonly leastHess: number
  /** What the sum goes on from: 0, or the sum of the chunks before. */
  readonly sumBefore: number
  /** The GPU in whose memory arrays of the call lie; `null`: all are the host's. */
  readonly device: D
}

/** What every backend runs. */
export type Problem = Described<Logits, NumericArray, null>

/** What only a backend with a device runs. Logits and outputs are on one GPU or on the host; each of the others on either. */
export type DeviceProblem = Described<AnyLogits, AnyArray, number>

export type AnyProblem = Problem | DeviceProblem

/** The denominator of a reduction, at least 1 so that an empty batch has loss 0. */
export function denominatorOf(reduction: Reduction, formula: Formula, sums: Sums): number {
  if (reduction === 'mean') return atLeastOne(formula.perRow ? sums.rows : sums.elements)
  if (reduction === 'mean-rows') return atLeastOne(sums.rows)
  return reduction === 'mean-positives' ? atLeastOne(sums.positives) : 1
}

/** Not by `Math.max`, which a program may have replaced. */
function atLeastOne(count: number): number {
  return count > 1 ? count : 1
}

/** What a problem's sum and gradient are divided by. */
export function divisorOf(problem: AnyProblem, sums: Sums): number {
  // Not by Number.isNaN, which a program may have replaced
  if (problem.normalizer > 0) return problem.normalizer
  return denominatorOf(problem.reduction, problem.loss.formula, sums)
}

/** The error for an invalid class index, or that a softmax's mask takes out; every backend throws this one. */
export function badClass(problem: AnyProblem, index: number, value: number): RangeError {
  if (isClassOf(problem, value)) return outOfRange(`targets[${index}]`, value, 'a class that mask leaves in its row')
  const others: string[] = []
  if (!Number.isNaN(problem.background)) others.push(`background ${problem.background}`)
  if (problem.loss.ignoreIndex !== null) others.push(`ignoreIndex ${problem.loss.ignoreIndex}`)
  const allowed = others.length > 0 ? `, ${others.join(' or ')}` : ''
  const hints = [
    // As labels from 1 on have it
    ...(value === problem.classes ? ['classes count from 0'] : []),
    ...(others.length === 0 ? ['set background or ignoreIndex to allow others'] : []),
    ...(problem.classes === 1 ? ["targetKind: 'labels' takes targets as labels"] : []),
  ]
  return outOfRange(`targets[${index}]`, value, `a class in 0..${problem.classes - 1}${allowed}${hints.length > 0 ? ` (${hints.join('; ')})` : ''}`)
}

function isClassOf({ classes }: AnyProblem, value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < classes
}

/** The error for a dense target that is no label, or that a softmax's mask contradicts; every backend throws this one. */
export function badTarget(problem: AnyProblem, index: number, value: number): RangeError {
  const { formula, ignoreIndex } = problem.loss
  if (problem.positions !== null) return badPosition(problem, problem.positions, index)
  if (value > 0 && value <= 1) return outOfRange(`targets[${index}]`, value, '0, as mask takes this class out of its row')
  const ignored = ignoreIndex === null || (formula.perRow && !Number.isNaN(ignoreIndex)) ? '' : ` or ignoreIndex ${ignoreIndex}`
  if (Number.isNaN(value) && formula.perRow && Number.isNaN(ignoreIndex)) return outOfRange(`targets[${index}]`, value, 'a number from 0 to 1, or NaN in all of its row, which is then ignored')
  const missing = Number.isNaN(value) ? ' (ignoreIndex: NaN leaves targets that are NaN out)' : ''
  return outOfRange(`targets[${index}]`, value, `a number from 0 to 1${ignored}${missing}`)
}

/** The error for the position that label `index` was made of: it is none, or has a share in a bin that the mask takes out of its row. */
function badPosition({ loss, classes, inner }: AnyProblem, positions: NumericArray, index: number): RangeError {
  const row = Math.floor(index / (classes * inner)) * inner + (index % inner)
  const position = positions[row]
  if (isPosition(position, classes)) return outOfRange(`targets[${row}]`, position, `a position between bins that mask leaves in its row, and bin ${Math.floor(index / inner) % classes} is taken out`)
  const ignored = loss.ignoredPosition === null ? '' : ` or ignoreIndex ${loss.ignoredPosition}`
  const missing = Number.isNaN(position) ? ' (ignoreIndex: NaN leaves targets that are NaN out)' : ''
  return outOfRange(`targets[${row}]`, position, `a position from 0 to ${classes - 1}${ignored}${missing}`)
}

/** Whether a number lies on bins 0 to `classes - 1`. */
export function isPosition(y: number, classes: number): boolean {
  return y >= 0 && y <= classes - 1
}

/** The error for an invalid probability; every backend throws this one. */
export function badProbability(index: number, value: number): RangeError {
  return outOfRange(`logits[${index}]`, value, "a number from 0 to 1, as inputs is 'probabilities'")
}

/** Whether a row of probabilities with this sum is invalid. */
export function isBadSum(renormalize: boolean, sum: number, dtype: number): boolean {
  return renormalize ? sum <= 0 : Math.abs(sum - 1) > sumToleranceOf(dtype)
}

/** The error for an invalid row of probabilities; every backend throws this one. */
export function badRow(row: number, sum: number, dtype: number, renormalize: boolean): RangeError {
  const allowed = renormalize ? 'a sum above 0' : `the sum 1, within ${sumToleranceOf(dtype)} (renormalize: true divides rows by theirs)`
  return new RangeError(`row ${row} of logits has the sum ${sum}; expected ${allowed}, as inputs is 'probabilities'`)
}

/** A problem for what computes on the host itself. */
export function requireHost(problem: AnyProblem): Problem {
  if (problem.device === null) return problem
  const at = arraysOf(problem).findIndex((array) => array !== null && !onHost(array))
  throw wrongType(arrayNames[at], arraysOf(problem)[at], 'a typed array of the host (toHost() makes one)')
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
