/** `focal-loss explain`: where a loss and its gradient go, on the logits and targets of files of any size. */
import { access, constants, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { reasonOf } from '../../errors.js'
import { startProgress } from '../output/progress.js'
import { addAll } from './add_all.js'
import { explainChart } from './chart.js'
import type { ExplainedFiles } from './explained.js'
import { diskFiles } from './files/open.js'
import { openSource, type SourceOptions } from './files/source.js'
import { explainPage } from './page.js'
import { tablesOf, textOf } from './tables.js'

export interface ExplainCommandOptions extends Omit<SourceOptions, 'file' | 'arrays'> {
  readonly loss: 'sigmoid' | 'softmax'
  readonly gammas: readonly number[]
  readonly alphas: readonly (number | null)[]
  readonly background: number | 'num-classes' | null
  readonly ignoreIndex: number | null
  readonly logitsArray: string
  readonly targetsArray: string
  readonly hardest: number
  readonly bins?: number | readonly number[]
  /** Files to write; `-` is standard output. */
  readonly json?: string
  readonly svg?: string
  readonly html?: string
}

/** Returns what to print. Nothing is written before all has been read and checked. */
export async function explainFiles(file: string, options: ExplainCommandOptions): Promise<string> {
  const { json, svg, html } = options
  for (const path of [json, svg, html]) if (path !== undefined && path !== '-') await expectWritable(path)
  const explained = await explainSource(file, options)
  const text = JSON.stringify(explained, null, 2)
  if (json !== undefined && json !== '-') await writeFile(json, `${text}\n`)
  if (svg !== undefined) await writeFile(svg, explainChart(explained))
  if (html !== undefined) await writeFile(html, explainPage(explained))
  return json === '-' ? text : textOf(tablesOf(explained))
}

async function explainSource(file: string, options: ExplainCommandOptions): Promise<ExplainedFiles> {
  const { loss, gammas, alphas, background, ignoreIndex, hardest, bins, logitsArray, targetsArray } = options
  const Loss = loss === 'sigmoid' ? SigmoidFocalLoss : SoftmaxFocalLoss
  const explainer = new Loss({ background, ignoreIndex }).explainer({ gammas, alphas, hardest, bins })
  const source = await openSource(diskFiles, { ...options, file, arrays: { logits: logitsArray, targets: targetsArray } })
  const progress = startProgress(1)
  try {
    const { classes } = source
    if (loss === 'softmax' && classes === 1) throw new Error(`${file} has one logit a row; expected a row of classes for a softmax (--shape tells it of a .npy file)`)
    let done = 0
    await addAll(explainer, source, file, (share) => {
      progress.advance(share - done)
      done = share
    })
    return { file, targets: options.targets ?? file, loss, classes, ...explainer.result() }
  } finally {
    progress.stop()
    await source.close()
  }
}

/** Minutes of reading should not end with a chart that cannot be written. */
async function expectWritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK)
  } catch (error) {
    throw new Error(`${path} cannot be written (${reasonOf(error)})`, { cause: error })
  }
}
