/** Prepares a backend before its first use: compiles WebAssembly, opens a GPU, starts workers. */
import { show, surplus } from '../errors.js'
import { checkNames, checkRecord, oneOf, wholeNumber } from '../arguments.js'
import type { BackendName } from '../problem/options.js'
import { automaticNames, currentSetting, loadGpu, settings } from './choose.js'
import { forget, load, loadWithWait, outcomeOf } from './registry.js'
import { useModule } from './wasm/instance.js'
import { setWorkers } from './wasm/worker_pool.js'
import { checkGpuDevice, type GpuDevice } from './webgpu/interface.js'

/** Options of {@link init}. */
export interface InitOptions {
  /**
   * With 'cuda': the GPU for arrays in host memory and for new ones, as CUDA counts them. Default FOCAL_LOSS_CUDA_DEVICE, else the first. With
   * 'webgpu': a GPUDevice of your own, which calls run on from then on. Default: one that is requested, once.
   */
  device?: number | GpuDevice | undefined
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

/** The backends that an option of {@link init} is for. */
const backendsOf: Readonly<Record<keyof InitOptions, readonly BackendName[]>> = { device: ['cuda', 'webgpu'], workers: ['wasm'], module: ['wasm'] }

/**
 * Prepares a backend without switching to it: the one named, or the one that {@link getBackend} names. Needed for:
 *
 * - `init('wasm')` in browsers that refuse to compile WebAssembly synchronously;
 * - `init('wasm', { workers })` to start or end workers;
 * - `init('wasm', { module })` in runtimes that forbid compiling bytes;
 * - `init('webgpu')` to request a GPU device, one for all losses, and again after it is lost;
 * - `init('cuda')` to open a GPU without blocking the event loop for some tenths of a second.
 *
 * Throws a {@link BackendError} with the reason if that is not possible.
 */
export async function init(name?: BackendName | 'auto', options: InitOptions = {}): Promise<BackendName> {
  if (arguments.length > 2) throw surplus('init()', 2, arguments.length)
  const wanted = name === undefined ? currentSetting() : oneOf('backend', name, settings)
  checkRecord('options', options)
  checkNames(options, new Set(Object.keys(backendsOf)), 'init()')
  for (const [name, those] of Object.entries(backendsOf)) {
    const isGiven = options[name as keyof InitOptions] !== undefined
    if (isGiven && !those.some((each) => each === wanted)) throw new TypeError(`${name} is given with backend ${show(wanted)}; expected backend ${those.map(show).join(' or ')}`)
  }
  const { device } = options
  let given: GpuDevice | undefined
  if (wanted === 'webgpu' && device !== undefined) {
    checkGpuDevice('device', device)
    given = device
  }
  if (options.workers !== undefined) wholeNumber('workers', options.workers, 64)
  if (options.module !== undefined) {
    await useModule(options.module)
    forget('wasm')
  }
  for (const candidate of wanted === 'auto' ? automaticNames : [wanted]) {
    await loadWithWait(candidate, given)
    if (outcomeOf(candidate).error === null) {
      if (candidate === 'cuda') await loadGpu().open(device)
      if (options.workers !== undefined) await setWorkers(options.workers)
      return candidate
    }
  }
  return load(wanted === 'auto' ? 'js' : wanted).name
}
