/** Counts of examples on a slider: none, then 1 to 10 million in steps of a twentieth of a decade, rounded to two digits. */
import type { Parameter } from '../../app/store.js'

const LARGEST = 10_000_000

export function countParameter(initial: number): Parameter<number> {
  const parse = (text: string) => {
    const value = text === '' ? NaN : Number(text)
    return Number.isInteger(value) && value >= 0 && value <= LARGEST ? value : undefined
  }
  return { initial, parse, format: String }
}

/** The count at a place of the slider, 0 to 140. */
export function countAt(place: number): number {
  return place === 0 ? 0 : Math.round(Number((10 ** (place / 20)).toPrecision(2)))
}

/** The nearest place of a count. */
export function placeOf(count: number): number {
  return count === 0 ? 0 : Math.max(1, Math.round(20 * Math.log10(count)))
}
