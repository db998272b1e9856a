/** Converts what is read to targets: labels or class indices, and a mask for missing ones. */
import type { NumericArray, TargetKind } from 'focal-loss'
import { type ReadNumbers, shapeText } from './array_reader.js'
import type { Meaning } from './files.js'
import { rowOf, rowsOf, type Slices } from './slices.js'

interface Present {
  readonly targets: NumericArray
  /** Zero where there is no target; for each target, or for each row. */
  readonly mask?: Uint8Array
}

export interface Targets extends Present {
  readonly targetKind: TargetKind
}

export interface TargetReader {
  /** `firstRow` is the row that the numbers begin with. */
  read(numbers: ReadNumbers, firstRow: number): Targets
  /** Where another loss is usual for such targets. */
  readonly notes: readonly string[]
  /** Where both readings were possible, and nobody said which. */
  readonly warnings: readonly string[]
}

/** `integers` says whether they were written as such. */
export function targetReader(name: string, slices: Slices, integers: boolean, meaning: Meaning): TargetReader {
  const { rest, elements, targets } = slices
  const { targetKind: told, indexed, perRow, missing } = meaning
  const rows = rowsOf(slices)
  if (told === 'class-index' && targets !== rows) throw new Error(`${name} has a target for each logit; expected one for each row, as --target-kind is class-index`)
  if (told === 'labels' && targets !== elements) throw new Error(`${name} has a target for each row; expected one for each logit, as --target-kind is labels`)
  const open = told === undefined && elements === rows && indexed === true
  const targetKind = told ?? (elements === rows ? (open && integers ? 'class-index' : 'labels') : targets === rows ? 'class-index' : 'labels')
  const rowAt = (k: number) => (targets === rows ? k : rowOf(slices, k))
  return {
    read(numbers, firstRow) {
      const present = withoutMissing(numbers)
      const { mask } = present
      if (mask !== undefined && missing !== true) {
        throw new Error(`${name} has no target in row ${firstRow + rowAt(mask.indexOf(0))} (NaN, null or an empty cell); expected a number, or --ignore-index NaN, which leaves such targets out`)
      }
      const read = mask !== undefined && perRow === true && targets !== rows ? { ...present, mask: ofRows(slices, mask) } : present
      if (targetKind === 'labels') return { ...read, targetKind }
      return { ...read, targetKind, targets: toIndices(read.targets, (k, value) => `${name} has the target ${value} in row ${firstRow + k}; expected the index of a class, as the logits are ${shapeText(['rows', ...rest])}`) }
    },
    // With a background, it is a detector
    notes: targetKind === 'class-index' && elements > rows && perRow !== true && indexed !== true ? [`${name} has a class index per row: say --loss softmax if the model ends in a softmax`] : [],
    warnings: open ? [`targets of ${name} are read as ${integers ? 'class indices, being integers' : 'labels, being no integers'} (--target-kind says which they are)`] : [],
  }
}

/** With 0 in place of NaN, and a mask that says where. */
function withoutMissing(numbers: ReadNumbers): Present {
  if (!(numbers instanceof Float32Array || numbers instanceof Float64Array) || !numbers.includes(NaN)) return { targets: numbers }
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
