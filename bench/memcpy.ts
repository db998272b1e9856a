/** Memory bandwidth of this machine: copies the logits over the gradient, on one thread and on all threads. */
import { Worker } from 'node:worker_threads'
import type { BenchProblem } from '../src/cli/bench/cases.js'
import { allThreads, type Contestant, withThreads } from './contestants.js'

/** Below it, waking the other threads costs more than the copy. */
const LEAST_FOR_THREADS = 1_000_000

export function memcpyContestants(problem: BenchProblem, grad: BenchProblem['logits']): Contestant[] {
  const { logits, elements } = problem
  const single: Contestant = {
    who: withThreads('memcpy', 1),
    threads: 1,
    role: 'memcpy',
    outcome: null,
    work: { kind: 'sync', call: () => grad.set(logits) },
  }
  if (allThreads === 1 || elements < LEAST_FOR_THREADS) return [single]
  return [single, parallelCopy(logits.byteLength, allThreads)]
}

/** Each thread copies its share between buffers of its own: on shared ones V8 may not use the fast memmove. */
function parallelCopy(bytes: number, threads: number): Contestant {
  const share = Math.ceil(bytes / threads)
  const state = new Int32Array(new SharedArrayBuffer(8))
  const workers = Array.from(
    { length: threads - 1 },
    () => new Worker(new URL('./memcpy_worker.mjs', import.meta.url), { workerData: { state, share }, execArgv: [] }),
  )
  // Listened for from the start: a message that nobody hears is gone
  const ready = Promise.all(workers.map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))))
  const from = new Uint8Array(share).fill(1)
  const to = new Uint8Array(share).fill(1)
  const call = () => {
    Atomics.store(state, 1, 0)
    Atomics.add(state, 0, 1)
    Atomics.notify(state, 0)
    to.set(from)
    for (let done; (done = Atomics.load(state, 1)) < workers.length; ) Atomics.wait(state, 1, done)
  }
  return {
    who: withThreads('memcpy', threads),
    threads,
    role: 'memcpy',
    begin: () => ready.then(() => undefined),
    outcome: null,
    work: { kind: 'sync', call },
    end: () => Promise.all(workers.map((worker) => worker.terminate())).then(() => undefined),
  }
}
