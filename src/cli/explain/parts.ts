/** What `--save` writes of a part of the data, and how parts become one. */
import { readFile } from 'node:fs/promises'
import type { Scores } from 'focal-loss'
import { reasonOf } from '../../errors.js'
import { readingOf } from './evaluation.js'
import type { EvaluatedFiles } from './explained.js'
import { type PartFile, workOf } from './question.js'

export interface NamedPart {
  readonly path: string
  readonly part: PartFile
}

export function readParts(paths: readonly string[]): Promise<NamedPart[]> {
  return Promise.all(paths.map(async (path) => ({ path, part: await readPart(path) })))
}

async function readPart(path: string): Promise<PartFile> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Error(`${path} cannot be read (${reasonOf(error)})`, { cause: error })
  })
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch (error) {
    throw new Error(`${path} is no JSON; expected what --save wrote`, { cause: error })
  }
  const { kind, version } = Object(found) as Partial<PartFile>
  if (kind !== 'focal-loss explain' || version !== 1) throw new Error(`${path} is not what --save of this version wrote`)
  return found as PartFile
}

/** Parts in the order of the data: rows are counted through. */
export function mergedParts(parts: readonly NamedPart[]): PartFile {
  const [{ part: first }] = parts
  const { explainer, evaluator } = workOf(first.question)
  for (const { path, part } of parts) {
    try {
      explainer.merge(part.explainer)
      evaluator.merge(part.evaluator)
    } catch (error) {
      throw new Error(`${path} does not go with ${parts[0].path}: ${reasonOf(error)}`, { cause: error })
    }
  }
  const all = (of: (part: PartFile) => string) => [...new Set(parts.map(({ part }) => of(part)))]
  const distinct = (of: (part: PartFile) => readonly string[]) => [...new Set(parts.flatMap(({ part }) => of(part)))]
  return {
    ...first,
    file: listed(all(({ file }) => file)),
    targets: listed(all(({ targets }) => targets)),
    notes: distinct(({ notes }) => notes),
    warnings: distinct(({ warnings }) => warnings),
    explainer: explainer.state(),
    evaluator: evaluator.state(),
  }
}

function listed(files: readonly string[]): string {
  return files.length > 2 ? `${files.length} files (${files[0]} to ${files[files.length - 1]})` : files.join(', ')
}

/** What a part says, or all of them merged. */
export function explainedOf({ question, file, targets, classes, notes, warnings, ...states }: PartFile): EvaluatedFiles {
  const { explainer, evaluator, trained } = workOf(question)
  const scores = evaluator.merge(states.evaluator).result()
  const { raw, recalibrated, tempered } = scores
  const evaluation = { trained, scores: { ...scores, raw: slim(raw), recalibrated: slim(recalibrated), tempered: tempered && slim(tempered) } }
  const found = { file, targets, loss: question.loss, classes, notes, warnings, ...explainer.merge(states.explainer).result(), evaluation }
  return { ...found, reading: readingOf(found) }
}

/** Without the curves of each class, which nobody looks at: of many they would be megabytes. */
function slim(scores: Scores): Scores {
  return { ...scores, classes: scores.classes.map((figures) => ({ ...figures, precisionRecall: [], roc: [] })) }
}
