/** What is read of targets as a loss takes it: labels or class indices, and a mask where there are none. */
import type { NumericArray } from 'focal-loss'
import type { ReadNumbers } from './array_reader.js'
import type { Meaning } from './files.js'
import { rowOf, rowsOf, type Slices } from './slices.js'

interface Read {
  readonly targets: NumericArray
  /** Zero where there is no target; for each target, or for each row. */
  readonly mask?: Uint8Array
}

/** `integers` says whether they were written as such; `shape` is that of the logits, for messages. */
export function targetReader(name: string, slices: Slices, integers: boolean, meaning: Meaning, shape: string): (numbers: ReadNumbers, firstRow: number) => Read {
  const { elements, targets } = slices
  const rows = rowsOf(slices)
  const indexed = areIndices(name, slices, integers, meaning)
  return (numbers, firstRow) => {
    const present = numbers instanceof Float32Array || numbers instanceof Float64Array ? withoutMissing(numbers) : { targets: numbers }
    const { mask } = present
    if (mask !== undefined && meaning.missing !== true) {
      throw new Error(`${name} has no target in row ${firstRow + (targets === rows ? mask.indexOf(0) : rowOf(slices, mask.indexOf(0)))} (NaN, null or an empty cell); expected a number, or --ignore-index NaN, which leaves such targets out`)
    }
    const read = { ...present, ...(mask !== undefined && meaning.perRow === true && targets === elements && targets !== rows ? { mask: ofRows(slices, mask) } : {}) }
    return indexed ? { ...read, targets: toIndices(read.targets, (k, value) => `${name} has the target ${value} in row ${firstRow + k}; expected the index of a class, as the logits are ${shape}`) } : read
  }
}

function areIndices(name: string, slices: Slices, integers: boolean, { targetKind, indexed }: Meaning): boolean {
  const { elements, targets } = slices
  const rows = rowsOf(slices)
  if (targetKind === 'class-index' && targets !== rows) throw new Error(`${name} has a target for each logit; expected one for each row, as --target-kind is class-index`)
  if (targetKind === 'labels' && targets !== elements) throw new Error(`${name} has a target for each row; expected one for each logit, as --target-kind is labels`)
  if (elements !== rows) return targets === rows
  return targetKind === 'class-index' || (targetKind === undefined && indexed === true && integers)
}

/** With 0 in place of NaN, and a mask that says where. */
function withoutMissing(numbers: Float32Array | Float64Array): Read {
  if (!numbers.some(Number.isNaN)) return { targets: numbers }
  return { targets: numbers.map((value) => (Number.isNaN(value) ? 0 : value)), mask: Uint8Array.from(numbers, (value) => (Number.isNaN(value) ? 0 : 1)) }
}

/** A row of labels of which one is missing says nothing of the others. */
function ofRows(slices: Slices, mask: Uint8Array): Uint8Array {
  const rows = new Uint8Array((mask.length / slices.elements) * rowsOf(slices)).fill(1)
  mask.forEach((present, k) => {
    if (present === 0) rows[rowOf(slices, k)] = 0
  })
  return rows
}

/** Class indices, whatever type they were kept in. */
function toIndices(numbers: NumericArray, refusal: (k: number, value: number) => string): NumericArray {
  if (!(numbers instanceof Float32Array || numbers instanceof Float64Array)) return numbers
  const bad = numbers.findIndex((value) => (value | 0) !== value)
  if (bad >= 0) throw new Error(refusal(bad, numbers[bad]))
  return Int32Array.from(numbers)
}
