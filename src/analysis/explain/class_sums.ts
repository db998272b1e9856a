/** Sums over the logits of each class. */
import type { Logits } from '../../arrays/logits.js'
import type { Problem } from '../../problem/problem.js'
import { LEFT_OUT } from '../labels.js'
import { LIMIT, type Moments } from './moments.js'

/** Logits of which the classes are told apart in one go. */
const STRETCH = 1 << 14

/** How many powers are summed up of a class's logits. */
export const CLASS_ORDER = 6

/** Logits and what they are, in the order of memory: those of an element-wise loss, or one for each row of a softmax. */
export interface LogitExamples {
  readonly logits: Logits
  /** As labels.ts has them. */
  readonly labels: Uint8Array
  /** Which they are of. */
  readonly problem: Problem
}

/** Class after class, some rows at a time: those are read from a near cache then, and a class's slots are in the nearest. */
export function addByClass(coarse: Moments, examples: LogitExamples, perRow: boolean): void {
  const { outer, classes, inner } = examples.problem
  if (perRow) {
    addClass(coarse, examples, 0, examples.logits.length, 1, null)
    return
  }
  const slice = classes * inner
  const step = Math.max(1, Math.floor(STRETCH / slice))
  for (let from = 0; from < outer; from += step) {
    const to = Math.min(outer, from + step)
    for (let c = 0; c < classes; c++) {
      if (inner === 1) addClass(coarse, examples, from * slice + c, to * slice, slice, c)
      else for (let o = from; o < to; o++) addClass(coarse, examples, o * slice + c * inner, o * slice + (c + 1) * inner, 1, c)
    }
  }
}

/** Examples `step` apart, of class `c`, or of the class that is the target. */
function addClass(coarse: Moments, { logits, labels, problem: { targets } }: LogitExamples, from: number, to: number, step: number, c: number | null): void {
  const { places, width, perUnit } = coarse
  let { sums } = coarse
  const whole = () => 0
  for (let k = from; k < to; k += step) {
    const label = labels[k]
    if (label === LEFT_OUT) continue
    const x = logits[k]
    const t = (x + LIMIT) * perUnit
    if (!(t >= 0 && t < width)) continue
    const middle = t | 0
    const slot = (2 * (c ?? targets[k]) + label) * width + middle
    let at = places[slot]
    if (at === 0) {
      at = coarse.placeOf(slot, x, whole)
      sums = coarse.sums
    }
    const d = t - middle - 0.5
    const square = d * d
    const cube = square * d
    sums[at]++
    sums[at + 1] += d
    sums[at + 2] += square
    sums[at + 3] += cube
    sums[at + 4] += square * square
    sums[at + 5] += square * cube
  }
}
