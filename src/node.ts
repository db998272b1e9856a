/**
 * The focal loss family on Node.js: everything of the default entry, the native addon, and arrays on GPUs.
 *
 * @module focal-loss
 */
import { cudaLoader } from './backends/cuda.js'
import { useCudaAddon } from './backends/cuda_devices.js'
import { registerBackend } from './backends/registry.js'
import { useWorkers } from './backends/wasm_member.js'
import { loadCudaAddon } from './cuda_addon.js'
import { registerDeviceArrays } from './device.js'
import { DeviceArray, deviceArrays } from './device_array.js'
import { nativeLoader } from './native_addon.js'
import { startNodeWorker } from './node_worker.js'
import { pin, PinnedArray } from './pinned_array.js'

registerBackend('native', nativeLoader)
useCudaAddon(loadCudaAddon)
registerBackend('cuda', cudaLoader)
registerDeviceArrays(deviceArrays)
useWorkers(startNodeWorker)

export * from './index.js'
export { DeviceArray, pin, PinnedArray }
