/** Opens a file on a disk by the ending of its name. */
import { extname } from 'node:path'
import { arrowReader } from './arrow.js'
import type { ArrayReader, TableReader } from './array_reader.js'
import { fileBytes, opened } from './bytes.js'
import type { Role } from './columns.js'
import { csvReader } from './csv.js'
import type { Files, OpenOptions } from './files.js'
import { type NpyOptions, npyReader } from './npy.js'
import { npzArray } from './npz.js'
import { parquetReader } from './parquet.js'
import { safetensorsReader } from './safetensors.js'

export const diskFiles: Files = { expect: async (path) => (await opened(path)).close(), openArray, openTable }

/** The logits or the targets; `npy` is for files that have a shape. */
async function openArray(path: string, role: 'logits' | 'targets', options: OpenOptions, npy: NpyOptions): Promise<ArrayReader> {
  switch (extname(path).toLowerCase()) {
    case '.npy':
      return npyReader(path, await fileBytes(path), npy)
    case '.npz': {
      const { name, bytes } = await npzArray(path, options.arrays[role])
      return npyReader(name, bytes, npy)
    }
    case '.safetensors':
      return safetensorsReader(path, options.arrays[role], npy)
    default:
      return openTable(path, role, options)
  }
}

/** A table of which rows hold logits, targets or both. */
async function openTable(path: string, role: Role, options: OpenOptions): Promise<TableReader> {
  const ending = extname(path.replace(/(?<=\.(?:csv|tsv|txt))\.gz$/i, '')).toLowerCase()
  switch (ending) {
    case '.csv':
    case '.tsv':
    case '.txt':
      return csvReader(path, role, options)
    case '.arrow':
    case '.arrows':
    case '.ipc':
    case '.feather':
      return arrowReader(path, role, options)
    case '.parquet':
    case '.pq':
      return parquetReader(path, role, options)
    case '.pt':
    case '.pth':
      throw new Error(`${path} is a pickle, which may run any code when it is read; expected what safetensors.torch.save_file({'logits': x, 'targets': y}, 'x.safetensors') writes of it`)
    default:
      throw new Error(`${path} ends in ${ending === '' ? 'nothing' : ending}; expected .npy, .npz, .safetensors, .csv, .tsv, .txt (these three also compressed, .csv.gz), .parquet, .arrow or .feather`)
  }
}
