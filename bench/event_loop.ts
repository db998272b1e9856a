/**
 * How long the event loop is held up by asynchronous calls of 64 million float32 logits: `npx tsx bench/event_loop.ts [--logits 67108864] [--calls 5]`.
 * On the clock, which counts what other programs take; on the clock less the time for which this thread was ready and got no processor (Linux),
 * which does not, but for waits for threads of the engine's own that got none; and in time of a processor, the same on a busy machine.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { type BackendName, init, SigmoidFocalLoss } from 'focal-loss'

const text = { type: 'string' } as const
const { logits: length = String(2 ** 26), calls = '5' } = parseArgs({ options: { logits: text, calls: text } }).values

/** Of this thread, in milliseconds: on the clock, on the clock less the wait for a processor, and on a processor. Linux counts in ticks of up to 4 ms. */
function times() {
  const [processor, wait] = readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ').map((each) => Number(each) / 1e6)
  const clock = performance.now()
  return { clock, ready: clock - wait, processor }
}

interface Gaps extends ReturnType<typeof times> {
  readonly seconds: number
}

/** The longest times between two turns of a timer of 1 ms, from the call until its promise has settled. */
async function gapsOf(call: () => Promise<unknown>): Promise<Gaps> {
  let isOver = false
  const most = { clock: 0, ready: 0, processor: 0 }
  const start = times()
  let last = start
  const over = call().finally(() => (isOver = true))
  while (!isOver) {
    await setTimeout(1)
    const now = times()
    for (const key of ['clock', 'ready', 'processor'] as const) most[key] = Math.max(most[key], now[key] - last[key])
    last = now
  }
  await over
  return { ...most, seconds: (last.clock - start.clock) / 1000 }
}

const logits = new Float32Array(Number(length))
for (let k = 0; k < logits.length; k++) logits[k] = (k % 4001) / 400 - 5
const targets = new Uint8Array(logits.length).fill(1, 0, logits.length / 50)
const given = new Float32Array(logits.length).fill(0)

const table = new Table({ head: ['backend', 'gradient', 'longest gap, ms: least', 'median', 'most', 'most, less the wait for a processor', 'most, on a processor', 'a call, s'], style: { head: [], border: [] } })
for (const [backend, workers] of [['native', 0], ['wasm', availableParallelism()], ['wasm', 0], ['js', 0]] as const satisfies readonly (readonly [BackendName, number])[]) {
  await init('wasm', { workers })
  const loss = new SigmoidFocalLoss({ backend })
  // What is compiled and started once
  await loss.valueAndGradAsync(logits.subarray(0, 300_000), targets.subarray(0, 300_000))
  for (const [gradient, call] of [['given', { grad: given }], ['new', {}]] as const) {
    const gaps: Gaps[] = []
    for (let k = 0; k < Number(calls); k++) gaps.push(await gapsOf(() => loss.valueAndGradAsync(logits, targets, call)))
    const sorted = (key: keyof Gaps) => gaps.map((each) => each[key]).sort((a, b) => a - b)
    const median = (key: keyof Gaps) => sorted(key)[Math.floor(gaps.length / 2)].toFixed(1)
    const most = (key: keyof Gaps) => sorted(key)[gaps.length - 1].toFixed(1)
    const name = workers > 0 ? `${backend}, ${workers} workers` : backend
    table.push([name, gradient, sorted('clock')[0].toFixed(1), median('clock'), most('clock'), most('ready'), most('processor'), median('seconds')])
  }
}
await init('wasm', { workers: 0 })
console.log(table.toString())
