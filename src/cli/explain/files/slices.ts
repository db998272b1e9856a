/** How slices of the first axis make up chunks. */
import { product } from './array_reader.js'

export interface Slices {
  /** The other axes. */
  readonly rest: readonly number[]
  /** Counted from 1 on, as the first axis comes before. */
  readonly classAxis: number
  /** Numbers of a slice: logits, and targets. */
  readonly elements: number
  readonly targets: number
}

/** Rows of a slice. */
export function rowsOf({ rest, classAxis }: Slices): number {
  return product(rest.filter((_, axis) => axis !== classAxis - 1))
}

/** The row of the logit k, counted from the first of a chunk. */
export function rowOf({ rest, classAxis }: Slices, k: number): number {
  const inner = product(rest.slice(classAxis))
  return Math.floor(k / (rest[classAxis - 1] * inner)) * inner + (k % inner)
}
