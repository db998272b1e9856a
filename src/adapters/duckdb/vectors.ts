/**
 * DuckDB's vectors as arrays. `@duckdb/node-api` has the numbers of a vector, and where the lists of one are, in typed arrays that it does not declare; where
 * they are not there, every number is asked for alone, which says the same more slowly.
 */
import type { DuckDBListVector, DuckDBVector } from '@duckdb/node-api'

/** Rows of as many numbers each. Where a row is NULL, so is the result. */
export interface Run {
  readonly from: number
  readonly to: number
  /** 0: NULL. */
  readonly width: number
  /** Places in a list where a column has NULL: such a row is a run of its own. */
  readonly holes: readonly number[]
}

/** A column of numbers, or of lists of numbers. */
export interface Column {
  /** The numbers of some rows, one after another: all of the width that {@link widthAt} says. A view where that is possible, good until the next chunk. */
  read(from: number, to: number): Float32Array | Float64Array
  /** How many numbers a row has: 1 of what is no list, 0 of NULL or of an empty list. */
  widthAt(row: number): number
  /** Whether a row is NULL, which an empty list is not. */
  isNull(row: number): boolean
  /** The places of a row's list that are NULL; `null` where no list has any. */
  readonly holesOf: ((row: number) => readonly number[]) | null
  /** Whether all of some rows have so many. */
  isWhole(from: number, to: number, width: number): boolean
}

/** `vector` is of FLOAT, DOUBLE or BIGINT, or of lists of them. A NULL among the numbers of a list is NaN. */
export function columnOf(vector: DuckDBVector): Column {
  if (isList(vector)) {
    const child = numbersOf(vector.childVector)
    const [isNull, isHole] = [nullsOf(vector), nullsOf(vector.childVector)]
    const { offsetAt, lengthAt } = entriesOf(vector)
    const widthAt = (row: number) => (isNull(row) ? 0 : lengthAt(row))
    return {
      widthAt,
      isNull,
      holesOf: hasNone(vector.childVector) ? null : (row) => Array.from({ length: widthAt(row) }, (_, i) => i).filter((i) => isHole(offsetAt(row) + i)),
      isWhole: (from, to, width) => areAll(widthAt, from, to, width),
      read(from, to) {
        const width = widthAt(from)
        const start = offsetAt(from)
        let isWhole = true
        for (let row = from + 1; row < to && isWhole; row++) isWhole = offsetAt(row) === start + (row - from) * width
        if (isWhole) return child.subarray(start, start + (to - from) * width)
        const gathered = child instanceof Float32Array ? new Float32Array((to - from) * width) : new Float64Array((to - from) * width)
        for (let row = from; row < to; row++) gathered.set(child.subarray(offsetAt(row), offsetAt(row) + width), (row - from) * width)
        return gathered
      },
    }
  }
  const numbers = numbersOf(vector)
  const isNull = nullsOf(vector)
  const widthAt = (row: number) => (isNull(row) ? 0 : 1)
  const isPlain = hasNone(vector)
  return { widthAt, isNull, holesOf: null, isWhole: (from, to, width) => (isPlain ? width === 1 : areAll(widthAt, from, to, width)), read: (from, to) => numbers.subarray(from, to) }
}

function areAll(widthAt: (row: number) => number, from: number, to: number, width: number): boolean {
  for (let row = from; row < to; row++) if (widthAt(row) !== width) return false
  return true
}

/** The rows from 0 to `count` in runs of equal widths. */
export function* runsOf(columns: readonly Column[], count: number): Generator<Run & { readonly widths: readonly number[] }> {
  const holes = columns.flatMap(({ holesOf }) => holesOf ?? [])
  const holesAt = (row: number) => holes.flatMap((holesOf) => holesOf(row))
  const isWhole = (row: number) => holes.length === 0 || holesAt(row).length === 0
  let from = 0
  while (from < count) {
    const widths = columns.map((column) => column.widthAt(from))
    let to = from + 1
    while (to < count && isWhole(from) && columns.every((column, i) => column.widthAt(to) === widths[i]) && isWhole(to)) to++
    yield { from, to, width: widths.includes(0) ? 0 : widths[0], holes: holesAt(from), widths }
    from = to
  }
}

/** Writes numbers into a vector of FLOAT or DOUBLE, from its row `from` on. */
export function put(vector: DuckDBVector, from: number, numbers: ArrayLike<number>): void {
  const { items } = Object(vector) as { readonly items?: unknown }
  if (items instanceof Float32Array || items instanceof Float64Array) items.set(numbers, from)
  else for (let i = 0; i < numbers.length; i++) vector.setItem(from + i, numbers[i])
}

function isList(vector: DuckDBVector): vector is DuckDBListVector {
  return 'childVector' in vector
}

/** Where the lists of a vector begin in its child, and how long they are. */
function entriesOf(vector: DuckDBListVector): { readonly offsetAt: (row: number) => number; readonly lengthAt: (row: number) => number } {
  const { entryData } = Object(vector) as { readonly entryData?: unknown }
  if (!(entryData instanceof BigUint64Array)) return { offsetAt: (row) => vector.getEntryOffset(row), lengthAt: (row) => vector.getEntryLength(row) }
  // Halves of 64 bits, as bigints take ten times as long. A child of 2^32 numbers would not fit into an array
  const halves = new Uint32Array(entryData.buffer, entryData.byteOffset, 2 * entryData.length)
  return { offsetAt: (row) => halves[4 * row], lengthAt: (row) => halves[4 * row + 2] }
}

function numbersOf(vector: DuckDBVector): Float32Array | Float64Array {
  const { items } = Object(vector) as { readonly items?: unknown }
  const isPlain = hasNone(vector)
  if (isPlain && (items instanceof Float32Array || items instanceof Float64Array)) return items
  if (isPlain && items instanceof BigInt64Array) return Float64Array.from(items, Number)
  const numbers = items instanceof Float32Array ? new Float32Array(vector.itemCount) : new Float64Array(vector.itemCount)
  for (let i = 0; i < numbers.length; i++) {
    const item: unknown = vector.getItem(i)
    numbers[i] = item === null ? NaN : Number(item)
  }
  return numbers
}

function nullsOf(vector: DuckDBVector): (row: number) => boolean {
  return hasNone(vector) ? () => false : (row) => (isList(vector) ? vector.getItemVector(row) : vector.getItem(row)) === null
}

/** Whether a vector is known to have no NULL. */
function hasNone(vector: DuckDBVector): boolean {
  const { validity } = Object(vector) as { readonly validity?: { readonly data?: unknown } }
  return validity?.data === null
}
