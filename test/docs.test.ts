/** The code in README.md and docs/: every block runs, and what its comments claim is so. See support/doc_blocks.ts. */
import { readdirSync, readFileSync } from 'node:fs'
import * as core from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { describe, expect, it } from 'vitest'
import * as main from 'focal-loss'
import * as tfjs from 'focal-loss/tfjs'
import * as wasm from 'focal-loss/wasm'
import { blocksOf, type Modules, runBlocks } from './support/doc_blocks.js'

const root = new URL('../', import.meta.url)

/** `@tensorflow/tfjs` is these two, and backends. */
const tensorFlow = { ...core, ...layers }

const modules: Modules = { 'focal-loss': main, 'focal-loss/wasm': wasm, 'focal-loss/tfjs': tfjs, '@tensorflow/tfjs': tensorFlow }

/** What pages take for granted: a model of the reader's, and the like. */
const given: Record<string, Record<string, unknown>> = {
  'README.md': { model: layers.sequential({ layers: [layers.layers.dense({ units: 1, inputShape: [2] })] }) },
}

const pages = ['README.md', ...readdirSync(new URL('docs', root)).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : []))]

describe('the code in', () => {
  const written = pages.map((page) => ({ page, blocks: blocksOf(page, readFileSync(new URL(page, root), 'utf8')) }))

  it.each(written.filter(({ blocks }) => blocks.length > 0))('$page runs, and its comments are right', async ({ page, blocks }) => {
    for (const name of Object.keys(given[page] ?? {})) expect(blocks.some(({ code }) => code.includes(name))).toBe(true)
    expect(await runBlocks(blocks, modules, given[page])).toBeGreaterThan(0)
  })
})

describe('a block', () => {
  const run = (...code: string[]) => runBlocks(blocksOf('page.md', code.map((each) => `Text.\n\n\`\`\`js\n${each}\n\`\`\`\n`).join('\n')), modules)

  it.each([
    ['1 + 1 // 2', 1],
    ['1 / 3 // 0.33 rounded', 1],
    ['-2 / 3 // -0.67', 1],
    ['-2 / 3 // -0.66…', 1],
    ['1e-6 / 3 // 3.3e-7', 1],
    ['Float32Array.of(0.5, -2) // 0.5 and -2, an array', 1],
    ['[true, false] // true, false', 1],
    ['const { a, b: [c] } = { a: 0.25, b: [3] } // a 0.25 and c 3 and not d 4', 2],
    ['Math.max(1, 2) // the larger of 1 and 2', 0],
    ["await Promise.resolve() // 'no claim'", 0],
  ])('%s', async (code, claims) => {
    expect(await run(code)).toBe(claims)
  })

  it.each([
    ['1 + 1 // 3', 'page.md:4: the comment says 3; the result is 2'],
    ['\n2 / 3 // 0.66', 'page.md:5: the comment says 0.66; the result is 0.6666666666666666'],
    ['2 / 3 // 0.67…', 'page.md:4: the comment says 0.67…; the result is 0.6666666666666666'],
    ['[1, 2] // 1', 'page.md:4: the comment says 1; the result is 1, 2'],
    ['1 > 2 // true', 'page.md:4: the comment says true; the result is false'],
    ['80.3 // 80', 'page.md:4: the comment says 80; the result is 80.3'],
    ['const a = NaN // a 0.5', 'page.md:4: the comment says 0.5; the result is NaN'],
    ['nothing()', 'the block at page.md:4: nothing is not defined'],
    ["import { nothing } from 'focal-loss'", "the block at page.md:4: imports nothing from 'focal-loss', which has no such export"],
    ["import fs from 'node:fs'", "the block at page.md:4: imports 'node:fs'; expected one of focal-loss, focal-loss/wasm, focal-loss/tfjs, @tensorflow/tfjs"],
  ])('%s is wrong', async (code, message) => {
    await expect(run(code)).rejects.toThrow(new Error(message))
  })

  it('knows what earlier ones of its page import and declare, and may declare it anew', async () => {
    const first = "import { presets as p } from 'focal-loss'\nconst a = p.keras.gamma\nfunction twice(x) { return 2 * x }"
    expect(await run(first, 'twice(a) // 4\nconst b = 1', 'const a = p.optax.gamma + b\na // 3')).toBe(2)
    await expect(run('a', 'const a = 1')).rejects.toThrow('a is not defined')
  })

  it('in another dialect is an error, as it would not run', () => {
    expect(() => blocksOf('page.md', '\n```ts\nlet a: number\n```\n')).toThrow('page.md:2: a block is marked ts; expected js, which is run')
    expect(blocksOf('page.md', '```sh\nnpm test\n```\n')).toEqual([])
    expect(blocksOf('page.md', '- a list:\n  ```js\n  f()\n  ```\n')).toEqual([{ page: 'page.md', line: 3, code: '  f()\n' }])
  })
})
