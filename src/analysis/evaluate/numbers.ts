/** The numbers of a problem as evaluation takes them. */
import { outOfRange } from '../../errors.js'
import { clamp } from '../../formulas/number_range.js'
import { classesLeft, firstOf, hasClass, isMasked, isValid } from '../../problem/positions.js'
import type { Problem } from '../../problem/problem.js'

/** A weight, 1 where there are none. */
export function weightOf({ weights, weightsPer }: Problem, r: number, k: number): number {
  return weights === null ? 1 : weights[weightsPer === 'row' ? r : k]
}

/** A logit; of probabilities the one that has it, of a softmax up to a number that its row has in common. */
export function logitOf({ loss, logits }: Problem, k: number): number {
  if (loss.inputs === 'logits') return logits[k]
  const p = clamp(logits[k])
  return Math.log(p) - (loss.formula.perRow ? 0 : Math.log1p(-p))
}

/** The class of a softmax's row that is right: of labels the first of the largest; -1 of a row that is not valid, that is background, or whose labels are all 0. */
export function truthOf(problem: Problem, r: number): number {
  const { targets, targetsKind, classes, inner } = problem
  if (classesLeft(problem, r) === 0 || !hasClass(problem, r)) return -1
  if (targetsKind === 'class-index') return targets[r]
  let [best, most] = [-1, 0]
  for (let c = 0; c < classes; c++) {
    const k = firstOf(problem, r) + c * inner
    if (targets[k] > most && !isMasked(problem, r, k)) [best, most] = [c, targets[k]]
  }
  return best
}

/** Reads a softmax's row of logits; -Infinity is a class that the mask takes out. */
export function readRow(problem: Problem, r: number, row: Float64Array): void {
  const { classes, inner, logits, loss, mask } = problem
  const first = firstOf(problem, r)
  if (mask === null && loss.inputs === 'logits') {
    for (let c = 0, k = first; c < classes; c++, k += inner) row[c] = logits[k]
    return
  }
  for (let c = 0; c < classes; c++) {
    const k = first + c * inner
    row[c] = isMasked(problem, r, k) ? -Infinity : logitOf(problem, k)
  }
}

/** Throws for the first weight that is none, and for the first logit that is NaN where it would be evaluated. */
export function checkNumbers(problem: Problem): void {
  const { outer, classes, inner, logits, weights } = problem
  const bad = weights === null ? -1 : weights.findIndex((weight) => !(weight >= 0 && weight < Infinity))
  if (weights !== null && bad >= 0) throw outOfRange(`weights[${bad}]`, weights[bad], 'a finite number >= 0, to weigh an example with')
  if (!logits.includes(NaN)) return
  for (let r = 0; r < outer * inner; r++) {
    for (let c = 0; c < classes; c++) {
      const k = firstOf(problem, r) + c * inner
      if (Number.isNaN(logits[k]) && weightOf(problem, r, k) > 0 && isValid(problem, r, k)) {
        throw outOfRange(`logits[${k}]`, NaN, 'a number, as NaN is neither above nor below a threshold')
      }
    }
  }
}
