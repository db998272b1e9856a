/** Reads .csv and .tsv files line by line, also if compressed with gzip, whatever their names. */
import { pipeline } from 'node:stream'
import { constants, createGunzip, gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse'
import { printable } from '../../output/printable.js'
import type { TableReader } from './array_reader.js'
import { opened } from './bytes.js'
import type { ColumnChoice, Role } from './columns.js'
import { cellsOf, type Line } from './csv_cells.js'
import { type Dialect, dialectOf, HEAD_BYTES } from './csv_dialect.js'
import { csvTable } from './csv_table.js'
import { damageOf } from './damage.js'

/** The chosen columns of a table, logits before targets. */
export async function csvReader(name: string, role: Role, choice: ColumnChoice): Promise<TableReader> {
  const file = await opened(name)
  const { size } = await file.stat()
  const head = new Uint8Array(HEAD_BYTES)
  const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0)
  const compressed = head[0] === 0x1f && head[1] === 0x8b
  const begin = head.subarray(0, bytesRead)
  const { delimiter, fromLine } = dialectOfFile(name, compressed ? beginOfGzip(begin) : begin)
  const stream = file.createReadStream({ autoClose: false, start: 0 })
  const parser = parse({ bom: true, delimiter, from_line: fromLine, info: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true, trim: true })
  // What goes wrong comes out of the parser
  const lines = linesOf(name, delimiter, compressed ? pipeline(stream, createGunzip(), parser, () => undefined) : pipeline(stream, parser, () => undefined))
  const close = async () => {
    stream.destroy()
    await file.close()
  }
  try {
    const table = await csvTable(name, lines, delimiter, role, choice)
    return { ...table, name, rows: null, flat: false, progress: () => (size === 0 ? 1 : stream.bytesRead / size), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** What the first bytes of a gzip file hold; nothing where they are damaged, which the whole shows again. */
function beginOfGzip(bytes: Uint8Array): Uint8Array {
  try {
    // A thousandth is enough of what compresses best
    return gunzipSync(bytes.subarray(0, 8192), { finishFlush: constants.Z_SYNC_FLUSH })
  } catch {
    return new Uint8Array(0)
  }
}

function dialectOfFile(name: string, head: Uint8Array): Dialect {
  try {
    return dialectOf(head)
  } catch (error) {
    throw improper(name, error)
  }
}

async function* linesOf(name: string, delimiter: Dialect['delimiter'], records: AsyncIterable<unknown>): AsyncGenerator<Line, void> {
  try {
    for await (const { record, info } of records as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      yield { cells: cellsOf(record, delimiter), number: info.lines }
    }
  } catch (error) {
    throw improper(name, error)
  }
}

function improper(name: string, error: unknown): Error {
  return new Error(`${name} is no proper table (${printable(damageOf(error), 200)})`, { cause: error })
}
