/** The backend on a device of WebGPU, its own or the caller's: for asynchronous calls, in float32. */
import { BackendError, reasonOf } from '../../errors.js'
import type { Backend, BackendLoader } from '../backend.js'
import type { GpuDevice } from './interface.js'
import { checkDevice, untilKnown } from './recorder.js'
import { requestDevice, whyMissing } from './request.js'
import { run } from './run.js'

/** What to do where the device is lost. */
const REMEDY = "await init('webgpu') opens another"

/** One device at a time, or why there is none. */
let opened: { readonly device: GpuDevice; readonly backend: Backend } | undefined
let refused: Error | undefined
/** So that all who wait get the same device. */
let opening: Promise<GpuDevice> | undefined

export const webgpuLoader: BackendLoader = {
  mayBeLost: true,
  load() {
    if (opened === undefined) throw refused ?? new BackendError(whyMissing() ?? "The webgpu backend has no device yet: await init('webgpu') opens one, and init('webgpu', { device }) takes yours.")
    checkDevice(opened.device, REMEDY)
    return opened.backend
  },
  async loadAsync(given?: GpuDevice) {
    if (given !== undefined) opened = undefined
    try {
      const device = given ?? (await (opening ??= requestDevice()))
      await untilKnown(device)
      checkDevice(device, REMEDY)
      opened = { device, backend: backendOn(device) }
      return opened.backend
    } catch (error) {
      refused = error instanceof Error ? error : new BackendError(reasonOf(error))
      throw refused
    } finally {
      opening = undefined
    }
  },
}

function backendOn(device: GpuDevice): Backend {
  const { vendor = '', architecture = '', description = '' } = device.adapterInfo ?? {}
  const adapter = (description || `${vendor} ${architecture}`).trim()
  return {
    name: 'webgpu',
    description: `WebGPU in float32, asynchronous calls only${adapter && `, ${adapter}`}`,
    run() {
      throw new TypeError("the webgpu backend has asynchronous calls only; await valueAndGradAsync() or valueGradAndHessAsync(), or use another backend")
    },
    runAsync: (problem, watch) => run(device, problem, watch, REMEDY),
    blockRows: () => 1,
  }
}
