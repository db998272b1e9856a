/** The files of `--save` for parts of the data, and how `--merge` combines them. */
import { readFile } from 'node:fs/promises'
import type { Evaluation, Scores } from 'focal-loss'
import { MAY_BE_PROBABILITIES } from '../../analysis/evaluate/probable.js'
import { reasonOf } from '../../errors.js'
import { readingOf } from './evaluation.js'
import type { EvaluatedFiles } from './explained.js'
import { mayBeProbabilities } from './files/logits.js'
import { lossNames } from './losses.js'
import { type Found, type PartFile, type PartTitle, type Question, workOf } from './question.js'

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
  checkPart(path, found as PartFile)
  return found as PartFile
}

/** Throws for what is damaged; sums are looked at when they are merged. */
function checkPart(path: string, part: PartFile): void {
  const { question, file, targets, classes, notes, warnings } = part
  const { loss } = Object(question) as Partial<PartFile['question']>
  const expect = (name: string, value: unknown, isRight: boolean, expected: string) => {
    if (!isRight) throw new Error(`${path} is damaged: its ${name} is ${JSON.stringify(value) ?? 'missing'}; expected ${expected}`)
  }
  const areTexts = (value: unknown) => Array.isArray(value) && value.every((each) => typeof each === 'string')
  expect('question.loss', loss, lossNames.some((name) => name === loss), `one of ${lossNames.join(', ')}`)
  expect('file', file, typeof file === 'string', 'a text')
  expect('targets', targets, typeof targets === 'string', 'a text')
  expect('classes', classes, Number.isInteger(classes) && classes > 0, 'an integer >= 1')
  expect('notes', notes, areTexts(notes), 'an array of texts')
  expect('warnings', warnings, areTexts(warnings), 'an array of texts')
  try {
    workOf(question)
  } catch (error) {
    throw new Error(`${path} is damaged: its question cannot be asked (${reasonOf(error)})`, { cause: error })
  }
}

/** Parts in the order of the data: rows are counted through. */
export function mergedParts(parts: readonly NamedPart[]): Found {
  const [{ part: first }] = parts
  const work = workOf(first.question)
  parts.forEach(({ path, part }, i) => {
    if (parts.findIndex((other) => other.path === path) < i) throw new Error(`${path} is given twice; expected each part once`)
    expectSame(parts[0], { path, part })
  })
  for (const { path, part } of parts) {
    try {
      work.explainer.merge(part.explainer)
      work.evaluator.merge(part.evaluator)
    } catch (error) {
      const refusal = part === first ? `${path} is damaged` : `${path} does not go with ${parts[0].path}`
      throw new Error(`${refusal}: ${reasonOf(error)}`, { cause: error })
    }
  }
  const all = (of: (part: PartTitle) => string) => [...new Set(parts.map(({ part }) => of(part)))]
  const distinct = (of: (part: PartTitle) => readonly string[]) => [...new Set(parts.flatMap(({ part }) => of(part)))]
  const { kind, version, question, classes } = first
  const [file, targets] = [listed(all((part) => part.file)), listed(all((part) => part.targets))]
  return { title: { kind, version, question, file, targets, classes, notes: distinct(({ notes }) => notes), warnings: distinct(({ warnings }) => warnings) }, work }
}

/** What is asked of a part must be asked of all. */
function expectSame(first: NamedPart, { path, part }: NamedPart): void {
  for (const name of ['loss', 'inputs', 'gammas', 'alphas', 'background', 'ignoreIndex', 'positiveFrom', 'hardest', 'bins'] as const) {
    const [own, expected] = [part, first.part].map(({ question }) => JSON.stringify(question[name]) ?? 'the default')
    if (own !== expected) throw new Error(`${path} does not go with ${first.path}: its ${name} is ${own}; expected ${expected}`)
  }
}

function listed(files: readonly string[]): string {
  return files.length > 2 ? `${files.length} files (${files[0]} to ${files[files.length - 1]})` : files.join(', ')
}

/** What a part says, or all of them merged. */
export function explainedOf({ title: { question, file, targets, classes, notes, warnings }, work: { explainer, evaluator, trained } }: Found): EvaluatedFiles {
  const judged = evaluator.result()
  const { raw, recalibrated, tempered } = judged
  const scores = { ...judged, warnings: warningsOf(judged, question, file) }
  const evaluation = { trained, scores: { ...scores, raw: slim(raw), recalibrated: slim(recalibrated), tempered: tempered && slim(tempered) } }
  const found = { file, targets, loss: question.loss, classes, notes, warnings: [...warnings, ...scores.warnings], ...explainer.result(), evaluation }
  return { ...found, reading: readingOf(found) }
}

/** The warnings of the scores, in the words of the command line. */
function warningsOf({ warnings }: Evaluation, { inputs }: Question, file: string): string[] {
  // Logits of probabilities may well be from 0 to 1
  const said = inputs === 'probabilities' ? [] : [mayBeProbabilities(file)]
  return warnings.flatMap((warning) => (warning === MAY_BE_PROBABILITIES ? said : [warning]))
}

/** Without the curves of each class, which nobody looks at: of many they would be megabytes. */
function slim(scores: Scores): Scores {
  return { ...scores, classes: scores.classes.map((figures) => ({ ...figures, precisionRecall: [], roc: [] })) }
}
