/** The backends, and for each the loaded backend or the error. */
import { describeRuntime, runtime } from '../environment.js'
import { BackendError, reasonOf, surplus } from '../errors.js'
import type { Backend, BackendLoader } from './backend.js'
import { type BackendName, backendNames } from '../problem/options.js'
import { jsBackend } from './js/backend.js'
import { wasmLoader } from './wasm/backend.js'
import type { GpuDevice } from './webgpu/interface.js'

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

const loaders: Record<BackendName, BackendLoader> = {
  cuda: fromMainEntry('cuda'),
  native: fromMainEntry('native'),
  wasm: wasmLoader,
  js: { load: () => jsBackend },
  webgpu: {
    load() {
      throw new BackendError("The webgpu backend comes with focal-loss/webgpu: import 'focal-loss/webgpu', then await init('webgpu').")
    },
  },
}

/** A backend, or what was thrown when it was asked for. Nothing is asked twice but what may be lost. */
export type Outcome = { readonly backend: Backend; readonly error: null } | { readonly backend: null; readonly error: Error }

const outcomes = new Map<BackendName, Outcome>()

let changed: () => void = () => undefined

/** Has this called whenever there are other backends to choose from. */
export function whenChanged(call: () => void): void {
  changed = call
}

/** Adds a backend that only some entry points bring. */
export function registerBackend(name: BackendName, loader: BackendLoader): void {
  loaders[name] = loader
  forget(name)
}

/** Has a backend asked for again: it may run now, or as something else. */
export function forget(name: BackendName): void {
  outcomes.delete(name)
  changed()
}

/** All backends, those of GPUs first and then by speed: whether each can run here, and if not, why and what to do. */
export function backends(): BackendInfo[] {
  if (arguments.length > 0) throw surplus('backends()', 0, arguments.length)
  return backendNames.map((name) => {
    const outcome = outcomeOf(name)
    return outcome.error === null
      ? { name, available: true, description: outcome.backend.description, reason: '' }
      : { name, available: false, description: '', reason: outcome.error.message }
  })
}

/** The backend. Throws why it cannot run here. */
export function load(name: BackendName): Backend {
  const outcome = outcomeOf(name)
  if (outcome.error !== null) throw outcome.error
  return outcome.backend
}

/** The same where engines only allow it with a wait, or on a device of the caller's. What came of it is what {@link load} gives or throws from then on. */
export async function loadWithWait(name: BackendName, device?: GpuDevice): Promise<void> {
  if (device === undefined && outcomeOf(name).error === null) return
  const waiting = loaders[name].loadAsync?.(device)
  if (waiting === undefined) return
  outcomes.set(name, await waiting.then(backendIs, errorIs))
  changed()
}

/** The backend, or what was thrown when it was asked for. */
export function outcomeOf(name: BackendName): Outcome {
  let outcome = outcomes.get(name)
  if (outcome === undefined || loaders[name].mayBeLost) {
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
  return { backend, error: null }
}

function errorIs(error: unknown): Outcome {
  return { backend: null, error: error instanceof Error ? error : new BackendError(reasonOf(error)) }
}

/** What an addon serves, which this entry does not bring. */
function fromMainEntry(name: BackendName): BackendLoader {
  return {
    load() {
      const here = runtime()
      throw new BackendError(
        here === 'browser' || here === 'other'
          ? `The ${name} backend runs in Node.js, Bun and Deno, not in ${here === 'browser' ? 'a browser' : 'this JavaScript engine'}; use wasm or js.`
          : `The ${name} backend comes with the package's main entry: import 'focal-loss' with the condition 'node', which ` +
              `${describeRuntime().split(' ')[0]} sets, and not 'focal-loss/wasm'; a bundler needs the platform node. ` +
              'Without it, use wasm or js.',
      )
    },
  }
}
