/** Which backend runs a problem: the registry, the setting, and the automatic choice. */
import { environment } from '../environment.js'
import { BackendError, reasonOf } from '../errors.js'
import { oneOf } from '../options.js'
import { type Backend, type BackendLoader, type BackendName, backendNames } from './backend.js'
import { jsBackend } from './js.js'
import { wasmLoader } from './wasm.js'

/** One line of {@link backends}. */
export interface BackendInfo {
  readonly name: BackendName
  readonly available: boolean
  /** What serves the calls; empty where it is not available. */
  readonly description: string
  /** Why it is not available and what to do; empty where it is. */
  readonly reason: string
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
let setting: BackendName | 'auto' | undefined

const settings = ['auto', ...backendNames] as const

/** Adds a backend that only some entry points bring. */
export function registerBackend(name: BackendName, loader: BackendLoader): void {
  loaders[name] = loader
  outcomes.delete(name)
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
 * Makes every loss without a `backend` option of its own run on this backend; 'auto' goes back to the best one.
 * Throws a {@link BackendError} with the reason where it is not available, and then changes nothing.
 */
export function setBackend(name: BackendName | 'auto'): void {
  oneOf('backend', name, settings)
  if (name !== 'auto') load(name)
  setting = name
}

/** The backend that losses without a `backend` option of their own run on. */
export function getBackend(): BackendName {
  return chooseBackend(0, undefined).name
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
      if (waiting !== undefined) outcomes.set(candidate, await waiting.then(backendIs, errorIs))
    }
    if ('backend' in outcomeOf(candidate)) return candidate
  }
  return load(wanted === 'auto' ? 'js' : wanted).name
}

/** The backend for a problem of `size` logits: the loss's own choice, else the setting, else the best. */
export function chooseBackend(size: number, wanted: BackendName | 'auto' | undefined): Backend {
  const name = wanted ?? currentSetting()
  return name === 'auto' ? automatic(size) : load(name)
}

function currentSetting(): BackendName | 'auto' {
  setting ??= oneOf('FOCAL_LOSS_BACKEND', environment('FOCAL_LOSS_BACKEND') ?? 'auto', settings)
  return setting
}

/** The first that runs. The size will decide once measured costs say where each backend begins to win. */
function automatic(_size: number): Backend {
  for (const name of backendNames) {
    const outcome = outcomeOf(name)
    if ('backend' in outcome) return outcome.backend
    // A mistake in the environment must not silently cost the fast backend
    if (!(outcome.error instanceof BackendError)) throw outcome.error
  }
  return jsBackend
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
