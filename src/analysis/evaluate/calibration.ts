/** Calibration errors: the difference between scores and rates, in bins. */
import type { ReliabilityBin } from './evaluation.js'
import type { Groups } from './groups.js'

/** What a bin holds, by weight. */
interface Sums {
  count: number
  positives: number
  weight: number
  scores: number
}

function addTo(sums: Sums, count: number, positives: number, negatives: number, p: number): void {
  const weight = positives + negatives
  sums.count += count
  sums.positives += positives
  sums.weight += weight
  sums.scores += weight * p
}

const emptyBins = (bins: number) => Array.from({ length: bins }, (): Sums => ({ count: 0, positives: 0, weight: 0, scores: 0 }))

/** Bins of equal width. */
export function reliabilityOf(groups: Groups, bins: number): { readonly bin: ReliabilityBin; readonly sums: Sums }[] {
  const all = emptyBins(bins)
  const { length, counts, positives, negatives } = groups
  for (let i = 0; i < length; i++) {
    const p = groups.p[i]
    let at = Math.max(0, Math.ceil(p * bins) - 1)
    // A product may be a last digit off the edge that it should be on
    if (p <= at / bins && at > 0) at--
    else if (p > (at + 1) / bins) at++
    addTo(all[at], counts[i], positives[i], negatives[i], p)
  }
  return all.map((sums, i) => {
    const { weight } = sums
    const isEmpty = weight === 0
    return { sums, bin: { from: i / bins, to: (i + 1) / bins, count: sums.count, meanScore: isEmpty ? null : sums.scores / weight, rate: isEmpty ? null : sums.positives / weight } }
  })
}

/** The mean of |rate - mean score|, by weight; `null` of nothing. */
export function calibrationErrorOf(bins: readonly Sums[]): number | null {
  const weight = bins.reduce((sum, bin) => sum + bin.weight, 0)
  return weight > 0 ? bins.reduce((sum, { positives, scores }) => sum + Math.abs(positives - scores), 0) / weight : null
}

/**
 * The same over bins of equal weight. A bin begins behind a quantile, that of NumPy for equal weights, so that equal scores stay together; as
 * `calibration_curve(strategy='quantile')` of scikit-learn.
 */
export function adaptiveCalibrationErrorOf(groups: Groups, bins: number): number | null {
  const all = emptyBins(bins)
  const { length, counts, positives, negatives, p } = groups
  let [weight, count] = [0, 0]
  for (let i = 0; i < length; i++) {
    weight += positives[i] + negatives[i]
    count += counts[i]
  }
  // The distance between the first and the last
  const range = weight - weight / count
  let [before, at] = [0, 0]
  for (let i = length - 1; i >= 0; i--) {
    while (at < bins - 1 && before > range * ((at + 1) / bins)) at++
    addTo(all[at], counts[i], positives[i], negatives[i], p[i])
    before += positives[i] + negatives[i]
  }
  return calibrationErrorOf(all)
}
