/** The backend of the Node.js addon: the C++ kernel on typed arrays as they lie, vectorised and threaded. */
import type { Logits } from '../../arrays/logits.js'
import type { NumericArray } from '../../arrays/numeric_array.js'
import type { LossConstants } from '../../problem/constants.js'
import { environment } from '../../environment.js'
import { outOfRange } from '../../errors.js'
import type { Problem } from '../../problem/problem.js'
import { announce, CALL_BYTES, sumsIn, viewsOf } from '../addon/call.js'
import { inSteadyMemory } from '../addon/steady.js'
import type { Backend } from '../backend.js'
import { BLOCK_ELEMENTS, blockRowsOf, type Machine, writeCall, writeConstants, writeProblem } from '../layout.js'
import { Queue } from '../queue.js'
import type { Watch } from '../watch.js'
import { defaultThreads } from './threads.js'

/** One entry of the kernel's dispatch list. */
export interface Isa {
  readonly name: string
  readonly description: string
  readonly features: string
  readonly supported: boolean
}

/** What binding/ exports. */
export interface Addon {
  readonly abi: number
  /** The dispatch list, best first. */
  isas(): Isa[]
  /** The name of the entry that serves when none is asked for. */
  activeIsa(): string
  hardwareThreads(): number
  open(): Session
  /** Runs the problem in a call's memory on a thread of its own, and holds the arrays until the promise is resolved. */
  start(memory: ArrayBuffer, ...arrays: Arrays): Promise<void> | undefined
}

/** Runs the problem that was written to its memory on these arrays. */
export interface Session {
  (...arrays: Arrays): void
  /** {@link CALL_BYTES}. Must never be detached: the addon knows where it lies. */
  readonly memory: ArrayBuffer
}

type Arrays = [
  logits: Logits,
  targets: NumericArray,
  weights: NumericArray | null,
  mask: NumericArray | null,
  classPositive: Float64Array | null,
  classNegative: Float64Array | null,
  values: Logits | null,
  grad: Logits | null,
  hess: Logits | null,
]

/**
 * The addon as a backend, set up as FOCAL_LOSS_THREADS and FOCAL_LOSS_ISA say; a bad value there is a RangeError. By default on as many
 * threads as the hardware has, or as a container's CPU quota allows.
 */
export function nativeFromEnvironment(addon: Addon): Backend {
  const threads = threadsFrom(environment('FOCAL_LOSS_THREADS')) ?? defaultThreads(addon.hardwareThreads())
  return nativeBackend(addon, { threads, isa: isaFrom(environment('FOCAL_LOSS_ISA'), addon.isas()) })
}

export function nativeBackend(addon: Addon, machine: Machine): Backend {
  // Calls are synchronous, so one session serves them all
  const session = addon.open()
  const views = viewsOf(session.memory)
  const { bytes } = views
  const isa = machine.isa === 0 ? addon.activeIsa() : addon.isas()[machine.isa - 1].name
  let written: LossConstants | undefined
  // One asynchronous call at a time: each takes all the threads there are, and one of those that Node has for files and names
  const queue = new Queue()
  return {
    name: 'native',
    description: `C++ addon, ${isa}, ${machine.threads} ${machine.threads === 1 ? 'thread' : 'threads'}`,
    run(problem: Problem) {
      const { loss, logits, targets, weights, mask, values, grad, hess } = problem
      if (loss !== written) {
        writeConstants(bytes, loss, machine)
        written = loss
      }
      writeCall(bytes, problem)
      announce(bytes, problem)
      session(logits, targets, weights, mask, loss.classTable, loss.classNegative, values, grad, hess)
      return sumsIn(views, problem)
    },
    async runAsync(problem: Problem, watch: Watch) {
      const memory = new ArrayBuffer(CALL_BYTES)
      const views = viewsOf(memory)
      writeProblem(views.bytes, problem, machine)
      announce(views.bytes, problem)
      const cancel = () => void Atomics.store(views.flags, 1, 1)
      await queue.enter(watch.signal)
      watch.signal?.addEventListener('abort', cancel)
      try {
        watch.check()
        const steady = inSteadyMemory(problem)
        const { loss, logits, targets, weights, mask, values, grad, hess } = steady.problem
        await addon.start(memory, logits, targets, weights, mask, loss.classTable, loss.classNegative, values, grad, hess)
        watch.check()
        steady.finish()
      } finally {
        watch.signal?.removeEventListener('abort', cancel)
        queue.leave()
      }
      return sumsIn(views, problem)
    },
    blockRows: (formula, classes) => blockRowsOf(BLOCK_ELEMENTS, formula, classes),
  }
}

function threadsFrom(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const threads = /^\d+$/.test(text.trim()) ? Number(text) : NaN
  if (!(threads >= 1 && threads <= 1024)) throw outOfRange('FOCAL_LOSS_THREADS', text, 'an integer from 1 to 1024')
  return threads
}

function isaFrom(text: string | undefined, isas: readonly Isa[]): number {
  if (text === undefined) return 0
  const at = isas.findIndex(({ name, supported }) => supported && name === text)
  if (at >= 0) return at + 1
  const names = isas.filter(({ supported }) => supported).map(({ name }) => name)
  const unsupported = isas.find(({ name }) => name === text)
  const why = unsupported ? `, as this processor lacks ${unsupported.features}` : ''
  throw outOfRange('FOCAL_LOSS_ISA', text, `one of ${names.join(', ')}${why}`)
}
