/** The CUDA addon as the suites want it: on a GPU where this machine has one, else on the device that is emulated. */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { registerBackend } from '../../src/backends/registry.js'
import { cudaLoader } from '../../src/backends/cuda/backend.js'
import { type CudaAddon, useCudaAddon } from '../../src/backends/cuda/devices.js'

const require: (name: string) => unknown = createRequire(import.meta.url)

/** The addon that runs here, and whether that is on a GPU. */
export interface CudaHere {
  readonly addon: CudaAddon
  readonly onGpu: boolean
}

let here: CudaHere | undefined

export function cudaHere(): CudaHere {
  here ??= findAddon()
  return here
}

function findAddon(): CudaHere {
  try {
    const built = require('../../build/Release/focal_loss_cuda.node') as CudaAddon
    if (built.devices().length > 0) return { addon: built, onGpu: true }
  } catch {
    // Built without nvcc
  }
  return { addon: require('../../build/emulated/focal_loss_cuda.node') as CudaAddon, onGpu: false }
}

/** What makes a process find it: nothing, or a module that is loaded before its script. */
export function flagsForCuda(): string[] {
  return cudaHere().onGpu ? [] : ['--require', fileURLToPath(new URL('emulate_cuda.cjs', import.meta.url))]
}

/** From here on 'cuda' runs on this addon, with nothing opened yet. */
export function useCuda(addon = cudaHere().addon): void {
  useCudaAddon(() => addon)
  registerBackend('cuda', cudaLoader)
}
