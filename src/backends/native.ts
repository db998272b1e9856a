/** The backend of the Node.js addon: the C++ kernel on typed arrays as they lie, vectorised and threaded. */
import type { Logits, NumericArray } from '../arrays.js'
import { environment } from '../environment.js'
import { BackendError, outOfRange } from '../errors.js'
import type { Problem } from '../problem.js'
import type { Backend } from './backend.js'
import { ABI, type Machine, PROBLEM_BYTES, readResult, writeProblem } from './layout.js'

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
  /** Returns a FocalStatus. */
  run(
    problem: Uint8Array,
    result: Float64Array,
    logits: Logits,
    targets: NumericArray,
    weights: NumericArray | null,
    mask: NumericArray | null,
    classPositive: Float64Array | null,
    classNegative: Float64Array | null,
    values: Logits | null,
    grad: Logits | null,
    hess: Logits | null,
  ): number
}

/** The addon as a backend, set up as FOCAL_LOSS_THREADS and FOCAL_LOSS_ISA say; a bad value there is a RangeError. */
export function nativeFromEnvironment(addon: Addon): Backend {
  const threads = threadsFrom(environment('FOCAL_LOSS_THREADS')) ?? addon.hardwareThreads()
  return nativeBackend(addon, { threads, isa: isaFrom(environment('FOCAL_LOSS_ISA'), addon.isas()) })
}

export function nativeBackend(addon: Addon, machine: Machine): Backend {
  if (addon.abi !== ABI) {
    throw new BackendError(
      `The native addon speaks version ${addon.abi} of the kernel's interface and this package version ${ABI}; ` +
        'build it again with npm run build:native.',
    )
  }
  // Calls are synchronous, so one set of bytes serves them all
  const bytes = new Uint8Array(PROBLEM_BYTES)
  const view = new DataView(bytes.buffer)
  const result = new Float64Array(8)
  const isa = machine.isa === 0 ? addon.activeIsa() : addon.isas()[machine.isa - 1].name
  return {
    name: 'native',
    description: `C++ addon, ${isa}, ${machine.threads} ${machine.threads === 1 ? 'thread' : 'threads'}`,
    run(problem: Problem) {
      writeProblem(view, problem, machine)
      const { loss, logits, targets, weights, mask, values, grad, hess } = problem
      const { classPositive, classNegative } = loss
      const code = addon.run(
        bytes,
        result,
        logits,
        targets,
        weights,
        mask,
        classPositive,
        classNegative,
        values,
        grad,
        hess,
      )
      return readResult(code, result, problem)
    },
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
