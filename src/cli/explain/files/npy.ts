/** Reads .npy files, and arrays within .npz files, in portions of any size. */
import { counted } from '../../../errors.js'
import { type ArrayReader, product, shapeText } from './array_reader.js'
import { type Bytes, inMemory } from './bytes.js'
import { type NpyHeader, readNpyHeader } from './npy_header.js'
import { type BitsDtype, type ItemType, itemType } from './npy_items.js'
import { scattered, type Scattering } from './npy_scattered.js'

export interface NpyOptions {
  /** In place of the header's, of as many numbers. */
  readonly shape?: readonly number[]
  /** What bits are. */
  readonly dtype?: BitsDtype
  /** Whether the first axis of this shape is to come last: then [C, N] is read as [N, C], and so on for more axes. */
  firstAxisLast(shape: readonly number[]): boolean
}

/** The numbers of a .npy file. Takes the bytes over: closes them, also where it throws. */
export async function npyReader(name: string, bytes: Bytes, options: NpyOptions): Promise<ArrayReader> {
  let header: NpyHeader
  let items: ItemType
  try {
    header = await readNpyHeader(name, bytes)
    items = itemType(name, header.descr, options.dtype)
  } catch (error) {
    await bytes.close()
    throw error
  }
  return readerOf(name, bytes, header, items, options)
}

/** The same where it is known what the bytes hold, and where the first number is. */
export async function readerOf(name: string, bytes: Bytes, header: Omit<NpyHeader, 'descr'>, items: ItemType, options: NpyOptions): Promise<ArrayReader> {
  try {
    const announced = product(header.shape) * items.bytes
    if (bytes.size - header.start < announced) {
      throw new Error(`${name} is cut off: it has ${counted(bytes.size - header.start, 'byte')} of data; expected ${announced} for the shape ${shapeText(header.shape)}`)
    }
    const shape = options.shape ?? header.shape
    if (product(shape) !== product(header.shape)) {
      throw new Error(`${name} has ${counted(product(header.shape), 'number')}, in the shape ${shapeText(header.shape)}; expected ${product(shape)} for --shape ${shape.join(',')}`)
    }
    const backwards = header.fortranOrder && header.shape.length > 1
    if (backwards && shapeText(shape) !== shapeText(header.shape)) {
      throw new Error(`${name} is in Fortran order with the shape ${shapeText(header.shape)}; expected C order (numpy.ascontiguousarray), as --shape is given`)
    }
    const { rows, rest, scattering } = layoutOf(shape, backwards, options.firstAxisLast(shape))
    if (scattering === undefined) return { ...sequential(name, rows, rest, bytes, items), close: () => bytes.close() }
    const { at } = bytes.at === undefined ? await inMemory(name, bytes, header.start) : { at: bytes.at }
    const numbers = scattered(name, scattering, (position, to) => at(header.start + position, to), items)
    return { name, rows, rest, integers: items.integers, flat: false, ...numbers, close: () => bytes.close() }
  } catch (error) {
    await bytes.close()
    throw error
  }
}

interface Layout {
  readonly rows: number
  readonly rest: readonly number[]
  /** Absent where the numbers lie in the order in which they are read. */
  readonly scattering?: Scattering
}

/** How [N, ...] lies in a file, in C order or backwards, where it is read in C order, the first axis first or last. */
function layoutOf(shape: readonly number[], backwards: boolean, firstAxisLast: boolean): Layout {
  const [first = 1, ...others] = shape
  if (!firstAxisLast) {
    return { rows: first, rest: others, scattering: backwards ? { rows: first, unit: 1, bases: basesBackwards(others, 1), step: 1 } : undefined }
  }
  const [rows, ...inner] = others
  const rest = [...inner, first]
  if (!backwards) {
    // Each class is one piece of the file, with as many numbers as there are rows in all
    return { rows, rest, scattering: { rows, unit: product(inner), bases: Array.from({ length: first }, (_, c) => c), step: first } }
  }
  return { rows, rest, scattering: inner.length > 0 ? { rows, unit: first, bases: basesBackwards(inner, first), step: 1 } : undefined }
}

/** Where in C order the items of these axes are, each of `unit` numbers, from one to the next in Fortran order. */
function basesBackwards(axes: readonly number[], unit: number): number[] {
  let bases = [0]
  axes.forEach((size, axis) => {
    const stride = unit * product(axes.slice(axis + 1))
    bases = Array.from({ length: size }, (_, i) => bases.map((base) => base + i * stride)).flat()
  })
  return bases
}

function sequential(name: string, rows: number, rest: readonly number[], bytes: Bytes, items: ItemType): Omit<ArrayReader, 'close'> {
  const total = rows * product(rest)
  let buffer = new ArrayBuffer(0)
  let done = 0
  return {
    name,
    rows,
    rest,
    integers: items.integers,
    flat: true,
    async read(count) {
      const wanted = Math.min(count, total - done)
      const size = wanted * items.bytes
      if (buffer.byteLength < size) buffer = new ArrayBuffer(size)
      if ((await bytes.next(new Uint8Array(buffer, 0, size))) < size) {
        throw new Error(`${name} has become shorter while it was read`)
      }
      done += wanted
      return items.decode(buffer, wanted)
    },
    progress: () => (total === 0 ? 1 : done / total),
  }
}
