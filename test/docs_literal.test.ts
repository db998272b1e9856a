/** Pages to be typed, typed: every block of a file and of commands, from an empty folder, and what they print. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { blocksOf } from './support/doc_blocks.js'
import { followLiterally } from './support/doc_literal.js'

const root = fileURLToPath(new URL('../', import.meta.url))
/** For pages that take the installation for granted. */
const install = blocksOf('installation', '\n```sh app\nmkdir app; cd app\nnpm init -y > npm.log\nnpm install --silent ../focal-loss\n```\n')
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'focal-loss-literal-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it.each(['docs/getting-started.md'])('%s prints what it says after every step', { timeout: 60_000 }, (page) => {
  const blocks = blocksOf(page, readFileSync(root + page, 'utf8'))
  const steps = followLiterally(blocks, folder)
  expect(steps.map(({ at, printed }) => ({ at, printed }))).toEqual(steps.map(({ at, stated }) => ({ at, printed: stated })))
  expect(steps.length).toBe(blocks.filter(({ info }) => info === 'app').length)
  expect(steps.length).toBeGreaterThan(3)
})

it('docs/recipes.md: files of examples/recipes, and what they print', { timeout: 60_000 }, () => {
  const blocks = blocksOf('docs/recipes.md', readFileSync(`${root}docs/recipes.md`, 'utf8'))
  const files = blocks.filter(({ language }) => language === 'js')
  expect(files.map(({ info }) => info).toSorted()).toEqual(readdirSync(`${root}examples/recipes`))
  expect(files.map(({ code }) => code)).toEqual(files.map(({ info }) => readFileSync(`${root}examples/recipes/${info}`, 'utf8')))

  // All files first: what they share comes last
  const steps = followLiterally([...install, ...files, ...blocks.filter(({ language }) => language !== 'js')], folder)
  expect(steps.map(({ at, printed }) => ({ at, printed }))).toEqual(steps.map(({ at, stated }) => ({ at, printed: stated })))
  expect(steps.length).toBe(files.length - 1)
})

it('README.md: six lines, and what they print', { timeout: 60_000 }, () => {
  const blocks = blocksOf('README.md', readFileSync(`${root}README.md`, 'utf8'))
  const [step, ...others] = followLiterally([...install, ...blocks], folder)
  expect(others).toEqual([])
  expect(step.printed).toBe(step.stated)
  expect(blocks.filter(({ language }) => language === 'js').map(({ code }) => code.split('\n').filter((line) => line !== '').length)).toEqual([6])
})

describe('a page', () => {
  const follow = (...blocks: string[]) => followLiterally(blocksOf('page.md', blocks.map((block) => `\n\`\`\`${block}\n\`\`\`\n`).join('')), folder)

  it('has its files put together, and its commands run where the last ones ended', () => {
    expect(follow('js a.mjs\nconst a = 1', 'sh app\nmkdir b; cd b', 'js a.mjs\nconst a = 1 / 3', 'js a.mjs\nconsole.log(a)', 'sh app\nnode a.mjs', 'text\n0.333334')).toEqual([
      { at: 'page.md:19', printed: '0.33333', stated: '0.33333' },
    ])
  })

  it('whose commands fail is an error that says where', () => {
    expect(() => follow('sh app\nls; nothing-of-that-name')).toThrow(/^the commands at page\.md:3 ended with status 127: .*nothing-of-that-name/)
  })
})
