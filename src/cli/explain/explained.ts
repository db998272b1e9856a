/** What was explained, and of which files: the JSON that `--json` writes, and what tables, charts and pages are made of. */
import type { Explanation } from 'focal-loss'

export interface ExplainedFiles extends Explanation {
  readonly file: string
  readonly targets: string
  readonly loss: 'sigmoid' | 'softmax'
  /** Logits a row. */
  readonly classes: number
}
