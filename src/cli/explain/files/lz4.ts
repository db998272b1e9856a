/**
 * LZ4 blocks, and what Parquet makes of them: LZ4_RAW is one block; LZ4, which is deprecated, is blocks in the framing of Hadoop or, of some
 * writers, one block too. https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md, https://parquet.apache.org/docs/file-format/data-pages/compression/
 * Written here because a damaged file must be an error: hyparquet-compressors 1.1.2 returns zeros for what a block that is cut off lacks.
 */

/** The `length` bytes of a block. */
export function lz4Block(input: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length)
  let [from, to] = [0, 0]
  const runOf = (nibble: number): number => {
    let run = nibble
    for (let byte = nibble === 15 ? 255 : 0; byte === 255; run += byte) byte = byteAt(input, from++)
    return run
  }
  while (from < input.length) {
    const token = input[from++]
    const literals = runOf(token >> 4)
    expectRoom(literals, Math.min(input.length - from, length - to))
    output.set(input.subarray(from, from + literals), to)
    from += literals
    to += literals
    // The last sequence ends with its literals
    if (from === input.length) break
    const offset = byteAt(input, from++) + 256 * byteAt(input, from++)
    const copied = 4 + runOf(token & 15)
    expectRoom(copied, length - to)
    if (offset === 0 || offset > to) throw new Error('an LZ4 block refers to what is before it')
    // A match may reach into itself
    for (const end = to + copied; to < end; to++) output[to] = output[to - offset]
  }
  expectRoom(length - to, 0)
  return output
}

/** Blocks with their sizes before them, or one block alone. */
export function lz4Framed(input: Uint8Array, length: number): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  const output = new Uint8Array(length)
  let [from, to] = [0, 0]
  while (from + 8 <= input.length) {
    const [size, compressed] = [view.getUint32(from), view.getUint32(from + 4)]
    if (size > length - to || compressed > input.length - from - 8) return lz4Block(input, length)
    output.set(lz4Block(input.subarray(from + 8, from + 8 + compressed), size), to)
    from += 8 + compressed
    to += size
  }
  return from === input.length && to === length ? output : lz4Block(input, length)
}

function byteAt(input: Uint8Array, at: number): number {
  if (at >= input.length) throw new Error('an LZ4 block is cut off')
  return input[at]
}

function expectRoom(needed: number, room: number): void {
  if (needed > room) throw new Error('an LZ4 block has another length than was announced')
}
