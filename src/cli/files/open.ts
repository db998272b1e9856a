/** Opens a file by the ending of its name. */
import { extname } from 'node:path'
import type { ArrayReader, TableReader } from './array_reader.js'
import { fileBytes } from './bytes.js'
import type { ColumnChoice, Role } from './columns.js'
import { csvReader } from './csv.js'
import { npyReader, type NpyOptions } from './npy.js'
import { npzArray } from './npz.js'
import { parquetReader } from './parquet.js'

export interface OpenOptions extends ColumnChoice {
  /** The names of the arrays in .npz files. */
  readonly arrays: { readonly logits: string; readonly targets: string }
}

/** The logits or the targets; `npy` is for files that have a shape. */
export async function openArray(path: string, role: 'logits' | 'targets', options: OpenOptions, npy: NpyOptions): Promise<ArrayReader> {
  switch (extname(path).toLowerCase()) {
    case '.npy':
      return npyReader(path, await fileBytes(path), npy)
    case '.npz': {
      const { name, bytes } = await npzArray(path, options.arrays[role])
      return npyReader(name, bytes, npy)
    }
    default:
      return openTable(path, role, options)
  }
}

/** A table of which rows hold logits, targets or both. */
export async function openTable(path: string, role: Role, options: OpenOptions): Promise<TableReader> {
  const ending = extname(path).toLowerCase()
  switch (ending) {
    case '.csv':
      return csvReader(path, ',', role, options)
    case '.tsv':
      return csvReader(path, '\t', role, options)
    case '.parquet':
    case '.pq':
      return parquetReader(path, role, options)
    default:
      throw new Error(`${path} ends in ${ending === '' ? 'nothing' : ending}; expected .npy, .npz, .csv, .tsv or .parquet`)
  }
}

/** Whether a file's rows hold logits and targets side by side. */
export function isTable(path: string): boolean {
  return !['.npy', '.npz'].includes(extname(path).toLowerCase())
}
