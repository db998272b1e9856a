/** Getting a backend ready before it is used: compiling with a wait, opening a GPU, starting workers. */
import { show, surplus } from '../errors.js'
import { checkNames, checkRecord, oneOf, wholeNumber } from '../arguments.js'
import type { BackendName } from '../problem/options.js'
import { automaticNames, currentSetting, loadGpu, settings } from './choose.js'
import { forget, load, loadWithWait, outcomeOf } from './registry.js'
import { useModule } from './wasm/instance.js'
import { setWorkers } from './wasm/worker_pool.js'

/** How {@link init} gets a backend ready. */
export interface InitOptions {
  /** With 'cuda': the GPU for arrays of the host and for new ones, as CUDA counts them. Default FOCAL_LOSS_CUDA_DEVICE, else the first. */
  device?: number | undefined
  /**
   * With 'wasm': how many workers there are for asynchronous calls of 258,048 logits or more, from 0 to 64. They share memory, so a
   * page must be cross-origin isolated. Default: as many as there are, at the beginning none.
   */
  workers?: number | undefined
  // By its own name a module is known only to compilers with the DOM's types or Node's, where it is an object with no members
  /**
   * With 'wasm': `focal-loss/focal-loss.wasm` compiled, a WebAssembly.Module, for runtimes that forbid compiling bytes and give imports of such files as a
   * module. Calls run on it from then on. Default: the bytes inside the package.
   */
  module?: object | undefined
}

/** The backend that an option of {@link init} is for. */
const backendOf = { device: 'cuda', workers: 'wasm', module: 'wasm' } as const satisfies Record<keyof InitOptions, BackendName>

/**
 * Gets a backend ready, without switching to it: the one named, or the one that {@link getBackend} names. In browsers
 * that refuse to compile WebAssembly at once, it makes wasm available; `init('cuda')` opens a GPU, which takes some tenths of a
 * second that its first use would otherwise stop the event loop for; `init('wasm', { workers })` starts or ends workers, and
 * `init('wasm', { module })` runs where bytes may not be compiled. Needed for nothing else. Throws a {@link BackendError} with the reason
 * where one of these cannot be had.
 */
export async function init(name?: BackendName | 'auto', options: InitOptions = {}): Promise<BackendName> {
  if (arguments.length > 2) throw surplus('init()', 2, arguments.length)
  const wanted = name === undefined ? currentSetting() : oneOf('backend', name, settings)
  checkRecord('options', options)
  checkNames(options, new Set(Object.keys(backendOf)), 'init()')
  for (const [name, only] of Object.entries(backendOf)) {
    const isGiven = options[name as keyof InitOptions] !== undefined
    if (isGiven && wanted !== only) throw new TypeError(`${name} is given with backend ${show(wanted)}; expected backend '${only}'`)
  }
  if (options.workers !== undefined) wholeNumber('workers', options.workers, 64)
  if (options.module !== undefined) {
    await useModule(options.module)
    forget('wasm')
  }
  for (const candidate of wanted === 'auto' ? automaticNames : [wanted]) {
    await loadWithWait(candidate)
    if (outcomeOf(candidate).error === null) {
      if (candidate === 'cuda') await loadGpu().open(options.device)
      if (options.workers !== undefined) await setWorkers(options.workers)
      return candidate
    }
  }
  return load(wanted === 'auto' ? 'js' : wanted).name
}
