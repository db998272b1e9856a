/** The commands in the ```sh blocks of a markdown page. */
import type { Block } from './doc_blocks.js'

export interface Command {
  /** Page and line. */
  readonly at: string
  /** Environment variables set for it. */
  readonly variables: Readonly<Record<string, string>>
  /** The command and its arguments, without quotes and redirections. */
  readonly words: readonly string[]
}

/** One for each part of a line that `|`, `&&` or `;` divides. */
export function commandsOf(blocks: readonly Block[]): Command[] {
  return blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ page, line, code }) =>
      code.split('\n').flatMap((text, i) => partsOf(text).map((words) => ({ at: `${page}:${line + i}`, ...withVariables(words) }))),
    )
}

/** The words of each part of a line; a comment ends it. */
function partsOf(line: string): string[][] {
  const parts: string[][] = [[]]
  for (const [word] of line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'";]|;(?=\S))+|;/g)) {
    if (word.startsWith('#')) break
    if (['|', '&&', '||', ';'].includes(word)) parts.push([])
    else parts[parts.length - 1].push(word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'))
  }
  return parts.filter((words) => words.length > 0)
}

function withVariables(words: readonly string[]): Pick<Command, 'variables' | 'words'> {
  const isVariable = (word: string) => /^[A-Z_]+=/.test(word)
  const from = words.findIndex((word) => !isVariable(word))
  const variables = Object.fromEntries(words.slice(0, from).map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]))
  const redirection = words.findIndex((word) => /^\d?[<>]/.test(word))
  return { variables, words: words.slice(from, redirection < 0 ? undefined : redirection) }
}
