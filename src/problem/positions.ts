/** The positions of a problem, one at a time: where a row begins, whether it is valid, and its target. */
import { clamp } from '../formulas/number_range.js'
import type { LossConstants } from './constants.js'
import type { Problem } from './problem.js'

/** Whether the mask takes element `k` of row `r` out. */
export function isMasked({ mask, maskPer }: Problem, r: number, k: number): boolean {
  return mask !== null && mask[maskPer === 'row' ? r : k] === 0
}

/** How many classes a row of a softmax has left: all, but for those that the mask takes out; 0 where the row is not valid. */
export function classesLeft(problem: Problem, r: number): number {
  const { loss, targets, targetsKind, mask, maskPer, classes, inner } = problem
  if (targetsKind === 'class-index' && isIgnored(loss, targets[r])) return 0
  if (maskPer === 'row' && mask !== null && mask[r] === 0) return 0
  const isWhole = mask === null || maskPer === 'row'
  if (isWhole && (targetsKind === 'class-index' || !Number.isNaN(loss.ignoreIndex))) return classes
  const first = firstOf(problem, r)
  let left = 0
  // Labels that are ignored are all of a row's: NaN, in a softmax
  let ignored = 0
  for (let k = first, c = 0; c < classes; c++, k += inner) {
    if (isMasked(problem, r, k)) continue
    left++
    if (targetsKind === 'labels' && Number.isNaN(loss.ignoreIndex) && Number.isNaN(targets[k])) ignored++
  }
  return ignored === left ? 0 : left
}

/** Whether a class index is ignored. */
export function isIgnored({ ignoreIndex }: LossConstants, index: number): boolean {
  return index === ignoreIndex || (Number.isNaN(ignoreIndex) && Number.isNaN(index))
}

/** Whether element `k` of row `r` is valid: neither masked nor ignored. */
export function isValid(problem: Problem, r: number, k: number): boolean {
  const { loss, targets, targetsKind } = problem
  if (isMasked(problem, r, k)) return false
  const { ignoreIndex, formula } = loss
  if (ignoreIndex === null) return true
  // Labels of a softmax's row are NaN together
  if (Number.isNaN(ignoreIndex)) return !Number.isNaN(targets[targetsKind === 'class-index' ? r : k])
  if (targetsKind === 'class-index') return !isIgnored(loss, targets[r])
  // An ignored label is one that cannot be a target
  return formula.perRow || targets[k] !== ignoreIndex || (ignoreIndex >= 0 && ignoreIndex <= 1)
}

/** The first element of row `r`; the others follow `inner` apart. */
export function firstOf({ classes, inner }: Pick<Problem, 'classes' | 'inner'>, r: number): number {
  return Math.floor(r / inner) * classes * inner + (r % inner)
}

/** The target of class `c` before smoothing, without what rounding has left outside of [0, 1]. */
export function targetOf({ targets, targetsKind, background, oneFrom }: Problem, r: number, k: number, c: number): number {
  if (targetsKind === 'labels') return targets[k] >= oneFrom ? 1 : clamp(targets[k])
  return targets[r] === c && c !== background ? 1 : 0
}

/** A background row has no class, and so no loss. */
export function hasClass({ targets, targetsKind, background }: Problem, r: number): boolean {
  return targetsKind === 'labels' || targets[r] !== background
}
