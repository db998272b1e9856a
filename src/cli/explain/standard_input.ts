/** Standard input as a file: every format wants to be read anywhere, or twice, and data is larger than memory. */
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { reasonOf } from '../../errors.js'

export const formats = ['npy', 'npz', 'safetensors', 'csv', 'tsv', 'txt', 'parquet', 'arrow', 'feather'] as const

export type Format = (typeof formats)[number]

/** What messages call it. */
const NAME = 'standard input'

/** `work` on the file, or where it is `-` on what comes in; then messages and results name that. */
export async function withFile<T>(file: string, format: Format | undefined, work: (path: string) => Promise<T>): Promise<T> {
  if (file !== '-') {
    if (format !== undefined) throw new Error(`--format is given for ${file}; expected it for -, standard input`)
    return work(file)
  }
  if (format === undefined) throw new Error(`- is standard input; expected --format with it: ${formats.join(', ')}`)
  const folder = await mkdtemp(join(tmpdir(), 'focal-loss-'))
  const path = join(folder, `input.${format}`)
  const renamed = (text: string) => text.replaceAll(path, NAME)
  try {
    await pipeline(process.stdin, createWriteStream(path))
    return JSON.parse(JSON.stringify(await work(path)), (_, value: unknown) => (typeof value === 'string' ? renamed(value) : value)) as T
  } catch (error) {
    throw new Error(renamed(reasonOf(error)), { cause: error })
  } finally {
    await rm(folder, { recursive: true })
  }
}
