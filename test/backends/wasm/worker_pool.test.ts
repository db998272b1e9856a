/** The workers of the wasm backend: which calls they get, and how they come, fail and go. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { BackendError, type BackendName, backends, init, releaseMemory, SigmoidFocalLoss } from 'focal-loss'
import { type StartWorker, startWorker } from '../../../src/backends/wasm/start_worker.js'
import { useWorkers } from '../../../src/backends/wasm/worker_handle.js'
import { STALL_LIMIT } from '../../../src/backends/wasm/worker_pool.js'
import { runScript } from '../../support/children.js'
import { bitsOf } from '../../support/losses.js'

const loss = new SigmoidFocalLoss({ backend: 'wasm' })
const alone = 'WebAssembly with 128-bit SIMD, 1 thread'
const described = () => backends().find(({ name }) => name === 'wasm')?.description

/** So many logits that workers get them. */
const logits = new Float32Array(300_000).map((_, k) => (k % 4001) / 400 - 5)
const labels = new Uint8Array(logits.length).map((_, k) => Number(k % 9 === 0))

type Result = { readonly value: number; readonly grad: Float32Array }
const textOf = ({ value, grad }: Result) => `${value} ${bitsOf(grad)}`
const expected = textOf(loss.valueAndGrad(logits, labels))
const call = async (length = logits.length) => textOf(await loss.valueAndGradAsync(logits.subarray(0, length), labels.subarray(0, length)))

/** What the workers were told, in order. */
let told: string[] = []

/** Workers as Node.js has them, that say what they are told. */
const watched: StartWorker = (source, heard, failed) => {
  const worker = startWorker(source, heard, failed)
  const post: typeof worker.post = (message) => {
    told.push(message.kind)
    worker.post(message)
  }
  return { ...worker, post }
}

beforeAll(() => useWorkers(watched))
beforeEach(async () => {
  await init('wasm', { workers: 0 })
  told = []
})
afterAll(async () => {
  await init('wasm', { workers: 0 })
})

describe("init('wasm', { workers })", () => {
  it('starts them, more or fewer of them, and ends them; calls of 258,048 logits or more are theirs', async () => {
    expect(described()).toBe(alone)
    expect(await init('wasm', { workers: 2 })).toBe('wasm')
    expect(described()).toBe(`${alone}; 2 workers for asynchronous calls`)
    expect(told).toEqual(['join', 'join'])
    await call(258_047)
    expect(told).toEqual(['join', 'join'])
    await call(258_048)
    expect(told).toEqual(['join', 'join', 'work', 'work'])
    await init('wasm', { workers: 1 })
    expect(described()).toBe(`${alone}; 1 worker for asynchronous calls`)
    expect(await call()).toBe(expected)
    await init('wasm', { workers: 0 })
    expect(described()).toBe(alone)
    told = []
    expect(await call()).toBe(expected)
    expect(told).toEqual([])
  })

  it('leaves those that are there where it is asked for as many, or says nothing of them', async () => {
    await init('wasm', { workers: 2 })
    await init('wasm', { workers: 2 })
    await init('wasm', { workers: undefined })
    await init('wasm')
    expect(told).toEqual(['join', 'join'])
    expect(described()).toContain('2 workers')
  })

  it('waits for the calls that run, and for other changes', async () => {
    await init('wasm', { workers: 2 })
    const calls = [call(), call()]
    const changes = [3, 0, 1].map((workers) => init('wasm', { workers }))
    expect(await Promise.all(calls)).toEqual([expected, expected])
    await Promise.all(changes)
    expect(described()).toContain('1 worker for')
    expect(await call()).toBe(expected)
  })

  it.each<[unknown, Error]>([
    [-1, new RangeError('workers is -1; expected a whole number from 0 to 64')],
    [1.5, new RangeError('workers is 1.5; expected a whole number from 0 to 64')],
    [65, new RangeError('workers is 65; expected a whole number from 0 to 64')],
    [NaN, new RangeError('workers is NaN; expected a whole number from 0 to 64')],
    ['2', new TypeError("workers is '2'; expected a whole number from 0 to 64")],
    [null, new TypeError('workers is null; expected a whole number from 0 to 64')],
  ])('refuses %s, and changes nothing', async (workers, error) => {
    await init('wasm', { workers: 1 })
    await expect(init('wasm', { workers: workers as number })).rejects.toThrow(error)
    expect(described()).toContain('1 worker for')
  })

  it.each<BackendName | 'auto'>(['native', 'js', 'auto'])('is for wasm alone, not for %s', async (name) => {
    await expect(init(name, { workers: 1 })).rejects.toThrow(new TypeError(`workers is given with backend '${name}'; expected backend 'wasm'`))
  })
})

