/** Numbers as the page shows them. */
import { significant } from '../../src/cli/output/numbers.js'

export { significant }

/** Four decimals; three digits where these would show less: 0.0513, 2.3026, 0.00105, 3.1e-7. */
export function decimals(value: number): string {
  if (value === 0 || Math.abs(value) >= 0.01) return signed(value.toFixed(4))
  return signed(Math.abs(value) < 1e-4 ? value.toExponential(1) : value.toPrecision(3))
}

/** A total: all digits before the point, three significant ones below 100. */
export function total(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(2) : significant(value)
}

/** A share from 0 to 1: whole per cent, with decimals where these tell something. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0005) return '< 0.1 %'
  const per100 = 100 * share
  const size = Math.abs(per100)
  // Nearly all is not all
  if (size > 99 && size < 100) return `${signed((Math.trunc(10 * per100) / 10).toFixed(1))} %`
  return `${signed(per100.toFixed(size > 0 && size < 9.95 ? 1 : 0))} %`
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-GB')
}

/** With a sign that is as wide as a plus. */
export function signed(text: string): string {
  return text.replace('-', '−')
}
