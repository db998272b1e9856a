/** Finds the CUDA addon. This file lies as deep in src/ as its output in dist/, so that one relative path serves both. */
import { createRequire } from 'node:module'
import packageJson from '../package.json' with { type: 'json' }
import type { CudaAddon } from './backends/cuda_devices.js'
import { BackendError, reasonOf } from './errors.js'
import { type Attempt, nameOfPrebuilt } from './native_addon.js'

// Literal names, so that bundlers and packagers see what may be loaded
const prebuilt: Partial<Record<string, Attempt>> = {
  '@focal-loss/linux-x64-gnu-cuda': (require) => require('@focal-loss/linux-x64-gnu-cuda'),
  '@focal-loss/linux-arm64-gnu-cuda': (require) => require('@focal-loss/linux-arm64-gnu-cuda'),
}

const fromCheckout: Attempt = (require) => require('../build/Release/focal_loss_cuda.node')

/** As for the native addon; that there is a GPU, or its driver, is not known before the addon is asked. */
export function loadCudaAddon(): CudaAddon {
  const failures: string[] = []
  const name = `${nameOfPrebuilt()}-cuda`
  for (const attempt of [fromCheckout, prebuilt[name]]) {
    if (attempt === undefined) {
      failures.push(`there is no package ${name}`)
      continue
    }
    try {
      return attempt(createRequire(import.meta.url)) as CudaAddon
    } catch (error) {
      failures.push(reasonOf(error).split('\n')[0])
    }
  }
  throw new BackendError(`The CUDA addon could not be loaded (${failures.join('; ')}). ${remedy(name)}`)
}

function remedy(name: string): string {
  const build = 'build it in a checkout of focal-loss with npm run setup where CMake finds nvcc'
  const rest = 'without it, the cuda backend cannot run: use native, wasm or js.'
  if (!(name in prebuilt)) return `To get it, ${build}; ${rest}`
  return `For an NVIDIA GPU, run npm install --save-optional ${name}@${packageJson.version}, or ${build}; ${rest}`
}
