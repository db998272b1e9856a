/** Reads Parquet files, one row group after another. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { decompress } from 'fzstd'
import { type AsyncBuffer, asyncBufferFromFile, type Compressors, parquetMetadataAsync, parquetScan, parquetSchema } from 'hyparquet'
import { reasonOf } from '../../../errors.js'
import type { TableReader } from './array_reader.js'
import { opened } from './bytes.js'
import { chooseColumns, type ColumnChoice, type Role } from './columns.js'

/** What hyparquet does not do itself. */
const compressors: Compressors = {
  GZIP: (input) => gunzipSync(input),
  BROTLI: (input) => brotliDecompressSync(input),
  ZSTD: (input, length) => decompress(input, new Uint8Array(length)),
}

/** The chosen columns of a table, logits before targets. A column may hold lists of numbers, as long in every row. */
export async function parquetReader(name: string, role: Role, choice: ColumnChoice): Promise<TableReader> {
  await (await opened(name)).close()
  const table = await openTable(name, await asyncBufferFromFile(name))
  const chosen = chooseColumns(name, table.names, table.names.length, role, choice)
  const places = [...chosen.logits, ...chosen.targets]
  const group = (index: number) => readGroup(table, places, index)

  let index = 0
  let columns = await group(0)
  const widths = columns.map((column) => widthOf(column[0]))
  let [row, done] = [0, 0]
  const sum = (some: readonly number[]) => some.reduce((a, b) => a + b, 0)
  const width = sum(widths)
  return {
    name,
    rows: table.rows,
    rest: [width],
    flat: false,
    logits: sum(widths.slice(0, chosen.logits.length)),
    async read(count) {
      const wanted = Math.min(Math.floor(count / width), table.rows - done)
      const numbers = new Float64Array(wanted * width)
      for (let r = 0; r < wanted; r++) {
        while (row === (columns[0]?.length ?? 0)) {
          columns = await group(++index)
          row = 0
        }
        let at = r * width
        columns.forEach((column, c) => {
          at = put(`${name}, row ${done}: column ${table.names[places[c]]}`, column[row], widths[c], numbers, at)
        })
        row++
        done++
      }
      return numbers
    },
    progress: () => (table.rows === 0 ? 1 : done / table.rows),
    close: () => Promise.resolve(),
  }
}

interface Table {
  readonly name: string
  readonly names: readonly string[]
  readonly rows: number
  readonly scan: Awaited<ReturnType<typeof parquetScan>>
}

async function openTable(name: string, file: AsyncBuffer): Promise<Table> {
  try {
    const metadata = await parquetMetadataAsync(file)
    const names = parquetSchema(metadata).children.map(({ element }) => element.name)
    const scan = await parquetScan({ file, metadata, compressors, utf8: false, geoparquet: false })
    return { name, names, rows: Number(metadata.num_rows), scan }
  } catch (error) {
    throw new Error(`${name} is no Parquet file, or a damaged one (${reasonOf(error)})`, { cause: error })
  }
}

/** The columns of a row group; none beyond the last. */
async function readGroup({ name, names, scan }: Table, places: readonly number[], index: number): Promise<ArrayLike<unknown>[]> {
  if (index >= scan.ranges.length) return places.map(() => [])
  const columns: ArrayLike<unknown>[] = []
  for (const place of places) {
    try {
      columns.push(await scan.readColumn({ column: names[place], ...scan.ranges[index] }))
    } catch (error) {
      throw new Error(`column ${names[place]} of ${name} cannot be read (${reasonOf(error)})`, { cause: error })
    }
  }
  return columns
}

function widthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 1
}

/** Writes a cell's numbers, and returns where the next go. */
function put(what: string, value: unknown, width: number, to: Float64Array, at: number): number {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (values.length !== width) throw new Error(`${what} has ${values.length} numbers; expected ${width}, as in the first row`)
  for (const each of values) {
    if (typeof each !== 'number' && typeof each !== 'bigint' && typeof each !== 'boolean') {
      throw new Error(`${what} holds ${each == null ? 'nothing' : 'no number'}; expected a number`)
    }
    to[at++] = Number(each)
  }
  return at
}
