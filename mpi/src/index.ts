/**
 * The ranks of an MPI job as a collective of `focal-loss/parallel`. A program joins with {@link joinMpi} and is started by the job's
 * launcher: `mpirun -n 4 node train.mjs`.
 *
 * @module @focal-loss/mpi
 */
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import type { Collective } from 'focal-loss/parallel'

/** What the addon exports. */
interface Addon {
  init(limitSeconds: number): { readonly rank: number; readonly size: number; readonly library: string }
  allReduce(array: Float64Array | Float32Array): void
  beginAllReduce(array: Float64Array | Float32Array): number
  isDone(pending: number): boolean
  broadcast(array: Float64Array | Float32Array, root: number): void
  barrier(): void
  finalize(): void
  abort(code: number): void
}

/** What {@link joinMpi} takes. */
export interface MpiOptions {
  /** How many seconds a rank waits for the others before it takes one for dead: a number > 0. Default 300. */
  timeout?: number | undefined
}

/** The ranks of the job. */
export interface MpiCollective extends Collective {
  /** The MPI library and its version: 'Open MPI v4.1.4', 'MPICH 4.0.2'. */
  readonly library: string
  /** Sums in place, and waits: the event loop stands still. */
  allReduce(array: Float64Array | Float32Array, operation?: 'sum'): void
  /** Sums in place, while the event loop turns. The array must stay as it is until the promise settles; several may be under way. */
  allReduceAsync(array: Float64Array | Float32Array): Promise<void>
  /** Replaces the array by that of the rank `root`, everywhere. */
  broadcast(array: Float64Array | Float32Array, root?: number): void
  /** Returns once all ranks have called it. */
  barrier(): void
}

const DEFAULT_TIMEOUT = 300

let joined: MpiCollective | undefined

/**
 * Joins the MPI job that this process was started by; alone, without a launcher, it is a job of one. The same object again on
 * every call, whose options are those of the first.
 *
 * The process leaves the job as it ends. One that ends with an error ends the whole job at once, so that the others do not wait
 * for it; a rank that MPI loses is an Error on the others, or the launcher ends them, and no rank waits longer than `timeout`.
 */
export function joinMpi(options: MpiOptions = {}): MpiCollective {
  const timeout = checkTimeout(options)
  joined ??= joinOnce(timeout)
  return joined
}

function checkTimeout(options: MpiOptions): number {
  if (typeof options !== 'object' || options === null) throw new TypeError(`options is ${String(options)}; expected an object with options`)
  for (const name in options) if (name !== 'timeout') throw new TypeError(`'${name}' is not an option of joinMpi(); expected timeout`)
  const { timeout = DEFAULT_TIMEOUT } = options
  if (typeof timeout !== 'number' || !(timeout > 0 && timeout < Infinity)) throw new RangeError(`timeout is ${String(timeout)}; expected a finite number of seconds > 0`)
  return timeout
}

function joinOnce(timeout: number): MpiCollective {
  const addon = load()
  const { rank, size, library: described } = addon.init(timeout)
  // Open MPI goes on after a comma, MPICH with lines of how it was built
  const library = described.split(/[,\n]/)[0].replace(/ Version:\s*/, ' ')
  checkLauncher(size, library)
  // Node.js reports an error after its exit handlers have run, of which one ends this process
  process.once('uncaughtExceptionMonitor', (error) => process.stderr.write(`rank ${rank} of ${size} ends the job: ${inspect(error)}\n`))
  process.once('exit', (code) => {
    try {
      if (code === 0) addon.finalize()
      else addon.abort(code)
    } catch (error) {
      process.stderr.write(`rank ${rank} of ${size} ends the job: ${inspect(error)}\n`)
      addon.abort(1)
    }
  })
  return {
    rank,
    size,
    library,
    allReduce: (array) => addon.allReduce(array),
    async allReduceAsync(array) {
      const pending = addon.beginAllReduce(array)
      const end = Date.now() + 1000 * timeout
      while (!addon.isDone(pending)) {
        if (Date.now() > end) throw new Error(`allReduceAsync has waited ${timeout} s for the other ranks; one has ended, hangs, or calls something else (joinMpi({ timeout }) changes the limit)`)
        await new Promise(setImmediate)
      }
    },
    broadcast(array, root = 0) {
      if (!Number.isInteger(root) || root < 0 || root >= size) throw new RangeError(`root is ${String(root)}; expected an integer from 0 to ${size - 1}`)
      addon.broadcast(array, root)
    },
    barrier: () => addon.barrier(),
  }
}

/** Every process that another MPI's launcher starts would be a job of one, and train alone. */
function checkLauncher(size: number, library: string): void {
  const { OMPI_COMM_WORLD_SIZE, PMI_SIZE } = process.env
  const started = OMPI_COMM_WORLD_SIZE ?? PMI_SIZE
  if (size === 1 && started !== undefined && Number(started) > 1) {
    throw new Error(`the launcher has started ${started} ranks, of which ${library} sees one; expected the mpirun of ${library}, which @focal-loss/mpi was built for`)
  }
}

/** The addon of this package, or of a checkout. MPI's own plug-ins look for its symbols, so they are made visible to all. */
function load(): Addon {
  const here = dirname(fileURLToPath(import.meta.url))
  const file = join(here, '../build/Release/focal_loss_mpi.node')
  const loaded = { exports: {} as Addon }
  const { env } = process
  const isTold = env.UCX_MEM_EVENTS !== undefined
  // UCX, on which Debian's MPICH runs, patches the memory functions of the process as it is loaded, while V8's threads run them: 6 of 111 jobs of three ranks crashed
  if (!isTold) env.UCX_MEM_EVENTS = 'no'
  try {
    process.dlopen(loaded, file, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL)
  } catch (error) {
    throw new Error(`@focal-loss/mpi has no addon that loads here (${error instanceof Error ? error.message : String(error)}); build it with npm run build:mpi, where mpicxx is`, { cause: error })
  } finally {
    if (!isTold) delete env.UCX_MEM_EVENTS
  }
  return loaded.exports
}
