/**
 * Reads damaged files of every format: `tsx test/fuzz/readers.ts [--seconds 60 | --files 1000] [--seed 1]`. A file is read to its end, to numbers that
 * are as many as its shape says, or refused with one sentence that names it. fast-check makes the damage, and the smallest that still fails.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { diskFiles } from '../../src/cli/explain/files/open.js'
import { openSource } from '../../src/cli/explain/files/source.js'
import { printable } from '../../src/cli/output/printable.js'
import { edit, edited } from './edits.js'
import { type Seed, seeds, targetsFile } from './seeds.js'

/** In bytes, above what was there before: a file of a few kilobytes has no right to more. */
const MOST_MEMORY = 512 * 2 ** 20
/** Of the processor. */
const SLOWEST_MS = 5000

async function main(): Promise<void> {
  const text = { type: 'string' } as const
  const { seconds = '60', files, seed = String(Date.now() % 2 ** 31) } = parseArgs({ options: { seconds: text, files: text, seed: text } }).values
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-fuzz-'))
  const targets = join(folder, targetsFile.name)
  writeFileSync(targets, targetsFile.bytes)
  const outcomes = new Map<string, { read: number; refused: number }>(seeds.map(({ name }) => [name, { read: 0, refused: 0 }]))
  try {
    // Names, and not seeds: a failure prints them
    const anyFile = fc.tuple(fc.constantFrom(...outcomes.keys()), fc.array(edit, { minLength: 1, maxLength: 6 }))
    const property = fc.asyncProperty(anyFile, async ([name, edits]) => {
      const file = seeds.find((each) => each.name === name) as Seed
      const path = join(folder, file.name)
      writeFileSync(path, edited(file.bytes, edits, file.from))
      const outcome = outcomes.get(file.name)
      const refused = await readOrRefuse(path, file, targets)
      if (outcome !== undefined) outcome[refused ? 'refused' : 'read']++
    })
    const limit = files === undefined ? { numRuns: 1e9, interruptAfterTimeLimit: 1000 * Number(seconds) } : { numRuns: Number(files) }
    await fc.assert(property, { seed: Number(seed), markInterruptAsFailure: false, ...limit })
  } finally {
    rmSync(folder, { recursive: true })
  }
  for (const [name, { read, refused }] of outcomes) {
    console.log(`${name}: ${read + refused} damaged files, ${read} read, ${refused} refused`)
    if (read + refused === 0) throw new Error(`no file was made of ${name}: more files are needed`)
  }
}

/** Whether the file was refused. Throws where that was not by one sentence, or what was read makes no sense. */
async function readOrRefuse(path: string, { options }: Seed, targets: string): Promise<boolean> {
  const before = process.memoryUsage().rss
  const start = process.cpuUsage()
  const error = await readToTheEnd(path, path.endsWith('.npy') ? targets : undefined, options).catch((thrown: unknown) => thrown)
  const { user, system } = process.cpuUsage(start)
  const [grown, took] = [process.memoryUsage().rss - before, (user + system) / 1000]
  if (grown > MOST_MEMORY) throw new Error(`reading it took ${grown} bytes of memory`)
  if (took > SLOWEST_MS) throw new Error(`reading it took ${took} ms`)
  if (error === undefined) return false
  expectSentence(error, path)
  return true
}

class Nonsense extends Error {}

async function readToTheEnd(path: string, targets: string | undefined, options: Seed['options']): Promise<void> {
  const source = await openSource(diskFiles, { file: path, targets, arrays: { logits: 'logits', targets: 'targets' }, ...options })
  try {
    for (let chunk = await source.read(); chunk !== undefined; chunk = await source.read()) {
      const elements = chunk.shape.reduce((product, size) => product * size, 1)
      if (chunk.logits.length !== elements) throw new Nonsense(`${chunk.logits.length} logits for the shape ${chunk.shape.join()}`)
      const rows = elements / source.classes
      if (chunk.targets.length !== (chunk.targetKind === 'labels' ? elements : rows)) throw new Nonsense(`${chunk.targets.length} targets for the shape ${chunk.shape.join()}`)
    }
  } finally {
    await source.close()
  }
}

/** An error of the engine's own, or text of more than a line, is none that a user should see. */
function expectSentence(error: unknown, path: string): void {
  if (!(error instanceof Error) || error.constructor !== Error) throw error
  const message = printable(error.message)
  if (!message.includes(basename(path)) && !message.includes(targetsFile.name)) throw new Error(`the sentence names no file: ${message}`, { cause: error })
  // What another library says of it stands in parentheses
  if (/[\n\r]|undefined|\[object/.test(message.replace(/\(.*\)/, '')) || message.length > 500) throw new Error(`this is no sentence: ${JSON.stringify(message)}`, { cause: error })
}

await main()
