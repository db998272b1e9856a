/**
 * A few metrics of `evaluate`, in a twentieth of its time, because the panel computes them many times per second.
 */

/** One point of the precision-recall curve: everything with a score of at least `threshold` is called positive. */
export interface CurvePoint {
  readonly threshold: number
  readonly precision: number
  readonly recall: number
}

/**
 * The precision-recall curve from the highest score down, one point for every different score that a positive has.
 * Equal scores enter together, so their order cannot matter. Recall changes only at these points, so nothing is lost.
 */
export function precisionRecallCurve(scores: Float32Array, targets: Uint8Array): CurvePoint[] {
  const positives = scores.filter((_, i) => targets[i] === 1).sort()
  const negatives = scores.filter((_, i) => targets[i] !== 1).sort()
  const curve: CurvePoint[] = []
  let falsePositives = 0
  for (let next = positives.length - 1; next >= 0; ) {
    const threshold = positives[next]
    while (next >= 0 && positives[next] === threshold) next--
    while (falsePositives < negatives.length && negatives[negatives.length - 1 - falsePositives] >= threshold) falsePositives++
    const truePositives = positives.length - 1 - next
    curve.push({ threshold, precision: truePositives / (truePositives + falsePositives), recall: truePositives / positives.length })
  }
  return curve
}

/** Average precision: the sum over the curve of precision times the gain in recall (no interpolation). */
export function averagePrecision(curve: readonly CurvePoint[]): number {
  let sum = 0
  let reached = 0
  for (const { precision, recall } of curve) {
    sum += precision * (recall - reached)
    reached = recall
  }
  return sum
}

export function f1({ precision, recall }: Pick<CurvePoint, 'precision' | 'recall'>): number {
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall)
}

/** The threshold with the highest F1 on this curve. */
export function bestThreshold(curve: readonly CurvePoint[]): number {
  const [first, ...rest] = curve
  if (first === undefined) throw new RangeError('the curve is empty: there are no positives')
  return rest.reduce((best, point) => (f1(point) > f1(best) ? point : best), first).threshold
}

/** What comes of a threshold. */
export interface Decided {
  /** The score from which on a point is called positive. */
  readonly threshold: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
}

export function decide(scores: Float32Array, targets: Uint8Array, threshold: number): Decided {
  let [found, called, positives] = [0, 0, 0]
  for (let i = 0; i < scores.length; i++) {
    const positive = targets[i] === 1
    if (positive) positives++
    if (scores[i] < threshold) continue
    called++
    if (positive) found++
  }
  const [precision, recall] = [called === 0 ? 0 : found / called, positives === 0 ? 0 : found / positives]
  return { threshold, precision, recall, f1: f1({ precision, recall }) }
}