describe('workers', () => {
  it('get new memory once it has been released, also in the middle of a call', async () => {
    await init('wasm', { workers: 2 })
    releaseMemory()
    expect(await call()).toBe(expected)
    expect(told.filter((kind) => kind === 'join')).toHaveLength(4)
    const running = call()
    releaseMemory()
    expect(await running).toBe(expected)
    expect(await call()).toBe(expected)
  })

  it('that fail reject the call, and the next one does without them', async () => {
    let end: (reason: string) => void = () => undefined
    useWorkers((source, heard, failed) => {
      end = failed
      const worker = startWorker(source, heard, failed)
      return { ...worker, post: (message) => (message.kind === 'work' ? end('out of memory') : worker.post(message)) }
    })
    try {
      await init('wasm', { workers: 2 })
      const grad = new Float32Array(logits.length).fill(7)
      await expect(loss.valueAndGradAsync(logits, labels, { grad })).rejects.toThrow(
        new BackendError('A worker of the wasm backend has failed (out of memory), and all of them were ended; init starts others.'),
      )
      expect(grad.every((each) => each === 7)).toBe(true)
      expect(described()).toBe(alone)
      expect(await call()).toBe(expected)
    } finally {
      useWorkers(watched)
    }
  })

  it('that have ended while there was nothing to do are missed by the next call', async () => {
    let end: (reason: string) => void = () => undefined
    useWorkers((source, heard, failed) => {
      end = failed
      return startWorker(source, heard, failed)
    })
    try {
      await init('wasm', { workers: 2 })
      end('killed')
      await expect(call()).rejects.toThrow(/^A worker of the wasm backend has failed \(killed\)/)
      expect(await call()).toBe(expected)
    } finally {
      useWorkers(watched)
    }
  })

  it.each<[string, StartWorker]>([
    ['throw', () => { throw new Error('no more threads') }],
    ['end at once', (_, __, failed) => ({ post: () => failed('no more threads'), terminate: () => undefined, hold: () => undefined })],
  ])('that %s when they are started are a reason', async (_, start) => {
    useWorkers(start)
    try {
      await expect(init('wasm', { workers: 2 })).rejects.toThrow(/^The workers did not start \(.*no more threads.*\); do without workers\.$/)
      expect(described()).toBe(alone)
    } finally {
      useWorkers(watched)
    }
  })

  it('that are never heard of once they have work reject the call, and later calls do without; those that go on may take their time', async () => {
    // Joins, and then does what it is told and says nothing of it, or does nothing
    let counts: Int32Array | undefined
    let memory: WebAssembly.Memory | undefined
    useWorkers((_, heard) => ({
      post(message) {
        if (message.kind === 'work') counts = new Int32Array(memory?.buffer ?? new ArrayBuffer(64), message.control, 16)
        else memory = message.memory
        if (message.kind === 'join') setTimeout(() => heard(undefined))
      },
      terminate: () => undefined,
      hold: () => undefined,
    }))
    try {
      await init('wasm', { workers: 2 })
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
      const lost = expect(call()).rejects.toThrow(
        new BackendError('A worker of the wasm backend has failed (no progress within 30 s), and all of them were ended; init starts others.'),
      )
      await vi.waitUntil(() => counts !== undefined && vi.getTimerCount() === 1)
      for (let turns = 1; turns <= 5; turns++) {
        if (counts !== undefined) Atomics.add(counts, 4, 1)
        await vi.advanceTimersByTimeAsync(STALL_LIMIT)
        expect(vi.getTimerCount()).toBe(1)
      }
      await vi.advanceTimersByTimeAsync(STALL_LIMIT)
      await lost
      expect(vi.getTimerCount()).toBe(0)
      expect(described()).toBe(alone)
      expect(await call()).toBe(expected)
    } finally {
      vi.useRealTimers()
      useWorkers(watched)
    }
  })

  it('keep a process neither from ending nor from finishing its calls', () => {
    const script = `
      const { init, SigmoidFocalLoss } = require('focal-loss')
      const logits = new Float32Array(1e6).fill(-2)
      const labels = new Uint8Array(1e6)
      init('wasm', { workers: 2 })
        .then(() => new SigmoidFocalLoss({ backend: 'wasm' }).valueAndGradAsync(logits, labels))
        .then(({ value }) => console.log(value.toFixed(5)))
    `
    const value = new SigmoidFocalLoss({ backend: 'js' }).value(Float32Array.of(-2), [0])
    expect(runScript('commonjs', script)).toEqual({ status: 0, signal: null, stdout: `${value.toFixed(5)}\n`, stderr: '' })
  })
})
