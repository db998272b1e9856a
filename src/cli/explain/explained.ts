/** The report and its files: the data that `--json` writes, and that tables, charts and pages show. */
import type { Evaluation, ExplainedLoss, Explanation } from 'focal-loss'
import { type TakenColumns, takenText } from './files/columns.js'
import type { LossName } from './losses.js'

export interface ExplainedFiles extends Explanation {
  readonly file: string
  readonly targets: string
  readonly loss: LossName
  /** Logits a row. */
  readonly classes: number
  /** Which columns of tables were taken, and why. */
  readonly notes: readonly string[]
  /** What the data may mean beside what was read. */
  readonly warnings: readonly string[]
}

/** The gamma and the alpha of a loss, where it has them. */
export type Trained = Pick<ExplainedLoss, 'gamma' | 'alpha'>

/** With the scores judged. */
export interface EvaluatedFiles extends ExplainedFiles {
  /** The first that is to be read. */
  readonly reading: string
  readonly evaluation: {
    /** The loss that scores are recalibrated for. */
    readonly trained: Trained
    readonly scores: Evaluation
  }
}

/** Sentences, of which the first name the columns. */
export function notesOf(taken: ReadonlyMap<string, TakenColumns>): string[] {
  const tables = [...taken]
  return [...tables.map(([table, columns]) => takenText(table, columns)), ...tables.flatMap(([table, { notes }]) => notes.map((note) => `${table}: ${note}`))]
}
