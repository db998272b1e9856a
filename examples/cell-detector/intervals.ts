/** Student's t at 0.975 for 1, 2, ... degrees of freedom. */
const T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074,
  2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045,
]
const T_OF_MANY = 2.04

/** A mean and the half-width of its 95 % confidence interval. */
export interface Interval {
  readonly mean: number
  readonly half: number
}

/** Over seeds, by Student's t: at least two values, taken for independent and about normal. */
export function intervalOf(values: readonly number[]): Interval {
  const { length } = values
  if (length < 2) throw new RangeError(`values has ${length} numbers; an interval needs at least 2`)
  const mean = values.reduce((a, b) => a + b, 0) / length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (length - 1)
  return { mean, half: (T[length - 2] ?? T_OF_MANY) * Math.sqrt(variance / length) }
}

/** Of `a[i] - b[i]`: what is the same for both, such as the weights at the start, takes no part in it. */
export function pairedInterval(a: readonly number[], b: readonly number[]): Interval {
  if (a.length !== b.length) throw new RangeError(`a has ${a.length} numbers and b ${b.length}; pairs need as many`)
  return intervalOf(a.map((value, i) => value - b[i]))
}

export function formatInterval({ mean, half }: Interval, digits: number): string {
  return `${mean.toFixed(digits)} ± ${half.toFixed(digits)}`
}

/** With its sign, as differences are. */
export function formatDifference(interval: Interval, digits: number): string {
  return (interval.mean >= 0 ? '+' : '') + formatInterval(interval, digits)
}
