/** Pages to be typed, typed: every block of a file and of commands, from an empty folder, and what they print. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { blocksOf } from './support/doc_blocks.js'
import { followLiterally } from './support/doc_literal.js'

const root = fileURLToPath(new URL('../', import.meta.url))
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'focal-loss-literal-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('README.md: six lines, and what they print', { timeout: 60_000 }, () => {
  const install = "\n```sh app\nmkdir app; cd app\nnpm init -y > /dev/null\nnpm install --silent ../focal-loss\n```\n"
  const blocks = blocksOf('README.md', install + readFileSync(`${root}README.md`, 'utf8'))
  const [step, ...others] = followLiterally(blocks, folder)
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
