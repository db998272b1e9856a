/** Adds all data of a source to the explainer and the evaluator, in pieces. Runs in pages too. */
import type { CallOptions, Logits, Targets } from 'focal-loss'
import { reasonOf } from '../../errors.js'
import type { Chunk, Source } from './files/chunks.js'

/** An explainer, an evaluator. */
interface Adding {
  add(logits: Logits, targets: Targets, call: CallOptions): unknown
}

/** A share of the file: chunks that begin from here, and before there. */
interface Share {
  readonly from: number
  readonly to: number
}

/** `file` is for messages; `advanced` hears what share has been read. */
export async function addAll(to: readonly Adding[], source: Source, file: string, advanced: (share: number) => void, share: Share = { from: 0, to: 1 }): Promise<void> {
  let begun = 0
  for (let chunk = await source.read(); chunk !== undefined; chunk = await source.read()) {
    if (begun >= share.to) return
    const isOwn = begun >= share.from
    begun = source.progress()
    if (!isOwn) continue
    const { logits, targets, targetKind, mask, shape, classAxis } = chunk
    try {
      for (const each of to) each.add(logits, targets, { shape, classAxis, targetKind, mask })
    } catch (error) {
      throw new Error(whereabouts(file, chunk) + reasonOf(error), { cause: error })
    }
    advanced(source.progress())
  }
}

/** The library counts from the beginning of the chunk. */
function whereabouts(file: string, { firstRow }: Chunk): string {
  return firstRow === 0 ? `${file}: ` : `${file}, counted from row ${firstRow} on: `
}
