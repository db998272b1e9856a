/** Which backend runs a problem: the setting, and the automatic choice. */
import { oneOf } from '../arguments.js'
import { isGpuOpen } from '../arrays/device_array.js'
import { onHost } from '../arrays/logits.js'
import { environment } from '../environment.js'
import { BackendError, show, surplus } from '../errors.js'
import type { Formula } from '../formulas/formula.js'
import type { LossConstants } from '../problem/constants.js'
import { type BackendName, backendNames } from '../problem/options.js'
import { type AnyProblem, arrayNames, arraysOf, type Problem, type Sums } from '../problem/problem.js'
import type { Backend, Calibration, DeviceBackend, Dtype } from './backend.js'
import { BUDGET, crossover, DECIDED } from './calibrate.js'
import { load, outcomeOf, whenChanged } from './registry.js'
import type { Watch } from './watch.js'

/** What 'auto' has found out, by loss. Forgotten when there are other backends to choose from. */
const measured = { float32: new Map<Formula, Calibration>(), float64: new Map<Formula, Calibration>() } as const
let best: Backend | undefined
let setting: BackendName | 'auto' | undefined

whenChanged(() => {
  best = undefined
  measured.float32.clear()
  measured.float64.clear()
})

export const settings = ['auto', ...backendNames] as const

/** The backends that 'auto' may choose: no GPU, because other programs may need its memory. */
export const automaticNames = ['native', 'wasm', 'js'] as const satisfies readonly BackendName[]

/**
 * Sets the backend of all losses without a `backend` option; 'auto' selects the fastest again.
 * Throws a {@link BackendError} with the reason if it is not available, and then changes nothing.
 */
export function setBackend(name: BackendName | 'auto'): void {
  if (arguments.length > 1) throw surplus('setBackend()', 1, arguments.length)
  oneOf('backend', name, settings)
  if (name !== 'auto') load(name)
  setting = name
}

/**
 * The backend of losses without a `backend` option. With 'auto' it is the backend of large problems: calls of few logits may run
 * on another, and large ones on an open GPU ({@link calibrations}). Arrays on a GPU always run on cuda.
 */
export function getBackend(): BackendName {
  if (arguments.length > 0) throw surplus('getBackend()', 0, arguments.length)
  const name = currentSetting()
  return (name === 'auto' ? bestThatRuns() : load(name)).name
}

/**
 * The measurements of 'auto' in this process so far: one entry for each loss and type of logits with a call of fewer than 128
 * logits. Once a GPU is open, also one for each with a call of at least 262,144 logits in host memory. If a setting names a
 * backend, nothing is measured.
 */
export function calibrations(): Calibration[] {
  if (arguments.length > 0) throw surplus('calibrations()', 0, arguments.length)
  return [...measured.float32.values(), ...measured.float64.values(), ...(openGpu()?.calibrations ?? [])]
}

/**
 * Runs a problem on the loss's own choice, else on what the setting says, else on the backend that is cheapest for `size`
 * logits; where that is undefined, always on the same. Arrays on a GPU are cuda's.
 */
export function runProblem(problem: AnyProblem, size: number | undefined, wanted: BackendName | 'auto' | null): Sums {
  return countRows(problem, problem.device === null ? choose(problem, size, wanted).run(problem) : gpuFor(problem, wanted).run(problem))
}

/** The same while the event loop keeps turning. */
export async function runProblemAsync(problem: AnyProblem, size: number, wanted: BackendName | 'auto' | null, watch: Watch): Promise<Sums> {
  return countRows(problem, await (problem.device === null ? choose(problem, size, wanted).runAsync(problem, watch) : gpuFor(problem, wanted).runAsync(problem, watch)))
}

/** Of labels made of positions a row has one or two that are half or more: it is one positive. */
function countRows(problem: AnyProblem, sums: Sums): Sums {
  return problem.positions === null ? sums : { ...sums, positives: sums.rows }
}

/** The backend of large problems on arrays in host memory. */
export function backendFor(wanted: BackendName | 'auto' | null): Backend {
  const name = wanted === null ? currentSetting() : oneOf('backend', wanted, settings)
  return name === 'auto' ? bestThatRuns() : load(name)
}

function choose(problem: Problem, size: number | undefined, wanted: BackendName | 'auto' | null): Backend {
  const name = wanted ?? currentSetting()
  if (name !== 'auto') return load(name)
  return size === undefined ? bestThatRuns() : automatic(problem, size)
}

function gpuFor(problem: AnyProblem, wanted: BackendName | 'auto' | null): DeviceBackend {
  const name = wanted ?? currentSetting()
  if (name !== 'auto' && name !== 'cuda') {
    const at = arraysOf(problem).findIndex((array) => array !== null && !onHost(array))
    throw new TypeError(`backend is ${show(name)} and ${arrayNames[at]} an array on a GPU; expected backend 'cuda' or 'auto', or arrays in host memory`)
  }
  return loadGpu()
}

export function currentSetting(): BackendName | 'auto' {
  setting ??= oneOf('FOCAL_LOSS_BACKEND', environment('FOCAL_LOSS_BACKEND') ?? 'auto', settings)
  return setting
}

function automatic(problem: Problem, size: number): Backend {
  const { loss, logits } = problem
  const fast = bestThatRuns()
  if (size >= DECIDED) {
    const gpu = openGpu()
    return gpu?.pays(fast, problem) === true ? gpu : fast
  }
  // Half precision is dear to the plain backend, and never in question
  if (logits.BYTES_PER_ELEMENT === 2) return fast
  const plain = load('js')
  if (fast === plain) return plain
  const dtype = logits.BYTES_PER_ELEMENT === 4 ? 'float32' : 'float64'
  let known = measured[dtype].get(loss.formula)
  if (known === undefined) {
    known = measure(fast, plain, loss, dtype)
    measured[dtype].set(loss.formula, known)
  }
  return size >= known.from ? fast : plain
}

/** The GPU that somebody has opened. */
function openGpu(): DeviceBackend | undefined {
  return isGpuOpen() ? loadGpu() : undefined
}

function measure(fast: Backend, plain: Backend, loss: LossConstants, dtype: Dtype): Calibration {
  const clock = () => performance.now()
  const begin = clock()
  const from = crossover(fast, plain, loss, dtype, clock, begin + BUDGET)
  return { loss: loss.formula.name, dtype, backend: fast.name, from, milliseconds: clock() - begin }
}

function bestThatRuns(): Backend {
  best ??= findBest()
  return best
}

function findBest(): Backend {
  for (const name of automaticNames) {
    const outcome = outcomeOf(name)
    if (outcome.error === null) return outcome.backend
    // A mistake in the environment must not silently cost the fast backend
    if (!(outcome.error instanceof BackendError)) throw outcome.error
  }
  return load('js')
}

/** What is registered by this name takes arrays on GPUs. */
export function loadGpu(): DeviceBackend {
  return load('cuda') as DeviceBackend
}
