/** Lines of text cut into cells, and cells as numbers. */

/** A line's cells, and its number in the file. */
export interface Line {
  readonly cells: readonly string[]
  readonly number: number
}

/** Between cells that are parted by blanks there may be several. */
export function cellsOf(record: readonly string[], delimiter: string): readonly string[] {
  return delimiter === ' ' ? record.filter((cell) => cell !== '') : record
}

/** `inf` as Python writes it, `Inf` as R does. */
const INFINITY = /^([+-]?)(inf|infinity)$/i
/** Where there is no value: of pandas, polars, R, SQL and spreadsheets. */
const MISSING = new Set(['', 'nan', '-nan', '+nan', 'na', 'n/a', '#n/a', '<na>', 'null', 'none', '-1.#ind', '1.#qnan'])
const DECIMAL_COMMA = /^[+-]?\d*,\d+(e[+-]?\d+)?$/i
const BOOLEANS: Readonly<Record<string, number>> = { true: 1, false: 0 }

export function isMissing(cell: string): boolean {
  return MISSING.has(cell.toLowerCase())
}

/** `True` and `False`, in any case. */
export function isBoolean(cell: string): boolean {
  return Object.hasOwn(BOOLEANS, cell.toLowerCase())
}

/** NaN for what is no number. */
export function numberOf(cell: string): number {
  const value = Number(cell)
  // Number takes hexadecimal too, and nothing for zero
  if (!Number.isNaN(value)) return cell === '' || (cell[0] === '0' && /^0[xbo]/i.test(cell)) ? NaN : value
  const [, sign, infinity] = INFINITY.exec(cell) ?? []
  if (infinity !== undefined) return sign === '-' ? -Infinity : Infinity
  if (DECIMAL_COMMA.test(cell)) return Number(cell.replace(',', '.'))
  return BOOLEANS[cell.toLowerCase()] ?? NaN
}
