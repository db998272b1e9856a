/** Columns on a terminal: the first `left` are text, the others numbers. */
export function alignColumns(rows: readonly (readonly string[])[], left: number): string[] {
  return aligned(rows, left, widthsOf(rows))
}

/** The same in no more than `width` columns, where they fit: what does not is put below, with the columns of text before it again, or the first one. */
export function fittedColumns(rows: readonly (readonly string[])[], left: number, width: number): string[] {
  const widths = widthsOf(rows)
  const repeated = widths.slice(0, Math.max(1, left))
  const parts: number[][] = [[]]
  for (let column = repeated.length; column < widths.length; column++) {
    const part = parts[parts.length - 1]
    const taken = [...repeated, ...part.map((each) => widths[each]), widths[column]]
    if (part.length > 0 && taken.reduce((sum, each) => sum + each + 2, -2) > width) parts.push([column])
    else part.push(column)
  }
  return parts.flatMap((part, i) => {
    const columns = [...repeated.keys(), ...part]
    const lines = aligned(rows.map((row) => columns.map((column) => row[column])), left, columns.map((column) => widths[column]))
    return i === 0 ? lines : ['', ...lines]
  })
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  return rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
}

function aligned(rows: readonly (readonly string[])[], left: number, widths: readonly number[]): string[] {
  return rows.map((row) =>
    row
      .map((cell, column) => (column < left ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  )
}
