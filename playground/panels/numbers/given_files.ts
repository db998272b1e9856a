/** Files that were given to the page, for the readers of the command line. */
import { parse } from 'csv-parse/browser/esm/sync'
import { reasonOf } from '../../../src/errors.js'
import type { Bytes } from '../../../src/cli/explain/files/bytes.js'
import { TARGET_NAMES, targetsByName } from '../../../src/cli/explain/files/column_names.js'
import { cellsOf, type Line } from '../../../src/cli/explain/files/csv_cells.js'
import { type Dialect, dialectOf, HEAD_BYTES } from '../../../src/cli/explain/files/csv_dialect.js'
import { csvTable } from '../../../src/cli/explain/files/csv_table.js'
import type { Files } from '../../../src/cli/explain/files/files.js'
import { npyReader } from '../../../src/cli/explain/files/npy.js'

export interface Given {
  readonly logits: File
  /** Absent where the targets are in the same file. */
  readonly targets?: File
}

/** Text is parsed in one piece. */
const LARGEST_TABLE = 256 * 1024 * 1024

export function filesOf({ logits, targets }: Given): Files {
  const fileOf = (role: 'both' | 'logits' | 'targets') => (role === 'targets' && targets !== undefined ? targets : logits)
  const openTable: Files['openTable'] = async (name, role, options) => {
    const file = fileOf(role)
    if (!isTable(file)) throw new Error(`${name} is neither .npy nor .csv nor .tsv; expected one of them`)
    const { lines, delimiter } = await linesOf(file)
    if (role === 'both') expectTargets(name, lines[0])
    return { ...(await csvTable(name, iteratorOf(lines), delimiter, role, options)), name, rows: null, flat: false, progress: () => 1, close: () => Promise.resolve() }
  }
  return {
    expect: () => Promise.resolve(),
    openTable,
    openArray: (name, role, options, npy) => (isNpy(fileOf(role)) ? npyReader(name, blobBytes(fileOf(role)), npy) : openTable(name, role, options)),
  }
}

export function isNpy({ name }: File): boolean {
  return /\.npy$/i.test(name)
}

export function isTable({ name }: File): boolean {
  return /\.[ct]sv$/i.test(name)
}

/** A page has no option that names the column, so it says what would do. */
function expectTargets(name: string, first: Line | undefined): void {
  if (first === undefined) return
  const { cells } = first
  if (cells.length === 1) throw new Error(`${name} has one column; expected logits and a target beside them, or another file with the targets`)
  const isHeader = cells.every((cell) => Number.isNaN(Number(cell)))
  if (isHeader && targetsByName(cells).places.length === 0) {
    throw new Error(`${name} has no column of targets; expected one that is called ${TARGET_NAMES.join(', ').replace(/, (\w+)$/, ' or $1')} among ${cells.slice(0, 12).join(', ')}`)
  }
}

async function linesOf(file: File): Promise<{ lines: Line[]; delimiter: Dialect['delimiter'] }> {
  if (file.size > LARGEST_TABLE) throw new Error(`${file.name} has ${Math.round(file.size / 1e6)} MB; expected at most ${Math.round(LARGEST_TABLE / 1e6)} MB of text (focal-loss explain reads any size)`)
  try {
    const { delimiter, fromLine } = dialectOf(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()))
    const records = parse(await file.text(), { bom: true, delimiter, from_line: fromLine, info: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true, trim: true })
    const lines = (records as unknown as readonly { record: string[]; info: { lines: number } }[]).map(({ record, info }) => ({ cells: cellsOf(record, delimiter), number: info.lines }))
    return { lines, delimiter }
  } catch (error) {
    throw new Error(`${file.name} is no proper table (${reasonOf(error)})`, { cause: error })
  }
}

function iteratorOf(lines: readonly Line[]): AsyncIterator<Line, void> {
  const each = lines.values()
  return { next: () => Promise.resolve(each.next() as IteratorResult<Line, void>) }
}

function blobBytes(blob: Blob): Bytes {
  let position = 0
  const at = async (from: number, to: Uint8Array) => {
    const part = new Uint8Array(await blob.slice(from, from + to.length).arrayBuffer())
    to.set(part)
    return part.length
  }
  return {
    size: blob.size,
    at,
    async next(to) {
      const read = await at(position, to)
      position += read
      return read
    },
    close: () => Promise.resolve(),
  }
}
