/** Explains all that a source has, piece by piece. Runs in pages too. */
import type { Explainer } from 'focal-loss'
import { reasonOf } from '../../errors.js'
import type { Chunk, Source } from './files/chunks.js'

/** `file` is for messages; `advanced` hears what share has been read. */
export async function addAll(explainer: Explainer, source: Source, file: string, advanced: (share: number) => void): Promise<void> {
  for (let chunk = await source.read(); chunk !== undefined; chunk = await source.read()) {
    const { logits, targets, targetKind, mask, shape, classAxis } = chunk
    try {
      explainer.add(logits, targets, { shape, classAxis, targetKind, mask })
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
