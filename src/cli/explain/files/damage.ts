/** What is wrong with a file, in parentheses after the sentence that says so. */
import { reasonOf } from '../../../errors.js'

/** A decoder's reason, in one line. What the engine says where a decoder came upon what it did not expect would tell a user nothing. */
export function damageOf(error: unknown): string {
  if (error instanceof RangeError && /allocat/i.test(error.message)) return 'there is no memory for it'
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) return 'what it says of its contents makes no sense'
  return reasonOf(error).replaceAll(/\s+/g, ' ')
}

/** What a byte may become: a run of Zstandard, matches of LZ4 and deflate, a copy of Snappy. More is damage, and would be memory. */
const MOST = { zstd: 1 << 15, deflate: 1032, lz4: 256, snappy: 32 }

/** The length that a file announces of what so many bytes are when they are no longer compressed. Throws where they cannot be as many. */
export function expectLength(bytes: number, length: number, codec: keyof typeof MOST): number {
  if (!(length >= 0 && length <= bytes * MOST[codec])) throw new Error(`${bytes} compressed bytes are said to hold ${length}`)
  return length
}
