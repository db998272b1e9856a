/** Workers for the asynchronous calls of the WebAssembly backend: each has an instance of the module over one shared memory. */
import { BackendError, reasonOf } from '../../errors.js'
import { checkOverlaps, type Problem, type Sums } from '../../problem/problem.js'
import { BLOCK_ELEMENTS } from '../layout.js'
import { Queue } from '../queue.js'
import { inTurns } from '../turns.js'
import { compileShared, type Instance, instantiateShared } from './instance.js'
import { Member, type Message, slots } from './worker_handle.js'
import { Region } from './region.js'
import type { Watch } from '../watch.js'

/** As much as wasm/build.sh gives the module. */
const STACK = 65_536

/** Logits from which on calls are shared: below, the messages take longer than the work. */
let sharedFrom = 64 * BLOCK_ELEMENTS

let team: Team | undefined
const queue = new Queue()

/** For tests, which share small calls, too. */
export function shareFrom(logits: number): void {
  sharedFrom = logits
}

/** How many workers there are. */
export function workers(): number {
  return team?.size ?? 0
}

/** Has so many workers, once running calls have ended. Throws a {@link BackendError} where there can be none, and then has none. */
export async function employ(count: number): Promise<void> {
  await queue.enter(undefined)
  try {
    if (count === workers()) return
    team?.dismiss()
    team = undefined
    if (count > 0) team = await Team.of(count)
  } finally {
    queue.leave()
  }
}

/** The next call gets new memory. */
export function releaseTeamMemory(): void {
  team?.release()
}

/**
 * Runs a problem on the workers; such calls wait for each other, first come first served. `undefined`, and nothing is done, where the
 * problem is too small, or there are no workers, or none any more when it is its turn.
 */
export async function runOnTeam(problem: Problem, watch: Watch): Promise<Sums | undefined> {
  if (team === undefined || problem.logits.length < sharedFrom) return undefined
  checkOverlaps(problem)
  await queue.enter(watch.signal)
  try {
    return await team?.run(problem, watch)
  } catch (error) {
    if (!team.isLost) throw error
    team = undefined
    throw new BackendError(`A worker of the wasm backend has failed (${reasonOf(error)}), and all of them were ended; init starts others.`)
  } finally {
    queue.leave()
  }
}

class Team {
  isLost = false
  readonly #module: WebAssembly.Module
  readonly #members: readonly Member[]
  #instance: Instance | undefined
  #stacks: readonly number[] = []

  private constructor(module: WebAssembly.Module, members: readonly Member[]) {
    this.#module = module
    this.#members = members
  }

  static async of(count: number): Promise<Team> {
    if ((globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === false) {
      throw new BackendError(
        'Workers need shared memory, which only cross-origin isolated pages have; serve the page with the headers ' +
          'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, or do without workers.',
      )
    }
    const members: Member[] = []
    try {
      const module = await compileShared()
      for (let k = 0; k < count; k++) members.push(new Member())
      const made = new Team(module, members)
      await made.#ready()
      return made
    } catch (error) {
      for (const member of members) member.terminate()
      if (error instanceof BackendError) throw error
      throw new BackendError(
        `The workers did not start (${reasonOf(error)}); a content security policy must allow "worker-src blob:" and 'wasm-unsafe-eval'.`,
      )
    }
  }

  get size(): number {
    return this.#members.length
  }

  dismiss(): void {
    this.isLost = true
    for (const member of this.#members) member.terminate()
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
      this.#stacks = this.#members.map(() => made.exports.focal_malloc(STACK) + STACK)
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
      const members = this.size
      await this.#tell((member) => ({ kind: 'work', run, result, control, member, members, stack: this.#stacks[member], ...shared }))
    } finally {
      watch.signal?.removeEventListener('abort', stop)
    }
    watch.check()
    region.read(said[slots.status])
  }

  /** Resolves once all have done what they were told. What one of them cannot do leaves the memory in an unknown state. */
  async #tell(message: (member: number) => Message): Promise<void> {
    try {
      await Promise.all(this.#members.map((member, k) => member.tell(message(k))))
    } catch (error) {
      if (this.#instance !== undefined) this.#instance.broken = true
      this.dismiss()
      throw error
    }
  }
}
