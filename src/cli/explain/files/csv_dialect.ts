/** Detects the delimiter of a text file from its first lines, because file extensions are unreliable. */

export interface Dialect {
  readonly delimiter: ',' | ';' | '\t' | '|' | ' '
  /** The line the table begins with, from 1 on. */
  readonly fromLine: number
}

/** Bytes of a file that are enough to see it. */
export const HEAD_BYTES = 1 << 16

/** Of the first bytes of a file: UTF-8, or UTF-16 where a byte order mark says so, as spreadsheets write it. Throws for UTF-16 of the other byte order, which nobody writes. */
export function dialectOf(head: Uint8Array): Dialect {
  if (head[0] === 0xfe && head[1] === 0xff) throw new Error('it is UTF-16, big-endian; expected UTF-8, or UTF-16, little-endian')
  const text = new TextDecoder(head[0] === 0xff && head[1] === 0xfe ? 'utf-16le' : 'utf-8').decode(head)
  const [first = '', second = ''] = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '')
  const [, told] = /^"?sep=([,;|\t])"?$/i.exec(first) ?? []
  if (told !== undefined) return { delimiter: told as Dialect['delimiter'], fromLine: 2 }
  const bare = unquoted(first)
  // A comma may be a decimal one where there is a semicolon, and not the other way round
  const delimiter = (['\t', ';', ',', '|'] as const).find((one) => bare.includes(one))
  return { delimiter: delimiter ?? (areSpaced(bare, unquoted(second)) ? ' ' : ','), fromLine: 1 }
}

function unquoted(line: string): string {
  return line.replace(/"(?:[^"]|"")*"/g, 'quoted')
}

/** Numbers with blanks between, as numpy.savetxt writes them, under a header or not. */
function areSpaced(first: string, second: string): boolean {
  const [cells, next] = [first, second].map((line) => line.replace(/^\s*#/, '').trim().split(/ +/))
  const areNumbers = (some: readonly string[]) => some.every((cell) => cell !== '' && !Number.isNaN(Number(cell)))
  return cells.length > 1 && (second === '' ? areNumbers(cells) : next.length === cells.length && areNumbers(next))
}
