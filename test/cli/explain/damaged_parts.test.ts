/** What `focal-loss explain --merge` says of a part that is damaged: the file, the field, what was expected and what came. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { mergedParts, readParts } from '../../../src/cli/explain/parts.js'
import { type PartFile, partFileOf, type Question, workOf } from '../../../src/cli/explain/question.js'
import { explainFolder } from '../../support/explain_command.js'

const { folder } = explainFolder('damaged-parts')
const question: Question = { loss: 'sigmoid', inputs: 'logits', background: null, ignoreIndex: null, hardest: 10 }
const { explainer, evaluator } = workOf(question)
const whole: PartFile = {
  kind: 'focal-loss explain',
  version: 1,
  question,
  file: 'x.csv',
  targets: 'x.csv',
  classes: 1,
  notes: [],
  warnings: [],
  explainer: explainer.add(Float32Array.of(1, -1), [1, 0]).state(),
  evaluator: evaluator.add(Float32Array.of(1, -1), [1, 0]).state(),
}
const merged = async (damage: object) => {
  const path = join(folder, 'part.json')
  writeFileSync(path, JSON.stringify({ ...whole, ...damage }))
  return partFileOf(mergedParts(await readParts([path])))
}

it('one that is whole is merged', async () => {
  expect((await merged({})).explainer).toEqual(whole.explainer)
})

it.each<[damage: object, message: string]>([
  [{ question: undefined }, 'its question.loss is missing; expected one of sigmoid, softmax, '],
  [{ question: { ...question, loss: 'constructor' } }, 'its question.loss is "constructor"; expected one of sigmoid, softmax, '],
  [{ question: { ...question, bins: 0 } }, 'its question cannot be asked (bins is 0; expected an integer from 1 to 10000)'],
  [{ classes: 'x' }, 'its classes is "x"; expected an integer >= 1'],
  [{ file: null }, 'its file is null; expected a text'],
  [{ targets: 3 }, 'its targets is 3; expected a text'],
  [{ notes: 'one' }, 'its notes is "one"; expected an array of texts'],
  [{ warnings: [1] }, 'its warnings is [1]; expected an array of texts'],
  [{ explainer: undefined }, 'part is undefined; expected an object with options'],
  [{ evaluator: {} }, "part.kind is undefined; expected 'evaluation', as state() returns it"],
])('%j is refused', async (damage, message) => {
  await expect(merged(damage)).rejects.toThrow(`part.json is damaged: ${message}`)
})
