/** Where the CUDA addon comes from. */
import { createRequire } from 'node:module'
import { onWindows } from '../../environment.js'
import { type AddonSources, loadAddon } from '../addon/load.js'
import type { CudaAddon } from './devices.js'

// Not below, where the CommonJS that is made of this asks for a `require` of its own to tell
const here = import.meta.url

function prebuilt(): ReturnType<AddonSources['prebuilt']> {
  const require: (name: string) => unknown = createRequire(here)
  return {
    '@focal-loss/linux-x64-gnu-cuda': () => require('@focal-loss/linux-x64-gnu-cuda'),
    '@focal-loss/linux-arm64-gnu-cuda': () => require('@focal-loss/linux-arm64-gnu-cuda'),
  }
}

function remedy(published: string | undefined): string {
  if (onWindows()) return 'It is made for Linux alone; use native, wasm or js.'
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
