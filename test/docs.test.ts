/**
 * The pages of this repository. Every block of code runs, and what its comments claim is so (support/doc_blocks.ts); every command
 * of the package runs; every script, link and file that is named is there.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as duckdbApi from '@duckdb/node-api'
import * as jaxjs from '@jax-js/jax'
import * as core from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { zipSync } from 'fflate'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as main from 'focal-loss'
import * as jax from 'focal-loss/jax'
import * as parallel from 'focal-loss/parallel'
import * as tcp from 'focal-loss/tcp'
import * as duckdb from 'focal-loss/duckdb'
import * as webgpu from 'focal-loss/webgpu'
import * as tfjs from 'focal-loss/tfjs'
import * as wasm from 'focal-loss/wasm'
import packageJson from '../package.json' with { type: 'json' }
import { blocksOf, type Modules, runBlocks } from './support/doc_blocks.js'
import { commandsOf } from './support/doc_commands.js'
import { brokenLinks, missingFiles } from './support/doc_links.js'
import { typeErrors } from './support/doc_types.js'
import { useCuda } from './support/cuda.js'
import { runDawnChild } from './support/dawn.js'
import { npyBytes } from './support/npy_files.js'

const root = fileURLToPath(new URL('../', import.meta.url))

// docs/cuda.md runs everywhere: on an emulated device where there is no GPU
useCuda()

/** `@tensorflow/tfjs` is these two, and backends. */
const tensorFlow = { ...core, ...layers }

const modules: Modules = {
  'focal-loss': main,
  'focal-loss/wasm': wasm,
  'focal-loss/parallel': parallel,
  'focal-loss/tcp': tcp,
  // A job of one rank; test/mpi has jobs of several
  '@focal-loss/mpi': { joinMpi: () => parallel.sharedCollective(parallel.sharedMemory(1), 0) },
  'focal-loss/tfjs': tfjs,
  'focal-loss/jax': jax,
  'focal-loss/webgpu': webgpu,
  'focal-loss/duckdb': duckdb,
  '@tensorflow/tfjs': tensorFlow,
  '@jax-js/jax': jaxjs,
  '@duckdb/node-api': duckdbApi,
}

const markdownIn = (folder: string) =>
  readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...['docs', 'examples'].flatMap((folder) => markdownIn(folder).map((name) => `${folder}/${name}`)),
]

const written = pages.map((page) => {
  const markdown = readFileSync(root + page, 'utf8')
  const blocks = blocksOf(page, markdown)
  const code = blocks.filter(({ language, info }) => (language === 'js' || language === 'ts') && info === '')
  return { page, markdown, code, commands: commandsOf(blocks) }
})

describe('the code in', () => {
  // By Dawn, which needs a process of its own
  it('docs/webgpu.md runs, and its comments are right', { timeout: 60_000 }, () => {
    expect(runDawnChild(['--import', 'tsx', fileURLToPath(new URL('docs_dawn_child.ts', import.meta.url))])).toBeGreaterThan(0)
  })

  it.each(written.filter(({ page, code }) => code.length > 0 && page !== 'docs/webgpu.md'))('$page runs, and its comments are right', async ({ code: blocks }) => {
    expect(await runBlocks(blocks, modules)).toBeGreaterThan(0)
  })

  it('every block of docs prints', () => {
    const silent = written.flatMap(({ page, code }) => (page.startsWith('docs/') ? code.filter((block) => !block.code.includes('console.log(')).map(({ line }) => `${page}:${line}`) : []))
    expect(silent).toEqual([])
  })

  it('TypeScript has the types it shows', { timeout: 60_000 }, () => {
    expect(typeErrors(written.flatMap(({ code }) => code))).toEqual([])
  })
})

describe('the commands in', () => {
  const isOurs = ({ words }: { readonly words: readonly string[] }) => words[0] === 'npx' && words[1] === 'focal-loss'
  /** Other options of a benchmark take longer. */
  const short = (words: readonly string[]) => (words[0] === 'bench' ? [...words, '--sizes', '80', '--seconds', '0.01'] : words)
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'focal-loss-docs-'))
    for (const [name, bytes] of Object.entries(sampleFiles())) writeFileSync(join(folder, name), bytes)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(written.filter(({ commands }) => commands.some(isOurs)))('$page run', { timeout: 60_000 }, ({ commands }) => {
    for (const { at, variables, words } of commands.filter(isOurs)) {
      const env = { ...process.env, ...variables }
      const { status, stderr } = spawnSync(process.execPath, [`${root}dist/cli.js`, ...short(words.slice(2))], { cwd: folder, env, encoding: 'utf8' })
      expect({ at, status, stderr: status === 0 ? '' : stderr }).toEqual({ at, status: 0, stderr: '' })
    }
  })

  it.each(written)('$page are scripts of the package', ({ markdown }) => {
    const scripts = Array.from(markdown.matchAll(/\bnpm (?:run (?!-)([\w:-]+)|(start|test)\b)/g), ([, run, short]) => run ?? short)
    expect(scripts.filter((name) => !(name in packageJson.scripts))).toEqual([])
  })
})

describe('what is named in', () => {
  it.each(written)('$page is there', ({ page, markdown }) => {
    expect({ links: brokenLinks(page, markdown), files: missingFiles(markdown) }).toEqual({ links: [], files: [] })
  })
})

