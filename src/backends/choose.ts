/** Which backend runs a problem: the registry, the setting, and the automatic choice. */
import type { LossConstants } from '../constants.js'
import { onHost } from '../arrays.js'
import { isGpuOpen } from '../device.js'
import { environment } from '../environment.js'
import { BackendError, reasonOf, show } from '../errors.js'
import type { Formula } from '../losses/formula.js'
import { checkNames, checkRecord, oneOf, wholeNumber } from '../options.js'
import { type AnyProblem, arrayNames, arraysOf, type Problem, type Sums } from '../problem.js'
import { type Backend, type BackendLoader, type BackendName, backendNames, type DeviceBackend } from './backend.js'
import { BUDGET, crossover, DECIDED, type Dtype } from './calibrate.js'
import { jsBackend } from './js.js'
import { wasmLoader } from './wasm.js'
import { employ } from './wasm_team.js'
import type { Watch } from './watch.js'

/** One line of {@link backends}. */
export interface BackendInfo {
  /** What `setBackend` and the option `backend` call it. */
  readonly name: BackendName
  /** Whether it runs here. */
  readonly available: boolean
  /** What serves the calls; empty where it is not available. */
  readonly description: string
  /** Why it is not available and what to do; empty where it is. */
  readonly reason: string
}

/** One line of {@link calibrations}: what 'auto' chooses for one loss and one type of logits. */
export interface Calibration {
  /** The loss's short name, such as 'sigmoid' or 'focal-star'. */
  readonly loss: string
  /** The type of the logits. */
  readonly dtype: Dtype
  /**
   * Calls of at least `from` logits run on this backend; smaller ones on js, or where this is cuda, on the one that
   * {@link getBackend} names.
   */
  readonly backend: BackendName
  /** From 1, which is always, to 128; for cuda from 262,144 on, or Infinity, which is never. */
  readonly from: number
  /** How long it took to find that out. */
  readonly milliseconds: number
}

const loaders: Record<BackendName, BackendLoader> = {
  cuda: unavailable(
    "The cuda backend needs Node.js and the package's main entry: import 'focal-loss' with the condition 'node-addons' (Node.js " +
      "sets it) and not 'focal-loss/wasm'; without it, use native, wasm or js.",
  ),
  native: unavailable(
    "The native addon needs Node.js and the package's main entry: import 'focal-loss' with the condition " +
      "'node-addons' (Node.js sets it) and not 'focal-loss/wasm'.",
  ),
  wasm: wasmLoader,
  js: { load: () => jsBackend },
}

/** A backend, or what was thrown when it was asked for. Nothing is asked twice. */
type Outcome = { readonly backend: Backend } | { readonly error: Error }

const outcomes = new Map<BackendName, Outcome>()
/** What 'auto' has found out, by loss. Forgotten when there are other backends to choose from. */
const measured = { float32: new Map<Formula, Calibration>(), float64: new Map<Formula, Calibration>() } as const
let best: Backend | undefined
let setting: BackendName | 'auto' | undefined

const settings = ['auto', ...backendNames] as const

/** What 'auto' may choose without being asked: not a GPU, whose memory others may want. */
const automaticNames = ['native', 'wasm', 'js'] as const satisfies readonly BackendName[]

/** How {@link init} gets a backend ready. */
export interface InitOptions {
  /** With 'cuda': the GPU for arrays of the host and for new ones, as CUDA counts them. Default FOCAL_LOSS_CUDA_DEVICE, else the first. */
  device?: number
  /**
   * With 'wasm': how many workers there are for asynchronous calls of 258,048 logits or more, from 0 to 64. They share memory, so a
   * page must be cross-origin isolated. Default: as many as there are, at the beginning none.
   */
  workers?: number
}

/** The backend that an option of {@link init} is for. */
const initNames = { device: 'cuda', workers: 'wasm' } as const satisfies Record<keyof InitOptions, BackendName>

/** Adds a backend that only some entry points bring. */
export function registerBackend(name: BackendName, loader: BackendLoader): void {
  loaders[name] = loader
  outcomes.delete(name)
  forgetMeasured()
}

/** Every backend, the fastest first: whether it runs here, and if not, why and what to do. */
export function backends(): BackendInfo[] {
  return backendNames.map((name) => {
    const outcome = outcomeOf(name)
    return 'backend' in outcome
      ? { name, available: true, description: outcome.backend.description, reason: '' }
      : { name, available: false, description: '', reason: outcome.error.message }
  })
}

/**
 * Makes every loss without a `backend` option of its own run on this backend; 'auto' goes back to the cheapest.
 * Throws a {@link BackendError} with the reason where it is not available, and then changes nothing.
 */
export function setBackend(name: BackendName | 'auto'): void {
  oneOf('backend', name, settings)
  if (name !== 'auto') load(name)
  setting = name
}

/**
 * The backend that losses without a `backend` option of their own run on. With 'auto' it is the one for large problems;
 * calls of few logits may run on another, and large ones on a GPU that is open: {@link calibrations}. Arrays on a GPU are cuda's.
 */
export function getBackend(): BackendName {
  const name = currentSetting()
  return (name === 'auto' ? bestThatRuns() : load(name)).name
}

