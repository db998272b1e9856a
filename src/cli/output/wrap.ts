/** Text that fits a terminal. */
import { environment } from '../../environment.js'

/** Where nobody tells: what is piped, and terminals that do not say. */
const USUAL = 80
const LEAST = 40

/** Columns of standard output; COLUMNS says it for what is piped. */
export function terminalWidth(): number {
  return toldWidth() ?? USUAL
}

/** The same; `undefined` where nobody tells, and lines are best left whole for programs. */
export function toldWidth(): number | undefined {
  const told = process.stdout.columns || Number(environment('COLUMNS'))
  return told > 0 ? Math.max(LEAST, Math.floor(told)) : undefined
}

/** Lines of at most `width` columns, broken between words; those after the first are indented. Words that are too long are cut. */
export function wrapped(text: string, width: number, indent: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ' '.repeat(indent)
    }
    line += line.trim() === '' ? word : ` ${word}`
    while (line.length > width) {
      lines.push(line.slice(0, width))
      line = ' '.repeat(indent) + line.slice(width)
    }
  }
  return [...lines, line]
}
