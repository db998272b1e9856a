/** Numbers and times as tables and charts show them. */

/** 1234567.8 as '1,234,568', 0.0123 as '0.0123': three significant digits, and all digits before the point. */
export function significant(value: number): string {
  return value.toLocaleString('en-US', value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 })
}

export function duration(seconds: number): string {
  if (seconds < 1e-3) return `${significant(seconds * 1e6)} us`
  return seconds < 1 ? `${significant(seconds * 1e3)} ms` : `${significant(seconds)} s`
}
