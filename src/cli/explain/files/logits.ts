/** Converts what is read to logits: probabilities become logits. */
import type { Logits } from 'focal-loss'
import type { ReadNumbers } from './array_reader.js'
import type { Meaning } from './files.js'
import { rowOf, type Slices } from './slices.js'

/** By how much a probability may be out of 0..1, and a row's sum from 1. */
const ROUNDING = 1e-6
const UNSURE_SUM = 1e-3

/** The nearest to 0 and 1 that there is between them, in single and in double precision. */
const LEAST = { single: 2 ** -149, double: 2 ** -1074 }
const GREATEST = { single: 1 - 2 ** -24, double: 1 - 2 ** -53 }

/** `firstRow` is the row that the numbers begin with. */
export type ReadLogits = (numbers: ReadNumbers, firstRow: number) => Logits

export function logitReader(name: string, slices: Slices, { inputs, perRow }: Meaning): ReadLogits {
  return inputs === 'probabilities' ? (numbers, firstRow) => logitsOf(name, numbers, firstRow, slices, perRow === true) : toLogits
}

/** What is said of a file whose logits are all from 0 to 1. */
export function mayBeProbabilities(file: string): string {
  return `all logits of ${file} are from 0 to 1: if they are probabilities, say --inputs probabilities`
}

function logitsOf(name: string, numbers: ReadNumbers, firstRow: number, slices: Slices, perRow: boolean): Float64Array {
  const precision = numbers instanceof Float64Array ? 'double' : 'single'
  const sums = new Float64Array(numbers.length / slices.rest[slices.classAxis - 1])
  const logits = Float64Array.from(numbers, (given, k) => {
    if (!(given >= -ROUNDING && given <= 1 + ROUNDING)) throw new Error(`${name} has the probability ${given} in row ${firstRow + rowOf(slices, k)}; expected a number from 0 to 1`)
    sums[rowOf(slices, k)] += given
    const p = Math.min(GREATEST[precision], Math.max(LEAST[precision], given))
    return perRow ? Math.log(p) : Math.log(p) - Math.log1p(-p)
  })
  const off = perRow ? sums.findIndex((sum) => Math.abs(sum - 1) > UNSURE_SUM) : -1
  if (off >= 0) throw new Error(`${name} has probabilities that sum to ${Number(sums[off].toPrecision(6))} in row ${firstRow + off}; expected 1, as they are those of the classes of a softmax`)
  return logits
}

function toLogits(numbers: ReadNumbers): Logits {
  if (numbers instanceof Float32Array || numbers instanceof Float64Array) return numbers
  return numbers.BYTES_PER_ELEMENT < 4 ? Float32Array.from(numbers) : Float64Array.from(numbers)
}
