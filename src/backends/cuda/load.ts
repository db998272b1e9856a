/** Where the CUDA addon comes from. */
import { type AddonSources, type Attempt, loadAddon } from '../addon/load.js'
import type { CudaAddon } from './devices.js'

const prebuilt: Readonly<Partial<Record<string, Attempt>>> = {
  '@focal-loss/linux-x64-gnu-cuda': (require) => require('@focal-loss/linux-x64-gnu-cuda'),
  '@focal-loss/linux-arm64-gnu-cuda': (require) => require('@focal-loss/linux-arm64-gnu-cuda'),
}

function remedy(published: string | undefined): string {
  const build = 'build it in a checkout of focal-loss with npm run setup where CMake finds nvcc'
  const rest = 'without it, the cuda backend cannot run: use native, wasm or js.'
  if (published === undefined) return `To get it, ${build}; ${rest}`
  return `For an NVIDIA GPU, run npm install --save-optional ${published}, or ${build}; ${rest}`
}

/** Loads the addon when it is called. That there is a GPU, or its driver, is not known before the addon is asked. */
export function cudaAddonLoader(fromCheckout: AddonSources['fromCheckout']): () => CudaAddon {
  const functions = { blockRows: 'function', devices: 'function', open: 'function', openAsync: 'function', owner: 'function', pin: 'function' } as const
  const members = { blockElements: 'number', ...functions } as const
  const sources: AddonSources = { name: 'CUDA', fromCheckout, prebuilt, suffix: '-cuda', members, remedy }
  return () => loadAddon(sources) as CudaAddon
}
