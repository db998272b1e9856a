/** A table of text as numbers, whatever has cut it into cells. */
import type { TableReader } from './array_reader.js'
import { chooseColumns, type ColumnChoice, type Role } from './columns.js'

/** A line's cells, and its number in the file. */
export interface Line {
  readonly cells: readonly string[]
  readonly number: number
}

/** The chosen columns, logits before targets. The first line is a header where any of its cells is no number. */
export async function csvTable(
  name: string,
  lines: AsyncIterator<Line, void>,
  role: Role,
  choice: ColumnChoice,
): Promise<Pick<TableReader, 'rest' | 'logits' | 'read'>> {
  const first = await lines.next()
  if (first.done === true) throw new Error(`${name} is empty; expected lines of numbers`)
  const { cells } = first.value
  const isHeader = cells.some((cell) => Number.isNaN(numberOf(cell)) && !isNaNText(cell))
  const chosen = chooseColumns(name, isHeader ? cells : [], cells.length, role, choice)
  const places = [...chosen.logits, ...chosen.targets]
  let pending = isHeader ? undefined : first.value
  const nextLine = async (): Promise<Line | undefined> => {
    const line = pending
    pending = undefined
    if (line !== undefined) return line
    const { value, done } = await lines.next()
    return done === true ? undefined : value
  }
  return {
    rest: [places.length],
    logits: chosen.logits.length,
    async read(count) {
      const numbers = new Float64Array(count - (count % places.length))
      let filled = 0
      while (filled < numbers.length) {
        const line = await nextLine()
        if (line === undefined) break
        if (line.cells.length !== cells.length) {
          throw new Error(`${name}, line ${line.number}: there are ${line.cells.length} cells; expected ${cells.length}, as in the first line`)
        }
        for (const place of places) numbers[filled++] = cellOf(name, line, place)
      }
      return numbers.subarray(0, filled)
    },
  }
}

function cellOf(name: string, { cells, number }: Line, place: number): number {
  const cell = cells[place]
  const value = numberOf(cell)
  if (Number.isNaN(value) && !isNaNText(cell)) {
    const came = cell === '' ? 'is empty' : `is '${cell.length > 40 ? `${cell.slice(0, 40)}...` : cell}'`
    throw new Error(`${name}, line ${number}: column ${place + 1} ${came}; expected a number`)
  }
  return value
}

/** Also `inf` and `-inf`, as Python writes them. NaN for what is no number. */
function numberOf(cell: string): number {
  const [, sign, infinity] = /^([+-]?)(inf|infinity)$/i.exec(cell) ?? []
  if (infinity !== undefined) return sign === '-' ? -Infinity : Infinity
  return cell === '' ? NaN : Number(cell)
}

function isNaNText(cell: string): boolean {
  return cell.toLowerCase() === 'nan'
}
