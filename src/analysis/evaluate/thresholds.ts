/** Decision thresholds. */
import type { Cut, Threshold, Thresholds } from './evaluation.js'
import type { Groups } from './groups.js'
import type { ThresholdQuestions } from './options.js'

/** The cut above every score. */
export const above: Cut = { probability: null, logit: null }

/** The share of positives among those that are decided to be; of none, none is wrong. */
export function precisionOf(found: number, wrong: number): number {
  return found + wrong > 0 ? found / (found + wrong) : 1
}

/** `all` is the weight of the positives, above 0. */
export function thresholdsOf(groups: Groups, all: number, { recall, precision, cost }: ThresholdQuestions): Thresholds {
  // What a cut finds, and what it finds in error, by weight; the first is above every score
  const { length, positives, negatives } = groups
  const [found, wrong] = [new Float64Array(length + 1), new Float64Array(length + 1)]
  for (let i = 0; i < length; i++) {
    found[i + 1] = found[i] + positives[i]
    wrong[i + 1] = wrong[i] + negatives[i]
  }
  const f1Of = (at: number) => (2 * found[at]) / (found[at] + wrong[at] + all)
  const thresholdOf = (at: number): Threshold => ({
    ...(at === 0 ? above : groups.cut(at - 1)),
    precision: precisionOf(found[at], wrong[at]),
    recall: found[at] / all,
    f1: f1Of(at),
  })
  const firstOfLeast = (of: (at: number) => number) => {
    let best = 0
    for (let at = 1; at <= length; at++) if (of(at) < of(best)) best = at
    return best
  }
  return {
    bestF1: thresholdOf(firstOfLeast((at) => -f1Of(at))),
    recall: recall.map((atLeast) => ({ atLeast, cut: thresholdOf(found.findIndex((each) => each / all >= atLeast)) })),
    precision: precision.map((atLeast) => {
      const last = found.findLastIndex((each, at) => each > 0 && precisionOf(each, wrong[at]) >= atLeast)
      return { atLeast, cut: last < 0 ? null : thresholdOf(last) }
    }),
    cost: cost.map(({ falsePositive, falseNegative }) => {
      const totalOf = (at: number) => falsePositive * wrong[at] + falseNegative * (all - found[at])
      const best = firstOfLeast(totalOf)
      return { falsePositive, falseNegative, total: totalOf(best), cut: thresholdOf(best) }
    }),
  }
}
