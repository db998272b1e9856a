/** Reads one file as the command line does, and finds out whether that ended as it has to. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, extname, join } from 'node:path'
import { Readable } from 'node:stream'
import { diskFiles } from '../../src/cli/explain/files/open.js'
import { openSource } from '../../src/cli/explain/files/source.js'
import { type Format, formats, withFile } from '../../src/cli/explain/standard_input.js'
import { printable } from '../../src/cli/output/printable.js'
import { type Seed, targetsFile } from './seeds.js'

/** In bytes, above what was there before: some portions of {@link openSource}, and what compression makes of a file of a few kilobytes. */
const MOST_MEMORY = 64 * 2 ** 20
/** Of the processor. */
const SLOWEST_MS = 1000

export type Way = 'disk' | 'standard input'

/** Files in a folder of their own, until {@link close}. */
export class Reader {
  readonly #folder = mkdtempSync(join(tmpdir(), 'focal-loss-fuzz-'))
  readonly #targets = join(this.#folder, targetsFile.name)

  constructor() {
    writeFileSync(this.#targets, targetsFile.bytes)
  }

  /** Whether the file was refused. Throws where that was not by one sentence, where what was read makes no sense, or took too much. */
  async read(bytes: Uint8Array, { name, options }: Seed, way: Way): Promise<boolean> {
    const path = join(this.#folder, name)
    const targets = name.endsWith('.npy') ? this.#targets : undefined
    const [before, start] = [process.memoryUsage(), process.cpuUsage()]
    const work = (file: string) => readToTheEnd(file, targets, options)
    if (way === 'disk') writeFileSync(path, bytes)
    else Object.defineProperty(process, 'stdin', { value: Readable.from([bytes]), configurable: true })
    const error = await (way === 'disk' ? work(path) : withFile('-', formatOf(name), work)).catch((thrown: unknown) => thrown)
    const { user, system } = process.cpuUsage(start)
    const after = process.memoryUsage()
    const grown = Math.max(after.rss - before.rss, after.arrayBuffers - before.arrayBuffers)
    if (grown > MOST_MEMORY) throw new Error(`reading it took ${grown} bytes of memory`)
    if (user + system > 1000 * SLOWEST_MS) throw new Error(`reading it took ${(user + system) / 1000} ms`)
    if (error === undefined) return false
    expectSentence(error, way === 'disk' ? name : way)
    return true
  }

  close(): void {
    rmSync(this.#folder, { recursive: true })
  }
}

function formatOf(name: string): Format {
  const ending = extname(name.replace(/\.gz$/, '')).slice(1)
  return formats.find((format) => format === ending) ?? 'arrow'
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
      if (!(source.progress() >= 0 && source.progress() <= 1)) throw new Nonsense(`${source.progress()} of it is read`)
    }
    if (source.warnings.some((warning) => warning.includes('undefined'))) throw new Nonsense(source.warnings.join())
  } finally {
    await source.close()
  }
}

/** An error of the engine's own, or text of more than a line, is none that a user should see. */
function expectSentence(error: unknown, name: string): void {
  if (!(error instanceof Error) || error.constructor !== Error) throw error
  const message = printable(error.message)
  const refuse = (why: string) => {
    throw new Error(`${why}: ${JSON.stringify(message)}`, { cause: error })
  }
  if (!message.includes(name) && !message.includes(basename(targetsFile.name))) refuse('the sentence names no file')
  if (name === 'standard input' && /focal-loss-\w+.input\./.test(message)) refuse('the sentence names a file that the user does not know')
  // Names and cells of the file may be anything
  if (/[\n\r]/.test(message) || message.length > 500) refuse('this is no sentence')
  if (isEngines(error.cause) && message.includes(error.cause.message)) refuse('the sentence holds what the engine says')
}

function isEngines(error: unknown): error is Error {
  return error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError
}
