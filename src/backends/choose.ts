/** Which backend runs a problem: the registry, the setting, and the automatic choice. */
import type { LossConstants } from '../constants.js'
import { environment } from '../environment.js'
import { BackendError, reasonOf } from '../errors.js'
import type { Formula } from '../losses/formula.js'
import { oneOf } from '../options.js'
import type { Problem } from '../problem.js'
import { type Backend, type BackendLoader, type BackendName, backendNames } from './backend.js'
import { BUDGET, crossover, DECIDED, type Dtype } from './calibrate.js'
import { jsBackend } from './js.js'
import { wasmLoader } from './wasm.js'

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
  /** Calls of at least `from` logits run on this backend, smaller ones on js. */
  readonly backend: BackendName
  /** From 1, which is always, to 128. */
  readonly from: number
  /** How long it took to find that out. */
  readonly milliseconds: number
}

const loaders: Record<BackendName, BackendLoader> = {
  cuda: unavailable('The cuda backend is not part of this build; use native, wasm or js.'),
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
 * calls of few logits may run on another: {@link calibrations}.
 */
export function getBackend(): BackendName {
  const name = currentSetting()
  return (name === 'auto' ? bestThatRuns() : load(name)).name
}

/**
 * What 'auto' has measured in this process so far: one entry for each loss and type of logits that had a call of fewer
 * than 128 logits. Nothing is measured for a setting that names a backend.
 */
export function calibrations(): Calibration[] {
  return [...measured.float32.values(), ...measured.float64.values()]
}

/**
 * Gets a backend ready, without switching to it: the one named, or the one that {@link getBackend} names. Never
 * needed on Node.js; in browsers that refuse to compile WebAssembly at once, it makes wasm available.
 */
export async function init(name?: BackendName | 'auto'): Promise<BackendName> {
  const wanted = name === undefined ? currentSetting() : oneOf('backend', name, settings)
  for (const candidate of wanted === 'auto' ? backendNames : [wanted]) {
    if ('error' in outcomeOf(candidate)) {
      const waiting = loaders[candidate].loadAsync?.()
      if (waiting !== undefined) {
        outcomes.set(candidate, await waiting.then(backendIs, errorIs))
        forgetMeasured()
      }
    }
    if ('backend' in outcomeOf(candidate)) return candidate
  }
  return load(wanted === 'auto' ? 'js' : wanted).name
}

/** The backend for a problem of `size` logits: the loss's own choice, else the setting, else the cheapest. */
export function chooseBackend(problem: Problem, size: number, wanted: BackendName | 'auto' | undefined): Backend {
  const name = wanted ?? currentSetting()
  return name === 'auto' ? automatic(problem, size) : load(name)
}

function currentSetting(): BackendName | 'auto' {
  setting ??= oneOf('FOCAL_LOSS_BACKEND', environment('FOCAL_LOSS_BACKEND') ?? 'auto', settings)
  return setting
}

function automatic({ loss, logits }: Problem, size: number): Backend {
  const fast = bestThatRuns()
  // Half precision is dear to the plain backend, and never in question
  if (size >= DECIDED || logits.BYTES_PER_ELEMENT === 2) return fast
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
  for (const name of backendNames) {
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
