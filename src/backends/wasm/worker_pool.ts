/** Workers for the asynchronous calls of the WebAssembly backend: each has an instance of the module over one shared memory. */
import { BackendError, reasonOf } from '../../errors.js'
import { checkOverlaps, type Problem, type Sums } from '../../problem/problem.js'
import { BLOCK_ELEMENTS } from '../layout.js'
import { Queue } from '../queue.js'
import { inTurns } from '../turns.js'
import { type Instance, instantiateShared } from './instance.js'
import { compileShared } from './module.js'
import { type Message, slots } from './messages.js'
import { Region } from './region.js'
import { workerAdvice } from './start_worker.js'
import { WorkerHandle } from './worker_handle.js'
import type { Watch } from '../watch.js'

/**
 * How long workers may take no turn and end no stage before they count as lost, in milliseconds: a turn takes 0.1 ms or so, but machines
 * are suspended, and threads wait for processors.
 */
export const STALL_LIMIT = 30_000

/** As much as wasm/build.sh gives the module. */
const STACK = 65_536

/** Logits from which on calls are shared: below, the messages take longer than the work. */
let sharedFrom = 64 * BLOCK_ELEMENTS

let pool: WorkerPool | undefined
const queue = new Queue()

/** For tests, which share small calls, too. */
export function shareFrom(logits: number): void {
  sharedFrom = logits
}

/** How many workers there are, for the backend's description; empty where there are none. */
export function describeWorkers(): string {
  if (pool === undefined) return ''
  return `; ${pool.size} ${pool.size === 1 ? 'worker' : 'workers'} for asynchronous calls${pool.limit}`
}

/** Has so many workers, once running calls have ended. Throws a {@link BackendError} where there can be none, and then has none. */
export async function setWorkers(count: number): Promise<void> {
  await queue.enter(undefined)
  try {
    if (count === (pool?.size ?? 0)) return
    pool?.terminate()
    pool = undefined
    if (count > 0) pool = await WorkerPool.of(count)
  } finally {
    queue.leave()
  }
}

/** The next call gets new memory. */
export function releasePoolMemory(): void {
  pool?.release()
}

/**
 * Runs a problem on the workers; such calls wait for each other, first come first served. `undefined`, and nothing is done, where the
 * problem is too small, or there are no workers, or none any more when it is its turn.
 */
export async function runOnPool(problem: Problem, watch: Watch): Promise<Sums | undefined> {
  if (pool === undefined || problem.logits.length < sharedFrom) return undefined
  checkOverlaps(problem)
  await queue.enter(watch.signal)
  try {
    return await pool?.run(problem, watch)
  } catch (error) {
    if (!pool.isLost) throw error
    pool = undefined
    throw new BackendError(`A worker of the wasm backend has failed (${reasonOf(error)}), and all of them were ended; init starts others.`)
  } finally {
    queue.leave()
  }
}

/** The first thing that is missing, with what to do. */
function refuseWithoutSharedMemory(): void {
  const { crossOriginIsolated, SharedArrayBuffer } = globalThis as { crossOriginIsolated?: boolean; SharedArrayBuffer?: unknown }
  if (crossOriginIsolated === false) {
    throw new BackendError(
      'Workers need shared memory, which only cross-origin isolated pages have; serve the page with the headers ' +
        'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, or do without workers.',
    )
  }
  if (SharedArrayBuffer === undefined) {
    throw new BackendError(
      'Workers need shared memory, and this JavaScript engine has no SharedArrayBuffer (WebKit on Linux is built without it, so that ' +
        'pages lack it even where they are cross-origin isolated); do without workers.',
    )
  }
}

class WorkerPool {
  isLost = false
  readonly #module: WebAssembly.Module
  readonly #workers: readonly WorkerHandle[]
  #instance: Instance | undefined
  #stacks: readonly number[] = []

  private constructor(module: WebAssembly.Module, workers: readonly WorkerHandle[]) {
    this.#module = module
    this.#workers = workers
  }

  static async of(count: number): Promise<WorkerPool> {
    refuseWithoutSharedMemory()
    const workers: WorkerHandle[] = []
    try {
      const module = await compileShared()
      for (let k = 0; k < count; k++) workers.push(new WorkerHandle())
      const made = new WorkerPool(module, workers)
      await made.#ready()
      return made
    } catch (error) {
      for (const worker of workers) worker.terminate()
      if (error instanceof BackendError) throw error
      throw new BackendError(`The workers did not start (${reasonOf(error)}); ${workerAdvice()}.`)
    }
  }

  get size(): number {
    return this.#workers.length
  }

  /** What all share, where it is less than 4 GB. */
  get limit(): string {
    return this.#instance?.limit ?? ''
  }

  terminate(): void {
    this.isLost = true
    for (const worker of this.#workers) worker.terminate()
  }

  release(): void {
    this.#instance = undefined
  }

  async run(problem: Problem, watch: Watch): Promise<Sums> {
    const here = await this.#ready()
    const region = new Region(here, problem, { threads: this.size, isa: 0 })
    try {
      region.begin()
      const shared = region.takeShared()
      await inTurns(region.copyIn(), watch)
      await this.#work(region, shared, watch)
      const sums = region.finish()
      await inTurns(region.copyOut(), watch)
      return sums
    } finally {
      region.free()
    }
  }

  /** The instance of this thread, over the memory that all share. */
  async #ready(): Promise<Instance> {
    if (this.#instance === undefined || this.#instance.broken) {
      const made = await instantiateShared(this.#module, (memory) =>
        this.#tell(() => ({ kind: 'join', module: this.#module, memory })),
      )
      this.#stacks = this.#workers.map(() => made.exports.focal_malloc(STACK) + STACK)
      this.#instance = made
    }
    return this.#instance
  }

  async #work(region: Region, shared: ReturnType<Region['takeShared']>, watch: Watch): Promise<void> {
    const { run, result, control } = region
    const { buffer } = region.here.memory
    const said = new Int32Array(buffer, control, 16)
    const stop = () => {
      Atomics.store(said, slots.stopped, 1)
    }
    watch.signal?.addEventListener('abort', stop)
    try {
      const workers = this.size
      await this.#tell((worker) => ({ kind: 'work', run, result, control, worker, workers, stack: this.#stacks[worker], ...shared }), said)
    } finally {
      watch.signal?.removeEventListener('abort', stop)
    }
    watch.check()
    region.read(said[slots.status])
  }

  /**
   * Resolves once all have done what they were told. What one of them cannot do leaves the memory in an unknown state; so does one that is
   * never heard of, while what all of them write to `progress` stays the same.
   */
  async #tell(message: (worker: number) => Message, progress?: Int32Array): Promise<void> {
    const told = Promise.all(this.#workers.map((worker, k) => worker.tell(message(k))))
    try {
      await (progress === undefined ? told : Promise.race([told, stalled(progress, told)]))
    } catch (error) {
      if (this.#instance !== undefined) this.#instance.broken = true
      this.terminate()
      throw error
    }
  }
}

/** Rejects when `progress` has stayed the same for as long as workers may; settles once they are done. */
function stalled(progress: Int32Array, done: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    let before = ''
    const timer = setInterval(() => {
      const now = progress.join()
      if (now === before) {
        clearInterval(timer)
        reject(new Error(`no progress within ${STALL_LIMIT / 1000} s`))
      }
      before = now
    }, STALL_LIMIT)
    const end = () => {
      clearInterval(timer)
      resolve()
    }
    done.then(end, end)
  })
}
