/**
 * Fuzzing of the command line's readers, guided by coverage: files that reach new blocks of our code are what further ones are made of.
 * `tsx test/fuzz/readers.ts [--seconds 60 | --files 1000] [--seed 1] [--found FOLDER]`. A file is read to its end, to numbers that are as many as its
 * shape says, or refused with one sentence that names it; in a second, and without much memory.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { seeded } from '../support/random.js'
import { COMMITTED, type Input, save, savedIn } from './corpus.js'
import { Coverage, reaches } from './coverage.js'
import { minimised } from './minimise.js'
import { mutated } from './mutate.js'
import { Reader, type Way } from './read.js'
import { type Seed, seeds } from './seeds.js'
import { Watchdog } from './watchdog.js'

const BUILD = fileURLToPath(new URL('../../build/fuzz', import.meta.url))

/** How many kinds of failures end it. */
const MOST_FAILURES = 20

const text = { type: 'string' } as const
const options = parseArgs({ options: { seconds: text, files: text, seed: text, found: text } }).values
const isCounted = options.files !== undefined
const files = Number(options.files ?? Infinity)
const seconds = Number(options.seconds ?? (isCounted ? Infinity : 60))
const seedNumber = Number(options.seed ?? Date.now() % 2 ** 31)
// What is counted is the same every time, and begins with the same files
const found = options.found ?? (isCounted ? undefined : join(BUILD, 'readers'))

const random = seeded(seedNumber)
const coverage = new Coverage('/src/cli/')
const reader = new Reader()
const reading = join(BUILD, 'reading')
mkdirSync(BUILD, { recursive: true })
const watchdog = new Watchdog(reading)

const corpus: Input[] = []
const outcomes = new Map<Seed, Record<'read' | 'refused' | 'kept', number>>(seeds.map((seed) => [seed, { read: 0, refused: 0, kept: 0 }]))
function count(seed: Seed, outcome: 'read' | 'refused' | 'kept'): void {
  const counts = outcomes.get(seed)
  if (counts !== undefined) counts[outcome]++
}
const failures = new Set<string>()

/** Whether the file was refused, and what has run. */
async function readOnce({ seed, bytes }: Input, way: Way) {
  writeFileSync(reading, bytes)
  watchdog.feed()
  const refused = await reader.read(bytes, seed, way)
  return { refused, run: coverage.take() }
}

/** Reads it, and keeps it where it reaches what none has reached: as it is, or what is left of it where it is `made` here. */
async function tryOne(input: Input, way: Way, made: boolean): Promise<void> {
  const { seed, bytes } = input
  try {
    const { refused, run: first } = await readOnce(input, way)
    count(seed, refused ? 'refused' : 'read')
    if (coverage.newIn(first).length === 0) return
    // V8 counts what runs for the first time as a whole; and what files before this one have left to be done is none of its own
    const { run } = await readOnce(input, way)
    const places = coverage.newIn(run)
    if (places.length === 0) return
    coverage.keep(run)
    const does = (shorter: Uint8Array) =>
      readOnce({ seed, bytes: shorter }, way).then(
        (again) => reaches(again.run, places),
        () => false,
      )
    const kept = made ? { seed, bytes: await minimised(bytes, seed.from ?? 0, does) } : input
    corpus.push(kept)
    count(seed, 'kept')
    if (made && found !== undefined) save(found, kept)
  } catch (error) {
    await fail(input, way, error as Error)
  }
}

async function fail({ seed, bytes }: Input, way: Way, error: Error): Promise<void> {
  const kindOf = ({ message, cause }: Error) => `${seed.name}: ${((cause as Error | undefined)?.message ?? message).replaceAll(/\d+/g, '#')}`
  const kind = kindOf(error)
  if (failures.has(kind)) return
  failures.add(kind)
  const fails = (shorter: Uint8Array) =>
    readOnce({ seed, bytes: shorter }, way).then(
      () => false,
      (thrown: unknown) => kindOf(thrown as Error) === kind,
    )
  const path = save(join(BUILD, 'failures'), { seed, bytes: await minimised(bytes, seed.from ?? 0, fails) })
  console.error(`fuzz: ${path}, from ${way}:`, error)
}

for (const seed of seeds) {
  const input = { seed, bytes: seed.bytes }
  for (const way of ['disk', 'standard input'] as const) await tryOne(input, way, false)
  // Also one that reaches nothing new is what others are made of
  if (!corpus.some((each) => each.seed === seed)) corpus.push(input)
}
for (const input of [...savedIn(COMMITTED), ...(found === undefined ? [] : savedIn(found))]) await tryOne(input, 'disk', false)
const begun = coverage.reached
const end = performance.now() + 1000 * seconds
let made = 0
for (; made < files && performance.now() < end && failures.size < MOST_FAILURES; made++) {
  const { seed, bytes } = random.pick(corpus)
  const others = corpus.filter((each) => each.seed === seed).map((each) => each.bytes)
  // Now and then the ending of the name is wrong
  const as = random() < 0.03 ? random.pick(seeds.filter(({ from }) => from === undefined)) : seed
  const way = random() < 0.05 ? 'standard input' : 'disk'
  await tryOne({ seed: as, bytes: mutated(random, bytes, others, seed.from ?? 0) }, way, true)
}
reader.close()

for (const [{ name }, { read, refused, kept }] of outcomes) console.log(`${name}: ${read} read, ${refused} refused, ${kept} kept`)
console.log(`${made} files made with the seed ${seedNumber}; characters of code that have run: ${begun} by the files that were there, ${coverage.reached} with these; failures: ${failures.size}`)
process.exit(failures.size === 0 ? 0 : 1)
