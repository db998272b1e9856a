/** Reads rows whose numbers lie apart in a file: in Fortran order, or with the classes on the first axis. */
import type { ReadNumbers } from './array_reader.js'
import type { Bytes } from './bytes.js'
import type { ItemType } from './npy_items.js'

/**
 * The file is pieces, one after another, each with `unit` numbers for every row. Of piece j, the number t of a row belongs at
 * `bases[j] + t * step` in it.
 */
export interface Scattering {
  readonly rows: number
  readonly unit: number
  readonly bases: readonly number[]
  readonly step: number
}

/** What is held at once, at most; and how much of a piece is worth going there for. */
const MOST_HELD = 64 << 20
const WORTH_READING = 64 << 10
/** Pieces as near as this are read with what is between them, so many bytes at a time. */
const NEAR = 256 << 10
const READ_AHEAD = 1 << 20

export function scattered(name: string, { rows, unit, bases, step }: Scattering, at: NonNullable<Bytes['at']>, items: ItemType) {
  const width = unit * bases.length
  const pieceBytes = rows * unit * items.bytes
  let [done, served] = [0, 0]
  let held: ReadNumbers = new Float32Array(0)

  /** Holds `count` rows more, after what has not been served yet. */
  const hold = async (count: number): Promise<void> => {
    const bytesAt = windowOf(name, at, pieceBytes <= NEAR ? READ_AHEAD : 0)
    const left = held.subarray(served)
    const run = new ArrayBuffer(count * unit * items.bytes)
    for (let piece = 0; piece < bases.length; piece++) {
      new Uint8Array(run).set(await bytesAt(piece * pieceBytes + done * unit * items.bytes, run.byteLength))
      const numbers = items.decode(run, count * unit)
      if (piece === 0) {
        held = new (numbers.constructor as new (length: number) => ReadNumbers)(left.length + count * width)
        held.set(left)
      }
      for (let row = 0, k = 0; row < count; row++) {
        for (let t = 0, to = left.length + row * width + bases[piece]; t < unit; t++, to += step) held[to] = numbers[k++]
      }
    }
    done += count
    served = 0
  }

  return {
    async read(count: number): Promise<ReadNumbers> {
      const wanted = width === 0 ? 0 : Math.min(Math.floor(count / width), (held.length - served) / width + rows - done)
      const missing = wanted - (held.length - served) / width
      if (missing > 0) {
        const few = Math.ceil(WORTH_READING / (unit * items.bytes))
        const most = Math.floor(MOST_HELD / (width * items.bytes))
        await hold(Math.min(rows - done, Math.max(missing, Math.min(few, most))))
      }
      served += wanted * width
      return held.subarray(served - wanted * width, served)
    },
    progress: () => (rows === 0 ? 1 : done / rows),
  }
}

/** Reads bytes anywhere; `ahead` bytes at least, from which what follows is taken. */
function windowOf(name: string, at: NonNullable<Bytes['at']>, ahead: number): (position: number, length: number) => Promise<Uint8Array> {
  let [start, filled] = [0, 0]
  let buffer = new Uint8Array(0)
  return async (position, length) => {
    if (position < start || position + length > start + filled) {
      const size = Math.max(length, ahead)
      if (buffer.length < size) buffer = new Uint8Array(size)
      start = position
      filled = await at(position, buffer.subarray(0, size))
      if (filled < length) throw new Error(`${name} has become shorter while it was read`)
    }
    return buffer.subarray(position - start, position - start + length)
  }
}
