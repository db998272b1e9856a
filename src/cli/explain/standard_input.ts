/** Copies standard input to a file, because readers need random access or two passes, and the data may be larger than memory. */
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

/** `work` on the file, or where it is `-` on what comes in; then messages name that, and so does plain data that `work` has renamed. */
export async function withFile<T>(file: string, format: Format | undefined, work: (path: string, renamed: <D>(data: D) => D) => Promise<T>): Promise<T> {
  if (file !== '-') {
    if (format !== undefined) throw new Error(`--format is given for ${file}; expected it for -, standard input`)
    return work(file, (data) => data)
  }
  if (format === undefined) throw new Error(`- is standard input; expected --format with it: ${formats.join(', ')}`)
  const notCopied = (error: unknown): never => {
    throw new Error(`${NAME} could not be copied into ${tmpdir()} (${reasonOf(error)}); expected room there, or TMPDIR with another folder`, { cause: error })
  }
  const folder = await mkdtemp(join(tmpdir(), 'focal-loss-')).catch(notCopied)
  const path = join(folder, `input.${format}`)
  const renamed = (text: string) => text.replaceAll(path, NAME)
  const renamedIn = <D>(data: D): D => JSON.parse(JSON.stringify(data), (_, value: unknown) => (typeof value === 'string' ? renamed(value) : value)) as D
  try {
    await pipeline(process.stdin, createWriteStream(path)).catch(notCopied)
    return await work(path, renamedIn)
  } catch (error) {
    throw new Error(renamed(reasonOf(error)), { cause: error })
  } finally {
    await rm(folder, { recursive: true })
  }
}
