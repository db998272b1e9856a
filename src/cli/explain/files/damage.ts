/** What is wrong with a file, in parentheses after the sentence that says so. */
import { reasonOf } from '../../../errors.js'

/** A decoder's reason, in one line. What the engine says where a decoder came upon what it did not expect would tell a user nothing. */
export function damageOf(error: unknown): string {
  if (error instanceof RangeError && /allocat/i.test(error.message)) return 'there is no memory for it'
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) return 'what it says of its contents makes no sense'
  return reasonOf(error).replaceAll(/\s+/g, ' ')
}

/** What a byte may become: a run of Zstandard, a match of LZ4, a copy of Snappy. More is damage, and would be memory. */
const MOST = { zstd: 1 << 15, lz4: 256, snappy: 32 }

/** The length that a file announces of what is compressed in it. Throws where that many bytes cannot be. */
export function expectLength(input: Uint8Array, length: number, codec: keyof typeof MOST): number {
  if (!(length >= 0 && length <= input.length * MOST[codec])) throw new Error(`a buffer of ${input.length} bytes is said to hold ${length}`)
  return length
}
