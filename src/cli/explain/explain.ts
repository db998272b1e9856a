/** `focal-loss explain`: where a loss and its gradient go, and how good the scores are, on the logits and targets of files of any size. */
import { writeOutput } from '../output/write_file.js'
import { terminalWidth, toldWidth } from '../output/wrap.js'
import { explainChart } from './chart.js'
import { evaluatedTables } from './evaluation.js'
import { expectWritable } from './expect_writable.js'
import { explainPage } from './page.js'
import { explainedOf, mergedParts, readParts } from './parts.js'
import { type Found, partFileOf } from './question.js'
import { type Format, withFile } from './standard_input.js'
import { textOf } from './tables.js'
import { inProcesses } from './threads.js'
import { QUERY } from './sql.js'
import { explainSource, type WorkOptions } from './work.js'

export interface ExplainCommandOptions extends WorkOptions {
  /** Files to write. Of JSON `-` is standard output. */
  readonly json?: string
  readonly svg?: string
  readonly html?: string
  readonly save?: string
  /** Files that `save` wrote, in place of logits. */
  readonly merge?: readonly string[]
  readonly threads?: number
  /** Of standard input. */
  readonly format?: Format
}

/** What to print, and what people should see of it where it is for programs. */
export interface Output {
  readonly text: string
  readonly warnings: readonly string[]
}

/** Without a file there is `merge` or `sql`. Nothing is written before all has been read and checked. */
export async function explainFiles(file: string | undefined, options: ExplainCommandOptions): Promise<Output> {
  const { json, svg, html, save, targets, merge } = options
  const read = [file, targets, ...(merge ?? [])].filter((path) => path !== undefined)
  const written = Object.entries({ json, svg, html, save }).filter(([option, path]) => path !== undefined && !(option === 'json' && path === '-'))
  for (const [option, path] of written) await expectWritable(`--${option}`, path as string, read)
  const found = await find(file, options)
  if (save !== undefined) await writeOutput('--save', save, `${JSON.stringify(partFileOf(found))}\n`)
  const explained = explainedOf(found)
  const text = JSON.stringify(explained, null, 2)
  if (json !== undefined && json !== '-') await writeOutput('--json', json, `${text}\n`)
  if (svg !== undefined) await writeOutput('--svg', svg, explainChart(explained))
  if (html !== undefined) await writeOutput('--html', html, explainPage(explained))
  return json === '-' ? { text, warnings: explained.warnings } : { text: textOf(evaluatedTables(explained), terminalWidth(), toldWidth()), warnings: [] }
}

function find(file: string | undefined, options: ExplainCommandOptions): Promise<Found> {
  const { threads = 1, format, sql, merge } = options
  if (sql !== undefined) return explainSource(QUERY, options)
  if (file === undefined) return readParts(merge ?? []).then(mergedParts)
  if (threads === 1) return withFile(file, format, async (path, renamed) => {
    const { title, work } = await explainSource(path, options)
    return { title: renamed(title), work }
  })
  if (file === '-') throw new Error('--threads is given for standard input; expected a file, which several processes can read')
  return inProcesses(threads)
}
