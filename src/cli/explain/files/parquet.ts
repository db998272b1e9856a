/** Reads Parquet files, one row group after another. */
import { counted } from '../../../errors.js'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { type AsyncBuffer, asyncBufferFromFile, type Compressors, parquetMetadataAsync, type FileMetaData, parquetScan, parquetSchema, type SchemaTree, snappyUncompress } from 'hyparquet'
import type { TableReader } from './array_reader.js'
import { opened } from './bytes.js'
import { chooseColumns, type ColumnChoice, type Role, takenOf } from './columns.js'
import { put, widthOf } from './cells.js'
import { pandasIndex } from './column_names.js'
import { damageOf, expectLength } from './damage.js'
import { lz4Block, lz4Framed } from './lz4.js'
import { zstd } from './zstd.js'

/** With lengths that are looked at before there is memory for them: hyparquet's own Snappy believes what a page says. */
const compressors: Compressors = {
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  ZSTD: zstd,
  LZ4: (input, length) => lz4Framed(input, expectLength(input.length, length, 'lz4')),
  LZ4_RAW: (input, length) => lz4Block(input, expectLength(input.length, length, 'lz4')),
  SNAPPY(input, length) {
    const output = new Uint8Array(expectLength(input.length, length, 'snappy'))
    snappyUncompress(input, output)
    return output
  },
}

const CODECS = 'no compression, Snappy, gzip, Brotli, Zstandard or LZ4'

/** Of its beginning and its end. */
const LEAST_BYTES = 12

/** The chosen columns of a table, logits before targets. A column may hold lists of numbers, as long in every row. */
export async function parquetReader(name: string, role: Role, choice: ColumnChoice): Promise<TableReader> {
  await (await opened(name)).close()
  const table = await openTable(name, await asyncBufferFromFile(name))
  const { names, index: indexNames } = table
  const columnsOf = { names, count: names.length, index: indexNames }
  const chosen = chooseColumns(name, columnsOf, role, choice)
  const places = [...chosen.logits, ...chosen.targets]
  const group = (index: number) => readGroup(table, places, index)

  let index = 0
  let columns = await group(0)
  const cellOf = (r: number, c: number) => `${name}, row ${r}: column ${names[places[c]]}`
  const widths = columns.map((column, c) => widthOf(column.length, (r) => column[r], (r) => cellOf(r, c)))
  let [row, done] = [0, 0]
  const sum = (some: readonly number[]) => some.reduce((a, b) => a + b, 0)
  const width = sum(widths)
  return {
    name,
    rows: table.rows,
    rest: [width],
    flat: false,
    logits: sum(widths.slice(0, chosen.logits.length)),
    integers: chosen.targets.every((place) => table.integers[place]),
    taken: takenOf(columnsOf, chosen),
    async read(count) {
      const wanted = Math.min(Math.floor(count / width), table.rows - done)
      const numbers = new Float64Array(wanted * width)
      for (let r = 0; r < wanted; r++) {
        while (row === (columns[0]?.length ?? 0)) {
          if (++index >= table.groups) throw new Error(`${name} is damaged: its row groups hold ${counted(done, 'row')}; expected ${table.rows}`)
          columns = await group(index)
          row = 0
        }
        let at = r * width
        columns.forEach((column, c) => {
          at = put(cellOf(done, c), column[row], widths[c], c >= chosen.logits.length, numbers, at)
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
  /** Which columns are of an integer type. */
  readonly integers: readonly boolean[]
  /** The columns that pandas has written as the index. */
  readonly index: readonly string[]
  readonly rows: number
  /** How many row groups there are. */
  readonly groups: number
  readonly scan: Awaited<ReturnType<typeof parquetScan>>
}

async function openTable(name: string, file: AsyncBuffer): Promise<Table> {
  try {
    if (file.byteLength < LEAST_BYTES) throw new Error(`it has ${counted(file.byteLength, 'byte')}`)
    const metadata = await parquetMetadataAsync(file)
    const { children } = parquetSchema(metadata)
    const scan = await parquetScan({ file, metadata, compressors, utf8: false, geoparquet: false })
    return { name, names: children.map(nameOf), integers: children.map(isInteger), index: pandasIndex(metadata.key_value_metadata?.find(({ key }) => key === 'pandas')?.value), rows: rowsOf(metadata), groups: scan.ranges.length, scan }
  } catch (error) {
    throw new Error(`${name} is no Parquet file, or a damaged one (${damageOf(error)})`, { cause: error })
  }
}

function nameOf({ element }: SchemaTree): string {
  // hyparquet does not look whether there is one
  const { name } = element as { readonly name?: unknown }
  if (typeof name !== 'string') throw new Error('a column has no name')
  return name
}

function rowsOf({ num_rows }: FileMetaData): number {
  const rows = Number(num_rows)
  if (!(rows >= 0 && Number.isSafeInteger(rows))) throw new Error(`it says that it has ${num_rows} rows`)
  return rows
}

/** Whether a column, or what its lists hold, is of an integer type. */
function isInteger({ element, children }: SchemaTree): boolean {
  return children.length > 0 ? isInteger(children[0]) : (element.type === 'INT32' || element.type === 'INT64') && element.converted_type !== 'DECIMAL'
}

/** The columns of a row group; none where there is no group at all. */
async function readGroup({ name, names, scan }: Table, places: readonly number[], index: number): Promise<ArrayLike<unknown>[]> {
  if (index >= scan.ranges.length) return places.map(() => [])
  const columns: ArrayLike<unknown>[] = []
  for (const place of places) {
    try {
      columns.push(await scan.readColumn({ column: names[place], ...scan.ranges[index] }))
    } catch (error) {
      const reason = damageOf(error)
      const expected = reason.includes('compression codec') ? `; expected ${CODECS}` : ''
      throw new Error(`column ${names[place]} of ${name} cannot be read (${reason})${expected}`, { cause: error })
    }
  }
  return columns
}
