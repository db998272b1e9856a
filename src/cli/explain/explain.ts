/** `focal-loss explain`: where a loss and its gradient go, on the logits and targets of files of any size. */
import { writeFile } from 'node:fs/promises'
import { startProgress } from '../output/progress.js'
import { addAll } from './add_all.js'
import { explainChart } from './chart.js'
import { type ExplainedFiles, notesOf } from './explained.js'
import { expectWritable } from './expect_writable.js'
import { diskFiles } from './files/open.js'
import { openSource } from './files/source.js'
import type { SourceOptions } from './files/files.js'
import { comparedOf, type LossName, makeLoss } from './losses.js'
import { explainPage } from './page.js'
import { tablesOf, textOf } from './tables.js'

export interface ExplainCommandOptions extends Omit<SourceOptions, 'file' | 'arrays' | 'perRow' | 'indexed' | 'missing'> {
  readonly loss: LossName
  readonly gammas?: readonly number[]
  readonly alphas?: readonly (number | null)[]
  readonly background: number | 'num-classes' | null
  /** NaN: targets that are missing. */
  readonly ignoreIndex: number | null
  /** Of a heatmap. */
  readonly positiveFrom?: number
  readonly logitsArray: string
  readonly targetsArray: string
  readonly hardest: number
  readonly bins?: number | readonly number[]
  /** Files to write; `-` is standard output. */
  readonly json?: string
  readonly svg?: string
  readonly html?: string
}

/** What to print, and what people should see of it where it is for programs. */
export interface Output {
  readonly text: string
  readonly warnings: readonly string[]
}

/** Nothing is written before all has been read and checked. */
export async function explainFiles(file: string, options: ExplainCommandOptions): Promise<Output> {
  const { json, svg, html, targets } = options
  const written = Object.entries({ json, svg, html }).filter(([, path]) => path !== undefined && path !== '-')
  for (const [option, path] of written) await expectWritable(`--${option}`, path as string, targets === undefined ? [file] : [file, targets])
  const explained = await explainSource(file, options)
  const text = JSON.stringify(explained, null, 2)
  if (json !== undefined && json !== '-') await writeFile(json, `${text}\n`)
  if (svg !== undefined) await writeFile(svg, explainChart(explained))
  if (html !== undefined) await writeFile(html, explainPage(explained))
  return json === '-' ? { text, warnings: explained.warnings } : { text: textOf(tablesOf(explained)), warnings: [] }
}

async function explainSource(file: string, options: ExplainCommandOptions): Promise<ExplainedFiles> {
  const { loss, background, hardest, bins, logitsArray, targetsArray } = options
  // Missing targets are masked, whatever their type
  const missing = Number.isNaN(options.ignoreIndex)
  if (options.positiveFrom !== undefined && loss !== 'heatmap') throw new Error(`--positive-from is given with --loss ${loss}; expected it with --loss heatmap`)
  const made = makeLoss(loss, { background, ignoreIndex: missing ? null : options.ignoreIndex, positiveFrom: options.positiveFrom })
  const { gammas, alphas } = { ...comparedOf(loss), ...(options.gammas && { gammas: options.gammas }), ...(options.alphas && { alphas: options.alphas }) }
  const explainer = made.explainer({ gammas, alphas, hardest, bins })
  const perRow = loss === 'softmax'
  const source = await openSource(diskFiles, { ...options, file, arrays: { logits: logitsArray, targets: targetsArray }, perRow, indexed: background !== null, missing })
  const progress = startProgress(1)
  try {
    const { classes } = source
    if (perRow && classes === 1) throw new Error(`${file} has one logit a row; expected a row of classes for a softmax (--shape tells it of a .npy file), or --loss sigmoid`)
    let done = 0
    await addAll(explainer, source, file, (share) => {
      progress.advance(share - done)
      done = share
    })
    return { file, targets: options.targets ?? file, loss, classes, notes: notesOf(source.taken), warnings: source.warnings(), ...explainer.result() }
  } finally {
    progress.stop()
    await source.close()
  }
}
