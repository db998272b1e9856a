/** The check of words: phrases however their line is broken, and sentences that are too long. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { longSentences, phrasesIn } from '../../scripts/lint-words.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))

test('this repository keeps them', () => {
  const { status, stderr } = spawnSync(process.execPath, [`${root}scripts/lint-words.mjs`], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

test('phrases', () => {
  const phrases = { 'falls silent': '', census: '' }
  expect(phrasesIn('What is right\n   * Falls\n   * silent here', phrases)).toEqual(['falls silent'])
  expect(phrasesIn('a target scan, no consensus', phrases)).toEqual([])
})

test('sentences', () => {
  const page = '# Three words here\n\nOne two `a b c` four. Five [six seven](x.md) eight nine.\n\n```js\none two three four five six\n```\n\n| a b c | d e f |\n|---|---|\n- one two three\n- four five\n'
  expect(longSentences(page, 5)).toEqual([])
  expect(longSentences(page, 3)).toEqual(['One two Code four.', 'Five six seven eight nine.'])
})
