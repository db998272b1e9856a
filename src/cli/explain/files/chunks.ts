/** Logits and targets in pieces that a call of a loss takes. */
import type { Logits } from 'focal-loss'
import type { ReadNumbers } from './array_reader.js'
import type { TakenColumns } from './columns.js'
import type { Meaning } from './files.js'
import { logitReader } from './logits.js'
import { rowsOf, type Slices } from './slices.js'
import { type Targets, targetReader } from './targets.js'

/** What a call of a loss takes. Good until the next is read. */
export interface Chunk extends Targets {
  readonly logits: Logits
  readonly shape: number[]
  readonly classAxis: number
  /** The row it begins with. */
  readonly firstRow: number
}

export interface Source {
  /** Logits a row. */
  readonly classes: number
  /** What was taken of the tables among the files, by their names. */
  readonly taken: ReadonlyMap<string, TakenColumns>
  /** The next chunk; none at the end. */
  read(): Promise<Chunk | undefined>
  /** What is to be said of the targets. */
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
  /** From 0 to 1. */
  progress(): number
  close(): Promise<void>
}

/** Where the numbers of a source come from. */
export interface Parts extends Pick<Source, 'taken' | 'progress' | 'close'> {
  readonly names: { readonly logits: string; readonly targets: string }
  /** Whether the targets were written as integers. */
  readonly integers: boolean
  /** The next slices: at most `most`, none at the end. */
  next(most: number): Promise<{ readonly logits: ReadNumbers; readonly targets: ReadNumbers }>
}

/** Logits in a chunk. Large enough for all threads of a backend, small enough to be nothing. */
const CHUNK = 1 << 18

export function sourceOf(slices: Slices, parts: Parts, meaning: Meaning): Source {
  const { rest, classAxis, elements } = slices
  const { names, integers, taken, progress, close } = parts
  const toLogits = logitReader(names.logits, slices, meaning)
  const toTargets = targetReader(names.targets, slices, integers, meaning)
  const most = Math.max(1, Math.floor(CHUNK / Math.max(1, elements)))
  let firstRow = 0
  return {
    taken,
    progress,
    close,
    classes: rest[classAxis - 1],
    notes: toTargets.notes,
    warnings: toTargets.warnings,
    async read() {
      if (elements === 0) return undefined
      const { logits, targets } = await parts.next(most)
      const count = logits.length / elements
      if (count === 0) return undefined
      const chunk = { logits: toLogits(logits, firstRow), ...toTargets.read(targets, firstRow), shape: [count, ...rest], classAxis, firstRow }
      firstRow += count * rowsOf(slices)
      return chunk
    },
  }
}
