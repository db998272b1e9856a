/** How long timers and sockets wait while an asynchronous call works. */
import { readFileSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { type BackendName, init, SigmoidFocalLoss } from 'focal-loss'
import { testedBackends } from '../support/backends.js'

/** Milliseconds of a processor that this thread has had: on a busy machine, time on the clock goes to others. Linux counts in ticks of up to 4 ms. */
const processorTime = () => Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6
const TICK = 4

/** The most that the event loop is held up, in milliseconds. */
const LONGEST = 20

const lengths: Record<BackendName, number> = { cuda: 2 ** 18, webgpu: 2 ** 20, native: 2 ** 24, wasm: 2 ** 23, js: 2 ** 21 }

/** The longest time between two turns of the event loop until a promise settles, and how many there were. */
async function turnsUntil(end: Promise<unknown>): Promise<{ longest: number; turns: number }> {
  let [longest, turns, isOver, last] = [0, 0, false, processorTime()]
  const over = end.finally(() => (isOver = true))
  while (!isOver) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = processorTime()
    longest = Math.max(longest, now - last)
    last = now
    turns++
  }
  await over
  return { longest, turns }
}

const cases = testedBackends().flatMap((backend) => [0, 2].filter((workers) => workers === 0 || backend === 'wasm').map((workers) => ({ backend, workers })))

afterEach(() => init('wasm', { workers: 0 }))

it.each(cases)('is held up for at most 20 ms: $backend, $workers workers', async ({ backend, workers }) => {
  await init('wasm', { workers })
  const length = lengths[backend]
  const logits = new Float32Array(length).map((_, k) => (k % 4001) / 400 - 5)
  const [targets, grad] = [new Uint8Array(length).fill(1, 0, length / 50), new Float32Array(length)]
  const loss = new SigmoidFocalLoss({ backend })
  // What is compiled and started once
  await loss.valueAndGradAsync(logits.subarray(0, 5000), targets.subarray(0, 5000))
  const { longest, turns } = await turnsUntil(loss.valueAndGradAsync(logits, targets, { grad }))
  expect(longest).toBeLessThan(LONGEST + TICK)
  expect(turns).toBeGreaterThan(2)
}, 60_000)
