/** Where the CUDA addon comes from. */
import packageJson from '../../../package.json' with { type: 'json' }
import { type AddonSources, type Attempt, loadAddon } from '../addon/load.js'
import type { CudaAddon } from './devices.js'

const prebuilt: Readonly<Partial<Record<string, Attempt>>> = {
  '@focal-loss/linux-x64-gnu-cuda': (require) => require('@focal-loss/linux-x64-gnu-cuda'),
  '@focal-loss/linux-arm64-gnu-cuda': (require) => require('@focal-loss/linux-arm64-gnu-cuda'),
}

function remedy(name: string, exists: boolean): string {
  const build = 'build it in a checkout of focal-loss with npm run setup where CMake finds nvcc'
  const rest = 'without it, the cuda backend cannot run: use native, wasm or js.'
  if (!exists) return `To get it, ${build}; ${rest}`
  return `For an NVIDIA GPU, run npm install --save-optional ${name}@${packageJson.version}, or ${build}; ${rest}`
}

/** Loads the addon when it is called. That there is a GPU, or its driver, is not known before the addon is asked. */
export function cudaAddonLoader(fromCheckout: AddonSources['fromCheckout']): () => CudaAddon {
  const sources: AddonSources = { name: 'CUDA', fromCheckout, prebuilt, suffix: '-cuda', remedy }
  return () => loadAddon(sources) as CudaAddon
}
