/** Explains given files, and judges their scores, as `focal-loss explain` does. */
import { type BackendName, type Evaluation, evaluator, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { type ExplainedFiles, notesOf } from '../../../src/cli/explain/explained.js'
import { addAll } from '../../../src/cli/explain/add_all.js'
import { openSource } from '../../../src/cli/explain/files/source.js'
import { filesOf, type Given } from './given_files.js'

export interface ExplainChoices {
  readonly loss: 'sigmoid' | 'softmax'
  readonly gammas: readonly number[]
  readonly alpha: number | null
  readonly background: number | 'num-classes' | null
  readonly ignoreIndex: number | null
  /** The loss that the model was trained with: scores are recalibrated for it. */
  readonly trained: { readonly gamma: number; readonly alpha: number | null }
}

export interface Judged {
  readonly explained: ExplainedFiles
  readonly evaluation: Evaluation
}

/** Throws a sentence that names the file. `advanced` hears what share has been read. */
export async function explainGiven(given: Given, choices: ExplainChoices, backend: BackendName, advanced: (share: number) => void): Promise<Judged> {
  const { loss, gammas, alpha, background, ignoreIndex, trained } = choices
  const file = given.logits.name
  const targets = given.targets?.name
  const Loss = loss === 'sigmoid' ? SigmoidFocalLoss : SoftmaxFocalLoss
  const explainer = new Loss({ background, ignoreIndex, backend }).explainer({ gammas, alphas: [alpha] })
  const judge = evaluator({ loss: new Loss({ ...trained, background, ignoreIndex, backend }) })
  const source = await openSource(filesOf(given), { file, targets, arrays: { logits: 'logits', targets: 'targets' }, perRow: loss === 'softmax', indexed: background !== null })
  try {
    if (loss === 'softmax' && source.classes === 1) throw new Error(`${file} has one logit a row; expected a row of classes for a softmax`)
    await addAll([explainer, judge], source, file, advanced)
    const evaluation = judge.result()
    const explained = { file, targets: targets ?? file, loss, classes: source.classes, notes: notesOf(source.taken), warnings: [...source.warnings, ...evaluation.warnings], ...explainer.result() }
    return { explained, evaluation }
  } finally {
    await source.close()
  }
}
