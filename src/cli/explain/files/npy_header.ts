/** The header of a .npy file: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1 to 3. */
import { product } from './array_reader.js'
import type { Bytes } from './bytes.js'

export interface NpyHeader {
  /** `<f4`: byte order, kind, bytes an item. */
  readonly descr: string
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
  /** Where the numbers begin. */
  readonly start: number
}

/** `\x93NUMPY` */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
/** Real headers have about 100 bytes. */
const LONGEST_HEADER = 1 << 20

/** Reads the header, and leaves the bytes at the first number. */
export async function readNpyHeader(name: string, bytes: Bytes): Promise<NpyHeader> {
  const preamble = await exactly(name, bytes, MAGIC.length + 2)
  if (MAGIC.some((byte, i) => preamble[i] !== byte)) throw new Error(`${name} is no .npy file; expected one that numpy.save has written`)
  const version = preamble[MAGIC.length]
  if (version < 1 || version > 3) throw new Error(`${name} has version ${version} of the .npy format; expected 1, 2 or 3`)
  const lengthBytes = version === 1 ? 2 : 4
  const length = (await exactly(name, bytes, lengthBytes)).reduceRight((sum, byte) => 256 * sum + byte, 0)
  if (length > LONGEST_HEADER) throw new Error(`${name} has a header of ${length} bytes, so it is damaged; expected about 100`)
  const text = new TextDecoder().decode(await exactly(name, bytes, length))
  const [, descr] = /'descr'\s*:\s*'([^']*)'/.exec(text) ?? []
  const [, order] = /'fortran_order'\s*:\s*(True|False)/.exec(text) ?? []
  const [, sizes] = /'shape'\s*:\s*\(([^)]*)\)/.exec(text) ?? []
  if (/'descr'\s*:\s*\[/.test(text)) throw new Error(`${name} holds records of several fields; expected plain numbers`)
  if (descr === undefined || order === undefined || sizes === undefined) throw new Error(`${name} has a damaged header; expected 'descr', 'fortran_order' and 'shape' in it`)
  const shape = sizes.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size.replace(/L$/, ''))]))
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || !Number.isSafeInteger(product(shape))) {
    throw new Error(`${name} has a damaged header; expected a shape of integers, not (${sizes})`)
  }
  return { descr, fortranOrder: order === 'True', shape, start: MAGIC.length + 2 + lengthBytes + length }
}

async function exactly(name: string, bytes: Bytes, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length)
  if ((await bytes.next(buffer)) < length) throw new Error(`${name} is cut off within its header`)
  return buffer
}
