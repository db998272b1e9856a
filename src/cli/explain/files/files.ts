/** Where and how logits and targets are read, as given on the command line or in a page. */
import type { ArrayReader, TableReader } from './array_reader.js'
import type { ColumnChoice, Role } from './columns.js'
import type { NpyOptions } from './npy.js'
import type { BitsDtype } from './npy_items.js'

export interface OpenOptions extends ColumnChoice {
  /** The names of the arrays in .npz files. */
  readonly arrays: { readonly logits: string; readonly targets: string }
}

/** Where files are: on a disk, or given to a page. */
export interface Files {
  /** Throws a sentence where there is no such file. */
  expect(name: string): Promise<void>
  /** The logits or the targets; `npy` is for files that have a shape. */
  openArray(name: string, role: 'logits' | 'targets', options: OpenOptions, npy: NpyOptions): Promise<ArrayReader>
  /** A table of which rows hold logits, targets or both. */
  openTable(name: string, role: Role, options: OpenOptions): Promise<TableReader>
}

/** What the numbers of a file mean. */
export interface Meaning {
  /** Logits, unless this says probabilities. */
  readonly inputs?: 'logits' | 'probabilities'
  /** Whether a row of probabilities is those of one class each, and sums to 1. */
  readonly perRow?: boolean
  /** Decides where both readings are possible. */
  readonly targetKind?: 'labels' | 'class-index'
  /** Whether integers are class indices where there is one class, if nothing else decides: where there is a background. */
  readonly indexed?: boolean
  /** Whether a target that is NaN, null or an empty cell means that there is none: otherwise it is an error. */
  readonly missing?: boolean
}

export interface SourceOptions extends OpenOptions, Meaning {
  readonly file: string
  /** The file of the targets, where it is another. */
  readonly targets?: string
  /** Of the logits, in place of the file's own. */
  readonly shape?: readonly number[]
  readonly classAxis?: number
  /** What the bits of the logits are. */
  readonly dtype?: BitsDtype
}
