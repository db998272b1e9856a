/** The positions of a problem, one at a time: where a row begins, whether it is valid, and its target. */
import type { Problem } from './problem.js'

/** Whether element `k` of row `r` is valid: neither masked nor ignored. */
export function isValid(problem: Problem, r: number, k: number): boolean {
  const { loss, targets, targetsKind, mask, maskPer } = problem
  if (mask !== null && mask[maskPer === 'row' ? r : k] === 0) return false
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
