/** Reads .npy files, and arrays within .npz files, in portions of any size. */
import { type ArrayReader, product, type ReadNumbers, shapeText } from './array_reader.js'
import type { Bytes } from './bytes.js'
import { readNpyHeader } from './npy_header.js'
import { type ItemType, itemType } from './npy_items.js'

export interface NpyOptions {
  /** In place of the header's, of as many numbers. */
  readonly shape?: readonly number[]
  /** Whether the first axis of this shape is to come last: then [C, N] is read as [N, C], and so on for more axes. */
  firstAxisLast(shape: readonly number[]): boolean
}

/** The numbers of a .npy file. Takes the bytes over: closes them, also where it throws. */
export async function npyReader(name: string, bytes: Bytes, options: NpyOptions): Promise<ArrayReader> {
  try {
    const header = await readNpyHeader(name, bytes)
    const items = itemType(name, header.descr)
    const announced = product(header.shape) * items.bytes
    if (bytes.size - header.start < announced) {
      throw new Error(`${name} is cut off: it has ${bytes.size - header.start} bytes of data; expected ${announced} for the shape ${shapeText(header.shape)}`)
    }
    const shape = options.shape ?? header.shape
    if (product(shape) !== product(header.shape)) {
      throw new Error(`${name} has ${product(header.shape)} numbers, in the shape ${shapeText(header.shape)}; expected ${product(shape)} for --shape ${shape.join(',')}`)
    }
    const backwards = header.fortranOrder && header.shape.length > 1
    if (backwards && (header.shape.length > 2 || options.shape !== undefined)) {
      throw new Error(`${name} is in Fortran order with the shape ${shapeText(header.shape)}; expected C order (numpy.ascontiguousarray)${header.shape.length > 2 ? '' : ', as --shape is given'}`)
    }
    // Fortran order is C order with the axes backwards
    const [first = 1, ...rest] = backwards ? shape.toReversed() : shape
    const close = () => bytes.close()
    if (rest.length === 0 || backwards === options.firstAxisLast(shape)) return { ...sequential(name, first, rest, bytes, items), close }
    const { at } = bytes
    if (at === undefined) throw new Error(`${name} is compressed with its columns one after another; expected rows one after another, or no compression (numpy.savez)`)
    return { ...transposed(name, first, rest, (position, to) => at(header.start + position, to), items), close }
  } catch (error) {
    await bytes.close()
    throw error
  }
}

type Unclosed = Omit<ArrayReader, 'close'>

function sequential(name: string, rows: number, rest: readonly number[], bytes: Bytes, items: ItemType): Unclosed {
  const total = rows * product(rest)
  const buffer = new Buffers()
  let done = 0
  return {
    name,
    rows,
    rest,
    flat: true,
    async read(count) {
      const wanted = Math.min(count, total - done)
      const into = buffer.of(wanted * items.bytes)
      await expectAll(name, wanted * items.bytes, bytes.next(new Uint8Array(into, 0, wanted * items.bytes)))
      done += wanted
      return items.decode(into, wanted)
    },
    progress: () => (total === 0 ? 1 : done / total),
  }
}

/** Reads [columns, ...axes] as [...axes, columns]: a piece of every column, and puts them side by side. */
function transposed(name: string, columns: number, axes: readonly number[], at: NonNullable<Bytes['at']>, items: ItemType): Unclosed {
  const rows = product(axes)
  const buffer = new Buffers()
  let done = 0
  return {
    name,
    rows: axes[0],
    rest: [...axes.slice(1), columns],
    flat: false,
    async read(count) {
      const wanted = Math.min(Math.floor(count / columns), rows - done)
      const into = buffer.of(wanted * items.bytes)
      let numbers: ReadNumbers = new Float32Array(0)
      for (let c = 0; c < columns && wanted > 0; c++) {
        await expectAll(name, wanted * items.bytes, at((c * rows + done) * items.bytes, new Uint8Array(into, 0, wanted * items.bytes)))
        const column = items.decode(into, wanted)
        if (c === 0) numbers = new (column.constructor as new (length: number) => ReadNumbers)(wanted * columns)
        for (let r = 0; r < wanted; r++) numbers[r * columns + c] = column[r]
      }
      done += wanted
      return numbers
    },
    progress: () => (rows === 0 ? 1 : done / rows),
  }
}

/** One buffer, used again as long as it is large enough. */
class Buffers {
  #buffer = new ArrayBuffer(0)

  of(bytes: number): ArrayBuffer {
    if (this.#buffer.byteLength < bytes) this.#buffer = new ArrayBuffer(bytes)
    return this.#buffer
  }
}

async function expectAll(name: string, bytes: number, reading: Promise<number>): Promise<void> {
  const read = await reading
  if (read < bytes) throw new Error(`${name} has become shorter while it was read`)
}
