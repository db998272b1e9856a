/** A table of text as numbers, whatever has cut it into cells. */
import { counted } from '../../../errors.js'
import { printable } from '../../output/printable.js'
import type { TableReader } from './array_reader.js'
import { chooseColumns, type ColumnChoice, type Role, takenOf } from './columns.js'
import { isBoolean, isMissing, type Line, numberOf } from './csv_cells.js'
import type { Dialect } from './csv_dialect.js'
import { headerOf } from './csv_header.js'

const THOUSANDS = /^[+-]?[1-9]\d{0,2},\d{3}$/

/** Lines that are looked at before the first is read. */
const LOOKED_AT = 100

/** The chosen columns, logits before targets; a target that is missing is NaN. The first line is a header where any of its cells is no number. */
export async function csvTable(
  name: string,
  lines: AsyncIterator<Line, void>,
  delimiter: Dialect['delimiter'],
  role: Role,
  choice: ColumnChoice,
): Promise<Pick<TableReader, 'rest' | 'logits' | 'read' | 'integers' | 'taken'>> {
  const first = await take(lines, LOOKED_AT)
  if (first.length === 0) throw new Error(`${name} is empty; expected lines of numbers`)
  const { columns, lines: skipped, notes } = headerOf(first, choice.header)
  const chosen = chooseColumns(name, columns, role, choice)
  const places = [...chosen.logits, ...chosen.targets]
  const pending = first.slice(skipped).values()
  const nextLine = async (): Promise<Line | undefined> => {
    const { value, done } = pending.next()
    if (done !== true) return value
    const next = await lines.next()
    return next.done === true ? undefined : next.value
  }
  const cellOf = cellReader(name, delimiter, chosen.logits.length, places)
  const isInteger = (cell: string | undefined) => cell === undefined || isMissing(cell) || (Number.isInteger(numberOf(cell)) && !isBoolean(cell) && !/[.,e]/i.test(cell))
  return {
    rest: [places.length],
    logits: chosen.logits.length,
    integers: first.slice(skipped).every(({ cells }) => chosen.targets.every((place) => isInteger(cells[place]))),
    taken: takenOf(columns, chosen, notes),
    async read(count) {
      const numbers = new Float64Array(count - (count % places.length))
      let filled = 0
      while (filled < numbers.length) {
        const line = await nextLine()
        if (line === undefined) break
        if (line.cells.length !== columns.count) {
          throw new Error(`${name}, line ${line.number}: there are ${counted(line.cells.length, 'cell')}; expected ${columns.count}, as in the first line`)
        }
        for (let at = 0; at < places.length; at++) numbers[filled++] = cellOf(line, at)
      }
      return numbers.subarray(0, filled)
    },
  }
}

async function take(lines: AsyncIterator<Line, void>, most: number): Promise<Line[]> {
  const taken: Line[] = []
  while (taken.length < most) {
    const next = await lines.next()
    if (next.done === true) break
    taken.push(next.value)
  }
  return taken
}

/** Reads the cell of a line at one of the places, of which the first `logits` are of logits. */
function cellReader(name: string, delimiter: Dialect['delimiter'], logits: number, places: readonly number[]): (line: Line, at: number) => number {
  let decimal: { readonly mark: ',' | '.'; readonly line: number } | undefined
  return ({ cells, number }, at) => {
    const cell = cells[places[at]]
    const value = numberOf(cell)
    const where = `${name}, line ${number}: column ${places[at] + 1}`
    if (Number.isNaN(value)) {
      if (isMissing(cell) && (at >= logits || /nan$/i.test(cell))) return NaN
      const came = cell === '' ? 'is empty' : `is '${printable(cell, 40)}'`
      throw new Error(`${where} ${came}; expected a number`)
    }
    const mark = cell.includes('.') ? '.' : cell.includes(',') ? ',' : undefined
    if (mark === undefined) return value
    // Where commas are delimiters, one within a cell may also part thousands
    if (decimal === undefined && delimiter === ',' && THOUSANDS.test(cell)) throw new Error(`${where} is '${printable(cell, 40)}'; expected a number without a comma, which may part thousands`)
    decimal ??= { mark, line: number }
    if (mark !== decimal.mark) throw new Error(`${where} is '${printable(cell, 40)}', with a decimal '${mark}'; expected '${decimal.mark}', as in line ${decimal.line}`)
    return value
  }
}
