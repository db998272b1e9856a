/**
 * Threads that call in every way, on every backend, and are ended in the middle of it; memory that is refused. `npm run test:soak -- --help`
 * No result may be wrong, no thread hang, and the memory of the process may not grow.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Command } from 'commander'
import { build } from 'esbuild'
import { backendNames, callOf, fingerprint, lossNames, makeInputs, nameOf, sizesOf } from './calls.js'
import { anyLife, counters, type Life } from './life.js'
import { mediansOf, type Sample, sampleAt } from './memory.js'
import { plotOf } from './plot.js'

interface Options {
  readonly seconds: number
  readonly threads: number
  readonly json?: string
  readonly svg?: string
}

const options = new Command('npm run test:soak --')
  .description('Mixed calls from threads that are created, aborted and ended in the middle of them; looks at results, hangs and memory.')
  .option('--seconds <number>', 'how long', Number, 1800)
  .option('--threads <number>', 'that call at a time', Number, 8)
  .option('--json <file>', 'all samples of the memory, too')
  .option('--svg <file>', 'a plot of them')
  .parse()
  .opts<Options>()

/** Seconds that a thread may neither end a call nor end, and that an end may take. */
const HANG = 120
/** What the last quarter's memory may be more than the second's: a share, and MiB. */
const GROWTH = { share: 0.05, mebibytes: 16 }

const program = fileURLToPath(new URL('../../build/soak/worker.js', import.meta.url))
await build({
  entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
  outfile: program,
  bundle: true,
  platform: 'node',
  format: 'esm',
  external: ['focal-loss'],
  logLevel: 'warning',
})

const inputs = makeInputs()
const expected = new Map<string, string>()
for (const backend of backendNames) {
  for (const size of sizesOf(backend)) {
    for (const name of lossNames) {
      const { loss, logits, targets, shape } = callOf(name, size, backend, inputs, false)
      expected.set(nameOf(name, size, backend), fingerprint(loss.valueAndGrad(logits, targets, { shape })))
    }
  }
}

const counts = new Int32Array(new SharedArrayBuffer(4 * counters.length * options.threads))
const totalOf = (counter: number) => Array.from({ length: options.threads }, (_, slot) => counts[slot * counters.length + counter]).reduce((sum, each) => sum + each)
const callsOf = (slot: number) => counts.subarray(slot * counters.length, (slot + 1) * counters.length).reduce((sum, each) => sum + each)
const failures: string[] = []
const ends = { terminate: 0, exit: 0, heap: 0, return: 0 }
const begin = performance.now()
const secondsNow = () => (performance.now() - begin) / 1000

/** One thread from its beginning to its end. */
async function live(slot: number, life: Life): Promise<void> {
  const resourceLimits = life.end === 'heap' ? { maxOldGenerationSizeMb: 48 } : {}
  const worker = new Worker(program, { workerData: { counts, slot, inputs, expected, life }, resourceLimits, execArgv: [] })
  const ended = new Promise<void>((resolve) => worker.on('exit', () => resolve()))
  worker.on('message', (text) => failures.push(String(text)))
  worker.on('error', (error: NodeJS.ErrnoException) => {
    if (!(life.end === 'heap' && error.code === 'ERR_WORKER_OUT_OF_MEMORY')) failures.push(`a thread ended with ${error.stack}`)
  })
  let [calls, since] = [callsOf(slot), secondsNow()]
  const watch = setInterval(() => {
    const now = callsOf(slot)
    if (now !== calls) [calls, since] = [now, secondsNow()]
    else if (secondsNow() > since + HANG) throw new Error(`a thread hangs: no call has ended for ${HANG} s; it was to end by ${life.end}`)
  }, 1000)
  if (life.end === 'terminate') setTimeout(() => void worker.terminate(), life.time)
  await ended
  clearInterval(watch)
  ends[life.end]++
}

const samples: Sample[] = []
const begun = () => Object.values(ends).reduce((sum, each) => sum + each) + options.threads
const callsNow = () => counters.reduce((sum, _, counter) => sum + totalOf(counter), 0)

/** A line for each twelfth of the time, once it is over. */
const LINES = 12
let printed = 0
console.log('until, s    calls  threads begun  resident, MiB  heap  buffers  threads now')
function sample(): void {
  samples.push(sampleAt(secondsNow(), callsNow(), begun()))
  const lines = Math.floor((secondsNow() / options.seconds) * LINES)
  if (lines === printed || lines > LINES) return
  const { time, calls, begun: started, resident, heap, buffers, threads } = mediansOf(samples.filter(({ time }) => time > (printed / LINES) * options.seconds))
  printed = lines
  console.log([time, calls, started, resident, heap, buffers, threads].map((each, k) => each.toFixed(0).padStart([8, 9, 15, 15, 6, 9, 13][k])).join(''))
}
const sampler = setInterval(sample, 1000)
await Promise.all(
  Array.from({ length: options.threads }, async (_, slot) => {
    while (secondsNow() < options.seconds) await live(slot, anyLife())
  }),
)
clearInterval(sampler)

console.log(counters.map((counter, k) => `${totalOf(k)} ${counter}`).join(', '))
console.log(Object.entries(ends).map(([end, count]) => `${count} ended by ${end}`).join(', '))
const [second, last] = [1, 3].map((quarter) => mediansOf(samples.filter(({ time }) => time >= (quarter / 4) * options.seconds && time < ((quarter + 1) / 4) * options.seconds)))
const allowed = second.resident * (1 + GROWTH.share) + GROWTH.mebibytes
if (last.resident > allowed) failures.push(`the memory grows: ${second.resident.toFixed(1)} MiB in the second quarter, ${last.resident.toFixed(1)} in the last; expected at most ${allowed.toFixed(1)}`)
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ options, ends, counts: counters.map((name, k) => [name, totalOf(k)]), samples }, null, 1)}\n`)
if (options.svg !== undefined) writeFileSync(options.svg, await plotOf(samples))
for (const failure of failures.slice(0, 20)) console.error(`test-soak: ${failure}`)
process.exit(failures.length === 0 ? 0 : 1)
