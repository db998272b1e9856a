/**
 * LZ4 blocks, frames, and what Parquet makes of them: LZ4_RAW is one block; LZ4, which is deprecated, is blocks in the framing of Hadoop or, of some
 * writers, one block too. https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md, https://parquet.apache.org/docs/file-format/data-pages/compression/
 * Written here because a damaged file must be an error: hyparquet-compressors 1.1.2 returns zeros for what a block that is cut off lacks.
 */

/** The `length` bytes of a block. */
export function lz4Block(input: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length)
  expectRoom(length - decode(input, output, 0), 0)
  return output
}

/** Writes what a block holds from `start` on, and returns where it ends. What is before may be referred to. */
function decode(input: Uint8Array, output: Uint8Array, start: number): number {
  const { length } = output
  let [from, to] = [0, start]
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
  return to
}

/** A frame, as Arrow has it: a header, blocks that may refer to those before them, and checksums, which are left out. https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md */
export function lz4Frame(input: Uint8Array, length: number): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  if (input.length < 7 || view.getUint32(0, true) !== 0x184d2204) throw new Error('there is no LZ4 frame')
  const flags = input[4]
  const [hasSize, hasChecksums] = [(flags & 8) !== 0, (flags & 16) !== 0]
  if (flags >> 6 !== 1 || (flags & 1) !== 0) throw new Error('an LZ4 frame is of another version, or wants a dictionary')
  const output = new Uint8Array(length)
  let [from, to] = [hasSize ? 15 : 7, 0]
  for (;;) {
    if (from + 4 > input.length) throw new Error('an LZ4 frame is cut off')
    const word = view.getUint32(from, true)
    from += 4
    if (word === 0) break
    const size = word & 0x7fffffff
    if (from + size > input.length) throw new Error('an LZ4 frame is cut off')
    const block = input.subarray(from, from + size)
    from += size + (hasChecksums ? 4 : 0)
    if (word >>> 31 === 0) to = decode(block, output, to)
    else {
      expectRoom(size, length - to)
      output.set(block, to)
      to += size
    }
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
