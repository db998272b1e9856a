/** Workers that start and are never heard of: some engines lose what they are told. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { BackendError, init } from 'focal-loss'
import { type StartWorker, startWorker } from '../../../src/backends/wasm/start_worker.js'
import { START_LIMIT, useWorkers, WorkerHandle } from '../../../src/backends/wasm/worker_handle.js'

const ended = new Set<unknown>()
const silent: StartWorker = () => {
  const worker = { post: () => undefined, terminate: () => void ended.add(worker), hold: () => undefined }
  return worker
}

beforeEach(() => {
  ended.clear()
  useWorkers(silent)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
  useWorkers(startWorker)
})

it('init() rejects where they do not answer in time, ends them, and can be asked again', async () => {
  const starting = expect(init('wasm', { workers: 2 })).rejects.toThrow(
    new BackendError(
      'The workers did not start (no answer within 20 s); do without workers.',
    ),
  )
  // The module is compiled first, on other threads
  await vi.waitUntil(() => vi.getTimerCount() === 2)
  await vi.advanceTimersByTimeAsync(START_LIMIT)
  await starting
  expect(ended.size).toBe(2)
  useWorkers(startWorker)
  expect(await init('wasm', { workers: 1 })).toBe('wasm')
  await init('wasm', { workers: 0 })
})

it('those that answer in time may work as long as they like', async () => {
  let answer: (text: unknown) => void = () => undefined
  useWorkers((source, heard, failed) => {
    answer = heard
    return silent(source, heard, failed)
  })
  const worker = new WorkerHandle()
  const memory = new WebAssembly.Memory({ initial: 1 })
  const joined = worker.tell({ kind: 'join', module: new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)), memory })
  await vi.advanceTimersByTimeAsync(START_LIMIT - 1)
  answer(undefined)
  await joined
  expect(vi.getTimerCount()).toBe(0)
  const working = worker.tell({ kind: 'work', run: 0, result: 0, control: 0, worker: 0, workers: 1, stack: 0, inputs: [], outputs: [] })
  expect(vi.getTimerCount()).toBe(0)
  answer(undefined)
  await working
})
