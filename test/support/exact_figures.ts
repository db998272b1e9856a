/** What `evaluate` should find, worked out plainly: every example in a list, sorted. */

export interface Scored {
  readonly p: number
  /** 1 - p, where that is more than rounding. */
  readonly q: number
  /** What they are sorted by. */
  readonly order: number
  readonly positive: boolean
}

/** Average precision, ROC area, Brier score, log loss and calibration error (equal width). */
export function exactFigures(examples: readonly Scored[], bins: number) {
  const sorted = [...examples].sort((a, b) => b.order - a.order)
  const positives = sorted.filter(({ positive }) => positive).length
  const negatives = sorted.length - positives
  let [found, wrong, averagePrecision, area] = [0, 0, 0, 0]
  for (let i = 0; i < sorted.length; ) {
    const { order } = sorted[i]
    let [up, down] = [0, 0]
    for (; i < sorted.length && sorted[i].order === order; i++) {
      if (sorted[i].positive) up++
      else down++
    }
    area += up * (negatives - wrong - down / 2)
    found += up
    wrong += down
    averagePrecision += (up / positives) * (found / (found + wrong))
  }
  const mean = (of: (each: Scored) => number) => sorted.reduce((sum, each) => sum + of(each), 0) / sorted.length
  const off = Array.from({ length: bins }, () => 0)
  for (const { p, positive } of sorted) off[Math.max(0, Math.ceil(p * bins) - 1)] += (positive ? 1 : 0) - p
  return {
    averagePrecision,
    rocAuc: area / positives / negatives,
    brier: mean(({ p, positive }) => (p - (positive ? 1 : 0)) ** 2),
    logLoss: mean(({ p, q, positive }) => -Math.log(positive ? p : q)),
    calibrationError: off.reduce((sum, each) => sum + Math.abs(each), 0) / sorted.length,
  }
}
