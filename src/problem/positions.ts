/** The positions of a problem, one at a time: where a row begins, whether it is valid, and its target. */
import type { Problem } from './problem.js'

/** Whether the mask takes element `k` of row `r` out. */
export function isMasked({ mask, maskPer }: Problem, r: number, k: number): boolean {
  return mask !== null && mask[maskPer === 'row' ? r : k] === 0
}

/** How many classes a row of a softmax has left: all, but for those that the mask takes out; 0 where the row is not valid. */
export function classesLeft(problem: Problem, r: number): number {
  const { loss, targets, targetsKind, mask, maskPer, classes, inner } = problem
  if (targetsKind === 'class-index' && targets[r] === loss.ignoreIndex) return 0
  if (mask === null) return classes
  if (maskPer === 'row') return mask[r] === 0 ? 0 : classes
  const first = firstOf(problem, r)
  let left = 0
  for (let c = 0; c < classes; c++) left += mask[first + c * inner] === 0 ? 0 : 1
  return left
}

/** Whether element `k` of row `r` is valid: neither masked nor ignored. */
export function isValid(problem: Problem, r: number, k: number): boolean {
  const { loss, targets, targetsKind } = problem
  if (isMasked(problem, r, k)) return false
  if (targetsKind === 'class-index') return targets[r] !== loss.ignoreIndex
  // An ignored label is one that cannot be a target
  const { ignoreIndex, formula } = loss
  return formula.perRow || targets[k] !== ignoreIndex || (ignoreIndex >= 0 && ignoreIndex <= 1)
}

/** The first element of row `r`; the others follow `inner` apart. */
export function firstOf({ classes, inner }: Pick<Problem, 'classes' | 'inner'>, r: number): number {
  return Math.floor(r / inner) * classes * inner + (r % inner)
}

/** The target of class `c` before smoothing. */
export function targetOf({ targets, targetsKind, background }: Problem, r: number, k: number, c: number): number {
  if (targetsKind === 'labels') return targets[k]
  return targets[r] === c && c !== background ? 1 : 0
}

/** A background row has no class, and so no loss. */
export function hasClass({ targets, targetsKind, background }: Problem, r: number): boolean {
  return targetsKind === 'labels' || targets[r] !== background
}
