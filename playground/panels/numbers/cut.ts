/** Precision, recall and F1 at a threshold, from the points of `evaluate`. */
import type { PrecisionRecallPoint, Scores } from 'focal-loss'

export interface CutResult {
  readonly precision: number
  readonly recall: number
  readonly f1: number
}

/** The points are thinned: precision and recall are at most 1/200 off. */
export function cutAt({ precisionRecall }: Pick<Scores, 'precisionRecall'>, threshold: number): CutResult {
  // From above every score downwards: the last that is still at least the threshold
  const point = precisionRecall.findLast(({ probability }: PrecisionRecallPoint) => probability === null || probability >= threshold)
  const { precision, recall } = point ?? { precision: 1, recall: 0 }
  return { precision, recall, f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall) }
}