/** By the names that the pages give them: four rows of two logits. */
function sampleFiles(): Record<string, Uint8Array> {
  const logits = npyBytes({ descr: '<f4', shape: [4, 2], data: Float32Array.of(2, -1, 0, 1, -3, -2, 1, 0.5) })
  const targets = npyBytes({ descr: '|u1', shape: [4], data: Uint8Array.of(0, 1, 2, 0) })
  const labels = npyBytes({ descr: '|u1', shape: [4, 2], data: Uint8Array.of(1, 0, 0, 1, 0, 0, 1, 0) })
  const column = (name: string, ...data: unknown[]) => ({ name, data })
  return {
    'logits.npy': logits,
    'targets.npy': labels,
    'batch.npz': zipSync({ 'logits.npy': logits, 'targets.npy': targets }),
    'scores.csv': Buffer.from('a,b,target\n2,-1,0\n0,1,1\n'),
    'predictions.csv': Buffer.from('id,proba,label\n7,0.9,1\n3,0.2,0\n5,0.4,\n'),
    'scores-1.parquet': new Uint8Array(parquetWriteBuffer({ columnData: [column('logit', 2, -1), column('label', 1, 0), column('split', 'validation', 'training')] })),
    'eval.parquet': new Uint8Array(parquetWriteBuffer({ columnData: [column('logits', [2, -1], [0, 1]), column('label', 0, 1)] })),
  }
}

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
    ['console.log(1 / 3) // 0.33', 1],
    ['console.log([1, 2]) // 1 and 2', 1],
    ['console.log(1, true) // 1, true', 1],
    ["const { presets } = require('focal-loss')\npresets.keras.gamma // 2", 1],
  ])('%s', async (code, claims) => {
    expect(await run(code)).toBe(claims)
  })

  it.each([
    ['1 + 1 // 3', 'page.md:4: the comment says 3; the result is 2'],
    ['\n2 / 3 // 0.66', 'page.md:5: the comment says 0.66; the result is 0.6666666666666666'],
    ['2 / 3 // 0.67…', 'page.md:4: the comment says 0.67…; the result is 0.6666666666666666'],
    ['[1, 2] // 1', 'page.md:4: the comment says 1; the result is 1, 2'],
    ['console.log(1 + 1) // 3', 'page.md:4: the comment says 3; the result is 2'],
    ['1 > 2 // true', 'page.md:4: the comment says true; the result is false'],
    ['80.3 // 80', 'page.md:4: the comment says 80; the result is 80.3'],
    ['const a = NaN // a 0.5', 'page.md:4: the comment says 0.5; the result is NaN'],
    ['nothing()', 'the block at page.md:4: nothing is not defined'],
    ["import { nothing } from 'focal-loss'", "the block at page.md:4: imports nothing from 'focal-loss', which has no such export"],
    ["import fs from 'node:fs'", `the block at page.md:4: imports 'node:fs'; expected one of ${Object.keys(modules).join(', ')}`],
  ])('%s is wrong', async (code, message) => {
    await expect(run(code)).rejects.toThrow(new Error(message))
  })

  it('knows what earlier ones of its page import and declare, and may declare it anew', async () => {
    const first = "import { presets as p } from 'focal-loss'\nconst a = p.keras.gamma\nfunction twice(x) { return 2 * x }"
    expect(await run(first, 'twice(a) // 4\nconst b = 1', 'const a = p.optax.gamma + b\na // 3')).toBe(2)
    await expect(run('a', 'const a = 1')).rejects.toThrow('a is not defined')
  })

  it('of TypeScript runs without its types, which are checked apart', { timeout: 60_000 }, async () => {
    const blocks = (code: string) => blocksOf('page.md', `\n\`\`\`ts\n${code}\n\`\`\`\n`)
    const right = "import { type Logits, presets } from 'focal-loss'\nconst a: number = presets.keras.gamma\nconst b: Logits = Float32Array.of(a)\nb // 2"
    expect(await runBlocks(blocks(right), modules)).toBe(1)
    expect(typeErrors([...blocks(right), ...blocks('const a = 1\nconst b: string = a')])).toEqual(["page.md:4: Type 'number' is not assignable to type 'string'."])
  })

  it('under another name is an error, as nothing would check it', () => {
    expect(() => blocksOf('page.md', '\n```typescript\nlet a: number\n```\n')).toThrow('page.md:2: a block is marked typescript; expected ts, which is checked')
    expect(blocksOf('page.md', '```html\n<p>\n```\n')).toEqual([])
    expect(blocksOf('page.md', '- a list:\n  ```js\n  f()\n  ```\n')).toEqual([{ page: 'page.md', language: 'js', info: '', line: 3, code: '  f()\n' }])
  })

  it('of commands is divided into them', () => {
    const page = "```sh\nnpm ci && npm test # both\nA=1 npx focal-loss bench --svg 'a b.svg' > x.json; ls | jq '.a | .b'\n```\n"
    expect(commandsOf(blocksOf('page.md', page))).toEqual([
      { at: 'page.md:2', variables: {}, words: ['npm', 'ci'] },
      { at: 'page.md:2', variables: {}, words: ['npm', 'test'] },
      { at: 'page.md:3', variables: { A: '1' }, words: ['npx', 'focal-loss', 'bench', '--svg', 'a b.svg'] },
      { at: 'page.md:3', variables: {}, words: ['ls'] },
      { at: 'page.md:3', variables: {}, words: ['jq', '.a | .b'] },
    ])
  })
})

it('a link or a file that is not there is found', () => {
  const page = '[a](boosting.md#scale) [b](boosting.md#nothing) [c](none.md) [d](#here) [e](https://example.org)\n# Here\n`cpp/problem.h` `cpp/none.h`'
  expect(brokenLinks('docs/page.md', page.replace('#here', '#there'))).toEqual(['docs/boosting.md#nothing', 'docs/none.md', 'docs/page.md'])
  expect(missingFiles(page)).toEqual(['cpp/none.h'])
})