/**
 * What 'auto' has measured in this process so far: one entry for each loss and type of logits that had a call of fewer
 * than 128 logits, and once a GPU is open, one for each that had a call of at least 262,144 on arrays of the host. Nothing is
 * measured for a setting that names a backend.
 */
export function calibrations(): Calibration[] {
  return [...measured.float32.values(), ...measured.float64.values(), ...(openGpu()?.calibrations ?? [])]
}

/**
 * Gets a backend ready, without switching to it: the one named, or the one that {@link getBackend} names. In browsers
 * that refuse to compile WebAssembly at once, it makes wasm available; `init('cuda')` opens a GPU, which takes some tenths of a
 * second that its first use would otherwise stop the event loop for; `init('wasm', { workers })` starts or ends workers. Needed for
 * nothing else. Throws a {@link BackendError} with the reason where one of these cannot be had.
 */
export async function init(name?: BackendName | 'auto', options: InitOptions = {}): Promise<BackendName> {
  const wanted = name === undefined ? currentSetting() : oneOf('backend', name, settings)
  checkRecord('options', options)
  checkNames(options, new Set(Object.keys(initNames)), 'init()')
  for (const [name, only] of Object.entries(initNames)) {
    const isGiven = options[name as keyof InitOptions] !== undefined
    if (isGiven && wanted !== only) throw new TypeError(`${name} is given with backend ${show(wanted)}; expected backend '${only}'`)
  }
  if (options.workers !== undefined) wholeNumber('workers', options.workers, 64)
  for (const candidate of wanted === 'auto' ? automaticNames : [wanted]) {
    if ('error' in outcomeOf(candidate)) {
      const waiting = loaders[candidate].loadAsync?.()
      if (waiting !== undefined) {
        outcomes.set(candidate, await waiting.then(backendIs, errorIs))
        forgetMeasured()
      }
    }
    if ('backend' in outcomeOf(candidate)) {
      if (candidate === 'cuda') await loadGpu().open(options.device)
      if (options.workers !== undefined) await employ(options.workers)
      return candidate
    }
  }
  return load(wanted === 'auto' ? 'js' : wanted).name
}

/**
 * Runs a problem on the loss's own choice, else on what the setting says, else on the backend that is cheapest for `size`
 * logits; where that is undefined, always on the same. Arrays on a GPU are cuda's.
 */
export function runProblem(problem: AnyProblem, size: number | undefined, wanted: BackendName | 'auto' | undefined): Sums {
  return problem.device === null ? choose(problem, size, wanted).run(problem) : gpuFor(problem, wanted).run(problem)
}

/** The same while the event loop keeps turning. */
export function runProblemAsync(problem: AnyProblem, size: number, wanted: BackendName | 'auto' | undefined, watch: Watch): Promise<Sums> {
  return problem.device === null ? choose(problem, size, wanted).runAsync(problem, watch) : gpuFor(problem, wanted).runAsync(problem, watch)
}

/** The backend of large problems on arrays of the host. */
export function backendFor(wanted: BackendName | 'auto' | undefined): Backend {
  const name = wanted === undefined ? currentSetting() : oneOf('backend', wanted, settings)
  return name === 'auto' ? bestThatRuns() : load(name)
}

function choose(problem: Problem, size: number | undefined, wanted: BackendName | 'auto' | undefined): Backend {
  const name = wanted ?? currentSetting()
  if (name !== 'auto') return load(name)
  return size === undefined ? bestThatRuns() : automatic(problem, size)
}

function gpuFor(problem: AnyProblem, wanted: BackendName | 'auto' | undefined): DeviceBackend {
  const name = wanted ?? currentSetting()
  if (name !== 'auto' && name !== 'cuda') {
    const at = arraysOf(problem).findIndex((array) => array !== null && !onHost(array))
    throw new TypeError(`backend is ${show(name)} and ${arrayNames[at]} an array on a GPU; expected backend 'cuda' or 'auto', or arrays of the host`)
  }
  return loadGpu()
}

function currentSetting(): BackendName | 'auto' {
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
    if ('backend' in outcome) return outcome.backend
    // A mistake in the environment must not silently cost the fast backend
    if (!(outcome.error instanceof BackendError)) throw outcome.error
  }
  return load('js')
}

function forgetMeasured(): void {
  best = undefined
  measured.float32.clear()
  measured.float64.clear()
}

function load(name: BackendName): Backend {
  const outcome = outcomeOf(name)
  if ('error' in outcome) throw outcome.error
  return outcome.backend
}

/** What is registered by this name takes arrays on GPUs. */
function loadGpu(): DeviceBackend {
  return load('cuda') as DeviceBackend
}

function outcomeOf(name: BackendName): Outcome {
  let outcome = outcomes.get(name)
  if (outcome === undefined) {
    try {
      outcome = backendIs(loaders[name].load())
    } catch (error) {
      outcome = errorIs(error)
    }
    outcomes.set(name, outcome)
  }
  return outcome
}

function backendIs(backend: Backend): Outcome {
  return { backend }
}

function errorIs(error: unknown): Outcome {
  return { error: error instanceof Error ? error : new BackendError(reasonOf(error)) }
}

function unavailable(reason: string): BackendLoader {
  return {
    load() {
      throw new BackendError(reason)
    },
  }
}
