/** The interface of every file reader: numbers in rows, in order. */
import type { TakenColumns } from './columns.js'

/** What readers deliver: 64-bit integers come as doubles, half floats as floats, booleans as bytes. */
export type ReadNumbers =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array

export interface ArrayReader {
  /** As messages call it. */
  readonly name: string
  /** The size of the first axis; `null` where only the end of the file will tell. */
  readonly rows: number | null
  /** The sizes of the other axes. */
  readonly rest: readonly number[]
  /** Whether its numbers, in a table those of the targets, were written as integers: class indices, where labels may be meant too. */
  readonly integers: boolean
  /** Of a table. */
  readonly taken?: TakenColumns
  /** Whether numbers can be read in any portions, not only in rows. */
  readonly flat: boolean
  /** The next `count` numbers, fewer at the end. What is returned is only good until the next call. */
  read(count: number): Promise<ReadNumbers>
  /** How much has been read, from 0 to 1. */
  progress(): number
  close(): Promise<void>
}

/** A table, of which each row holds the logits first and then the targets. */
export interface TableReader extends ArrayReader {
  /** How many numbers of a row are logits. */
  readonly logits: number
  readonly taken: TakenColumns
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1)
}

/** `[100, 80]`, as messages show it. */
export function shapeText(shape: readonly (number | string)[]): string {
  return `[${shape.join(', ')}]`
}
