/** Finds a tensor in a .safetensors file: 8 bytes of length, a header in JSON, raw numbers. https://github.com/huggingface/safetensors#format */
import { counted } from '../../../errors.js'
import { namesText } from '../../output/printable.js'
import type { ArrayReader } from './array_reader.js'
import { product } from './array_reader.js'
import { fileBytes, opened } from './bytes.js'
import { type NpyOptions, readerOf } from './npy.js'
import { itemType } from './npy_items.js'

/** The format's own limit. */
const LONGEST_HEADER = 100_000_000

/** As NumPy calls them; bfloat16 it has no name for. */
const types: Readonly<Record<string, string>> = {
  F64: '<f8',
  F32: '<f4',
  F16: '<f2',
  BF16: '<u2',
  I64: '<i8',
  I32: '<i4',
  I16: '<i2',
  I8: '|i1',
  U64: '<u8',
  U32: '<u4',
  U16: '<u2',
  U8: '|u1',
  BOOL: '|b1',
}

interface Tensor {
  readonly dtype: string
  readonly shape: readonly number[]
  /** From the first byte after the header. */
  readonly data_offsets: readonly [from: number, to: number]
}

/** The numbers of the tensor `wanted`. */
export async function safetensorsReader(path: string, wanted: string, options: NpyOptions): Promise<ArrayReader> {
  const { header, start, size } = await readHeader(path)
  const names = Object.keys(header).filter((each) => each !== '__metadata__')
  if (!names.includes(wanted)) throw new Error(`${path} has no tensor ${wanted}; expected one of ${names.length === 0 ? 'its tensors, but it has none' : namesText(names)}`)
  const name = `${wanted} in ${path}`
  const { dtype, shape, from, to } = checked(name, header[wanted])
  if (!(dtype in types)) throw new Error(`${name} holds ${dtype}; expected F16, BF16, F32, F64, integers or BOOL`)
  if (start + to > size) throw new Error(`${name} is cut off: ${path} has ${counted(size, 'byte')}; expected ${start + to}`)
  const items = itemType(name, types[dtype], dtype === 'BF16' ? 'bfloat16' : options.dtype)
  if (to - from !== product(shape) * items.bytes) throw new Error(`${name} has ${counted(to - from, 'byte')} of data; expected ${product(shape) * items.bytes} for ${dtype} of the shape [${shape.join(', ')}]`)
  const bytes = await fileBytes(path, { start: start + from, size: to - from })
  return readerOf(name, bytes, { shape, fortranOrder: false, start: 0 }, items, options)
}

async function readHeader(path: string) {
  const file = await opened(path)
  try {
    const { size } = await file.stat()
    const prefix = Buffer.alloc(8)
    await file.read(prefix, 0, 8, 0)
    const length = size < 8 ? Infinity : Number(prefix.readBigUInt64LE())
    if (length > Math.min(LONGEST_HEADER, size - 8)) throw new Error(`${path} is no .safetensors file, or is cut off within its header`)
    const text = Buffer.alloc(length)
    await file.read(text, 0, length, 8)
    return { header: headerOf(path, text.toString('utf8')), start: 8 + length, size }
  } finally {
    await file.close()
  }
}

function headerOf(path: string, text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch (error) {
    throw new Error(`${path} has a damaged header; expected JSON`, { cause: error })
  }
}

function checked(name: string, given: unknown) {
  const { dtype, shape, data_offsets: offsets } = Object(given) as Partial<Tensor>
  const areWhole = (list: unknown): list is number[] => Array.isArray(list) && list.every((each) => Number.isSafeInteger(each) && (each as number) >= 0)
  if (typeof dtype !== 'string' || !areWhole(shape) || !areWhole(offsets) || offsets.length !== 2 || offsets[1] < offsets[0]) {
    throw new Error(`${name} has a damaged header; expected dtype, shape and data_offsets`)
  }
  return { dtype, shape, from: offsets[0], to: offsets[1] }
}
