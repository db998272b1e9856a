/** Explains given files, as `focal-loss explain` does. */
import { type BackendName, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
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
}

/** Throws a sentence that names the file. `advanced` hears what share has been read. */
export async function explainGiven(given: Given, choices: ExplainChoices, backend: BackendName, advanced: (share: number) => void): Promise<ExplainedFiles> {
  const { loss, gammas, alpha, background, ignoreIndex } = choices
  const file = given.logits.name
  const targets = given.targets?.name
  const Loss = loss === 'sigmoid' ? SigmoidFocalLoss : SoftmaxFocalLoss
  const explainer = new Loss({ background, ignoreIndex, backend }).explainer({ gammas, alphas: [alpha] })
  const source = await openSource(filesOf(given), { file, targets, arrays: { logits: 'logits', targets: 'targets' }, perRow: loss === 'softmax', indexed: background !== null })
  try {
    if (loss === 'softmax' && source.classes === 1) throw new Error(`${file} has one logit a row; expected a row of classes for a softmax`)
    await addAll([explainer], source, file, advanced)
    return { file, targets: targets ?? file, loss, classes: source.classes, notes: notesOf(source.taken), warnings: source.warnings(), ...explainer.result() }
  } finally {
    await source.close()
  }
}
