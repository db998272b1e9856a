/** Cells of tables that hold numbers, or lists of them. */
import { counted } from '../../../errors.js'

/**
 * How many numbers the first cell has that is not null; 1 where there is none. Throws where it is an empty list, as there is nothing to read of the others then.
 *
 * @param at the cell of a row.
 * @param what the cell of a row, as messages call it.
 */
export function widthOf(rows: number, at: (row: number) => unknown, what: (row: number) => string): number {
  let row = 0
  while (row < rows && at(row) == null) row++
  const value = row < rows ? at(row) : null
  if (!isList(value)) return 1
  if (value.length === 0) throw new Error(`${what(row)} has an empty list; expected numbers`)
  return value.length
}

/** Writes a cell's numbers, and returns where the next go. A target that is null is NaN, and a list of them so many NaN. */
export function put(what: string, value: unknown, width: number, isTarget: boolean, to: Float64Array, at: number): number {
  const values = isList(value) ? value : value == null ? new Array<null>(width).fill(null) : [value]
  if (values.length !== width) throw new Error(`${what} has ${counted(values.length, 'number')}; expected ${width}, as in the first row`)
  for (let i = 0; i < values.length; i++) {
    const each = values[i]
    if (typeof each === 'number' || typeof each === 'bigint' || typeof each === 'boolean') to[at++] = Number(each)
    else if (each == null && isTarget) to[at++] = NaN
    else throw new Error(`${what} holds ${kindOf(each)}; expected a number`)
  }
  return at
}

function kindOf(value: unknown): string {
  if (value == null) return 'null'
  if (typeof value === 'string' || value instanceof Uint8Array) return 'text or bytes'
  if (value instanceof Date) return 'a date'
  return isList(value) ? 'lists of lists' : 'a record'
}

/** Bytes are none. */
function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof Uint8Array) && !(value instanceof DataView))
}
