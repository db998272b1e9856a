/** Which of the files that were dropped are the logits, and which the targets. */
import { type Given, isNpy, isTable } from './given_files.js'

/** Throws a sentence where that cannot be told; `incomplete` is one that says what is still missing. */
export type Chosen = { readonly given: Given } | { readonly incomplete: string }

export function chooseFiles(files: readonly File[]): Chosen {
  const strange = files.find((file) => !isNpy(file) && !isTable(file))
  if (strange !== undefined) throw new Error(`${strange.name} is neither .npy nor .csv nor .tsv; expected one of them`)
  if (files.length > 2) throw new Error(`these are ${files.length} files; expected one table, or two files, logits and targets`)
  if (files.length === 2) {
    const targets = files.filter(namesTargets)
    if (targets.length !== 1) throw new Error(`${files[0].name} and ${files[1].name} do not tell which of them has the targets; expected "target" or "label" in the name of one`)
    return { given: { logits: files.find((file) => file !== targets[0]) ?? files[0], targets: targets[0] } }
  }
  const [only] = files
  if (isTable(only)) return { given: { logits: only } }
  return { incomplete: `${only.name} holds one array; choose or drop the logits and the targets together.` }
}

function namesTargets({ name }: File): boolean {
  return /target|label/i.test(name)
}
