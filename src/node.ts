/**
 * The focal loss family on Node.js: everything of the default entry, the native addon, WebGPU, and arrays on GPUs.
 *
 * @module focal-loss
 */
import { createRequire } from 'node:module'
import { registerDeviceArrays } from './arrays/device_array.js'
import { cudaLoader } from './backends/cuda/backend.js'
import { DeviceArray, deviceArrays } from './backends/cuda/device_array.js'
import { useCudaAddon } from './backends/cuda/devices.js'
import { cudaAddonLoader } from './backends/cuda/load.js'
import { pin, PinnedArray } from './backends/cuda/pinned_array.js'
import { nativeLoader } from './backends/native/load.js'
import { registerBackend } from './backends/registry.js'
import { webgpuLoader } from './backends/webgpu/backend.js'

// This file lies as deep in src/ as its output in dist/, so that one relative path to a checkout's builds serves both
registerBackend('native', nativeLoader(() => createRequire(import.meta.url)('../build/Release/focal_loss.node')))
useCudaAddon(cudaAddonLoader(() => createRequire(import.meta.url)('../build/Release/focal_loss_cuda.node')))
registerBackend('cuda', cudaLoader)
registerBackend('webgpu', webgpuLoader)
registerDeviceArrays(deviceArrays)

export * from './index.js'
export { DeviceArray, pin, PinnedArray }
