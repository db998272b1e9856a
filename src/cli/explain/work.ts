/** One pass over the logits and targets of a file, or of a part of it, and its result. */
import { startProgress } from '../output/progress.js'
import { addAll } from './add_all.js'
import { notesOf } from './explained.js'
import type { SourceOptions } from './files/files.js'
import { diskFiles } from './files/open.js'
import { openSource } from './files/source.js'
import { sqlSource } from './sql.js'
import { type Found, type Question, workOf } from './question.js'

/** What the library says of an index that is no class, and what the command line does. */
const HINTS = [
  ['set background or ignoreIndex to allow others', '--background or --ignore-index allows others'],
  ["targetKind: 'labels' takes", '--target-kind labels takes'],
] as const

export interface WorkOptions extends Omit<SourceOptions, 'inputs' | 'file' | 'arrays' | 'perRow' | 'indexed' | 'missing'>, Question {
  readonly logitsArray: string
  readonly targetsArray: string
  /** Which share of the file, and of how many: `[0, 4]` is the first quarter. */
  readonly part?: readonly [index: number, count: number]
  /** A query in place of a file. */
  readonly sql?: string
}

/** `file` is what messages call it. */
export async function explainSource(file: string, options: WorkOptions): Promise<Found> {
  const { loss, inputs, background, hardest, bins, gammas, alphas, positiveFrom, logitsArray, targetsArray, sql, part: [index, count] = [0, 1] } = options
  // Missing targets are masked, whatever their type
  const missing = Number.isNaN(options.ignoreIndex)
  if (positiveFrom !== undefined && loss !== 'heatmap') throw new Error(`--positive-from is given with --loss ${loss}; expected it with --loss heatmap`)
  const question: Question = { loss, inputs, background, ignoreIndex: missing ? null : options.ignoreIndex, positiveFrom, gammas, alphas, hardest, bins }
  const work = workOf(question)
  if (count > 1 && /\.(?:csv|tsv|txt)(?:\.gz)?$/i.test(file)) {
    throw new Error(`--threads or --part is given for ${file}, whose end alone tells how long it is; expected .npy, .npz, .safetensors, .parquet or .arrow (of tables in several files, --save a part of each)`)
  }
  const perRow = loss === 'softmax'
  const meaning = { ...options, perRow, indexed: background !== null, missing }
  const source = sql === undefined ? await openSource(diskFiles, { ...meaning, file, arrays: { logits: logitsArray, targets: targetsArray } }) : await sqlSource(sql, meaning)
  const progress = startProgress(1)
  try {
    const { classes } = source
    if (perRow && classes === 1) throw new Error(`${file} has one logit a row; expected a row of classes for a softmax (--shape tells it of a .npy file), or --loss sigmoid`)
    let done = 0
    const advanced = (share: number) => {
      progress.advance(share - done)
      done = share
    }
    await addAll([work.explainer, work.evaluator], source, file, advanced, { from: index / count, to: (index + 1) / count }).catch(inFlags)
    // Whoever names another loss knows what the model ends in
    const notes = [...notesOf(source.taken), ...(loss === 'sigmoid' ? source.notes : [])]
    return { title: { kind: 'focal-loss explain', version: 1, question, file, targets: options.targets ?? file, classes, notes, warnings: source.warnings }, work }
  } finally {
    progress.stop()
    await source.close()
  }
}

/** The hints of the library name its options. */
function inFlags(error: unknown): never {
  if (!(error instanceof Error)) throw error
  const message = HINTS.reduce((text, [its, ours]) => text.replace(its, ours), error.message)
  throw message === error.message ? error : new Error(message, { cause: error })
}
