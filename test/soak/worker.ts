/** A thread of the soak: calls of every kind, each of them checked, until it is ended or ends itself. */
import { setTimeout as pause } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { type BackendName, init, releaseMemory } from 'focal-loss'
import { backendNames, type Call, callOf, fingerprint, type Inputs, lossNames, nameOf, sizesOf } from './calls.js'
import { type Counter, counters, type Life } from './life.js'

const { counts, slot, inputs, expected, life } = workerData as {
  counts: Int32Array
  slot: number
  inputs: Inputs
  expected: ReadonlyMap<string, string>
  life: Life
}

const chance = (share: number) => Math.random() < share
const oneOf = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]
function count(what: Counter): void {
  Atomics.add(counts, slot * counters.length + counters.indexOf(what), 1)
}

/** Errors that calls of the soak may end with, and what they count as. */
const known: readonly (readonly [RegExp, Counter])[] = [
  [/^AbortError/, 'aborted'],
  [/^RangeError: (the kernel ran out of memory|the wasm backend could not get)/, 'withoutMemory'],
  [/^RangeError: targets\[\d+\] is (2|-1); expected/, 'refused'],
  // Of a thread whose memory was limited
  [/^RangeError: (Array buffer allocation failed|WebAssembly\.Memory\(\): could not allocate memory)/, 'withoutMemory'],
  [/^BackendError: (WebAssembly gets no|The workers did not start|A worker of the wasm backend has failed)/, 'withoutMemory'],
]

async function counted(name: string, call: () => unknown): Promise<void> {
  let said: string
  try {
    said = fingerprint((await call()) as Parameters<typeof fingerprint>[0])
    if (said === expected.get(name)) {
      count('right')
      return
    }
  } catch (error) {
    said = String(error)
    const found = known.find(([words]) => words.test(said))
    if (found !== undefined) {
      count(found[1])
      return
    }
  }
  count('wrong')
  parentPort?.postMessage(`${name} gave ${said}; expected ${expected.get(name)}`)
}

function abortable({ loss, logits, targets, shape }: Call): Promise<unknown> {
  const controller = new AbortController()
  if (chance(0.3)) setTimeout(() => controller.abort(), 30 * Math.random())
  return loss.valueAndGradAsync(logits, targets, { shape, signal: controller.signal })
}

/** A target that is none, at the end of a large call. */
function refused({ loss, logits, targets, shape }: Call): unknown {
  const wrong = Int8Array.from(targets)
  wrong[wrong.length - 1] = targets instanceof Uint8Array ? 2 : -1
  return chance(0.5) ? loss.valueAndGrad(logits, wrong, { shape }) : loss.valueAndGradAsync(logits, wrong, { shape })
}

/** More than a 32-bit address space has; the system gives no page of it before it is written to. */
const tooLarge = () => callOf('sigmoid', 0, 'wasm', inputs, false).loss.valueAndGrad(new Float64Array(300e6), new Float64Array(300e6), { grad: new Float64Array(300e6) })

async function oneCall(): Promise<void> {
  const backend: BackendName = oneOf(backendNames)
  const [name, size] = [oneOf(lossNames), oneOf(sizesOf(backend))]
  const call = callOf(name, size, backend, inputs, chance(0.5))
  const { loss, logits, targets, shape } = call
  const title = nameOf(name, size, backend)
  if (chance(0.05)) await counted(title, () => refused(call))
  else if (chance(0.5)) await counted(title, () => loss.valueAndGrad(logits, targets, { shape }))
  else await Promise.all(Array.from({ length: 3 }, () => counted(title, () => abortable(call))))
}

/** Engines that grant less than they are asked for, as phones do. */
function limitWebAssembly(pages: number): void {
  const { Memory } = WebAssembly
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super({ ...descriptor, maximum: Math.min(descriptor.maximum ?? pages, pages) })
    }
  }
}

/** Until there is no more: the engine ends the thread. */
function fillHeap(): never {
  for (const kept: number[][] = []; ; ) kept.push(Array.from({ length: 100_000 }, Math.random))
}

async function main(): Promise<void> {
  if (life.wasmPages !== undefined) limitWebAssembly(life.wasmPages)
  const end = performance.now() + life.time
  if (life.end === 'exit') setTimeout(() => process.exit(), life.time)
  while (performance.now() < end || life.end === 'terminate' || life.end === 'exit') {
    if (chance(life.pool)) await init('wasm', { workers: oneOf([0, 1, 2]) })
    if (chance(0.02)) releaseMemory()
    if (chance(0.02)) await counted('a call that is too large', tooLarge)
    await oneCall()
    if (chance(0.1)) await pause(1)
  }
  if (life.end !== 'heap') return
  void oneCall()
  await pause(1)
  fillHeap()
}

await main()
