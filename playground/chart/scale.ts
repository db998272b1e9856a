/** From values to pixels. */

export interface Axis {
  readonly title: string
  readonly from: number
  readonly to: number
  readonly kind: 'linear' | 'log'
  readonly ticks: readonly number[]
  format(tick: number): string
}

export function linear(title: string, from: number, to: number, step: number): Axis {
  const count = Math.round((to - from) / step)
  const ticks = Array.from({ length: count + 1 }, (_, i) => Number((from + i * step).toPrecision(12)))
  return { title, from, to, kind: 'linear', ticks, format: (tick) => tick.toLocaleString('en-GB', { maximumSignificantDigits: 3 }).replace('-', '−') }
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** Whole decades, a tick at every `each`. */
export function decades(title: string, low: number, high: number, each = 1): Axis {
  const ticks = Array.from({ length: Math.floor((high - low) / each) + 1 }, (_, i) => 10 ** (low + i * each))
  const format = (tick: number) => {
    const power = Math.round(Math.log10(tick))
    if (power >= -2 && power <= 3) return (10 ** power).toLocaleString('en-GB')
    return `10${String(power).replace('-', '⁻').replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)])}`
  }
  return { title, from: 10 ** low, to: 10 ** high, kind: 'log', ticks, format }
}

/** Where a value is between two pixels; beyond the axis it is at its end. */
export function place({ from, to, kind }: Axis, value: number, low: number, high: number): number {
  const share = kind === 'linear' ? (value - from) / (to - from) : Math.log(value / from) / Math.log(to / from)
  return Math.round((low + Math.min(1, Math.max(0, share)) * (high - low)) * 100) / 100
}

/** The value at a share of the axis. */
export function valueAt({ from, to, kind }: Axis, share: number): number {
  const inside = Math.min(1, Math.max(0, share))
  return kind === 'linear' ? from + inside * (to - from) : from * (to / from) ** inside
}
