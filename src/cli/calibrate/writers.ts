/** Files of probabilities, written chunk by chunk. */
import { type FileHandle, open } from 'node:fs/promises'
import { extname } from 'node:path'
import type { Logits } from 'focal-loss'
import { notWritten } from '../output/write_file.js'

export interface Writer {
  write(probabilities: Logits): Promise<void>
  /** `rows` is how many there were. */
  close(rows: number): Promise<void>
}

/** The bytes before the numbers of a .npy file: enough for any shape. */
const HEADER = 192

/** A writer by the ending of `out`, to the file `path`. `rest` has the sizes of the axes after the first. */
export async function writerOf(out: string, path: string, rest: readonly number[]): Promise<Writer> {
  const ending = extname(out).toLowerCase()
  if (ending !== '.npy' && ending !== '.csv') throw new Error(`--out is ${out}; expected a name that ends in .npy or .csv`)
  const file = await open(path, 'w').catch((error: unknown) => {
    throw notWritten('--out', out, error)
  })
  return ending === '.npy' ? await npyWriter(file, rest) : csvWriter(file, rest)
}

/** The header's place is taken at the start, and it comes last, as only the end tells how many rows there are. */
async function npyWriter(file: FileHandle, rest: readonly number[]): Promise<Writer> {
  await file.appendFile(Buffer.alloc(HEADER))
  return {
    // Not `write`, which may write less than all on a disk that is nearly full, and throws nothing
    write: (probabilities) => file.appendFile(Buffer.from(Float32Array.from(probabilities).buffer)),
    async close(rows) {
      const shape = [rows, ...rest]
      const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`
      const header = Buffer.from(`\x93NUMPY\x01\0\0\0${text.padEnd(HEADER - 11)}\n`, 'latin1')
      header.writeUInt16LE(HEADER - 10, 8)
      await file.write(header, 0, HEADER, 0)
      await file.close()
    },
  }
}

function csvWriter(file: FileHandle, rest: readonly number[]): Writer {
  const width = rest.reduce((a, b) => a * b, 1)
  return {
    async write(probabilities) {
      const lines: string[] = []
      for (let from = 0; from < probabilities.length; from += width) lines.push(Array.from(probabilities.subarray(from, from + width), (p) => String(Number(p.toPrecision(9)))).join(','))
      await file.appendFile(`${lines.join('\n')}\n`)
    },
    close: () => file.close(),
  }
}
