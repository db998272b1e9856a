/** Order statistics of timings. Noise only adds time, so means and deviations would mostly describe other processes. */

/** What is kept of a sample. */
export interface Summary {
  readonly samples: number
  readonly minimum: number
  readonly lowerQuartile: number
  readonly median: number
  readonly upperQuartile: number
}

export function summarise(sample: readonly number[]): Summary {
  if (sample.length === 0) throw new RangeError('the sample is empty; expected at least one timing')
  const sorted = [...sample].sort((a, b) => a - b)
  return {
    samples: sorted.length,
    minimum: sorted[0],
    lowerQuartile: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    upperQuartile: quantile(sorted, 0.75),
  }
}

/** The quantile of ascending values, linear between neighbours (type 7 of Hyndman and Fan, as in R and NumPy). */
function quantile(sorted: readonly number[], fraction: number): number {
  const at = (sorted.length - 1) * fraction
  const below = sorted[Math.floor(at)]
  const above = sorted[Math.ceil(at)]
  return below + (at - Math.floor(at)) * (above - below)
}
