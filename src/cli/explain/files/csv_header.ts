/** Whether the first line of a table of text is a header, and what the columns are called. */
import type { Columns } from './columns.js'
import { isMissing, type Line, numberOf } from './csv_cells.js'

export interface Header {
  readonly columns: Columns
  /** Lines that are no rows. */
  readonly lines: 0 | 1
  readonly notes: readonly string[]
}

/** Rows from which on a column that counts them is no chance. */
const ENOUGH = 3

/** `first` are the first lines, at least one; `told` is what the command line says. */
export function headerOf(first: readonly Line[], told: boolean | undefined): Header {
  const { cells } = first[0]
  const numbered = isNumbered(cells)
  const isHeader = told ?? (numbered || cells.some((cell) => !isMissing(cell) && Number.isNaN(numberOf(cell))))
  const rows = first.slice(isHeader ? 1 : 0)
  const names = isHeader ? namesOf(cells, rows[0]?.cells) : []
  const count = isHeader ? names.length : cells.length
  const columns = { names, count, numbered: isHeader && numbered, firstCounts: counts(rows, names[0] === '' ? 1 : ENOUGH) }
  const notes = isHeader && numbered && told === undefined ? [`the first line, ${shown(cells)}, is taken for a header (--no-header takes it for a row)`] : []
  return { columns, lines: isHeader ? 1 : 0, notes }
}

/** Names as numpy.savetxt comments them out; where R writes row names, it has none for them. */
function namesOf(cells: readonly string[], row: readonly string[] | undefined): readonly string[] {
  const names = cells[0] === '#' ? cells.slice(1) : [cells[0].replace(/^#\s*/, ''), ...cells.slice(1)]
  return row !== undefined && row.length === names.length + 1 && row[row.length - 1] !== '' ? ['', ...names] : names
}

/** The columns of a pandas frame without names: 0, 1, 2, and its index before them or not. */
function isNumbered(cells: readonly string[]): boolean {
  const names = cells[0] === '' ? cells.slice(1) : cells
  return names.length > (cells[0] === '' ? 0 : 1) && names.every((cell, place) => cell === String(place))
}

/** Whether the first cells are 0, 1, 2, ... or, as R counts, 1, 2, 3, ... */
function counts(rows: readonly Line[], enough: number): boolean {
  const start = Number(rows[0]?.cells[0])
  return rows.length >= enough && (start === 0 || start === 1) && rows.every(({ cells }, row) => cells[0] === String(start + row))
}

function shown(cells: readonly string[]): string {
  return cells.length > 6 ? `${cells.slice(0, 4).join(',')},...,${cells[cells.length - 1]}` : cells.join(',')
}
