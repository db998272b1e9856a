/** Where the native addon comes from. */
import packageJson from '../../../package.json' with { type: 'json' }
import { type AddonSources, type Attempt, loadAddon } from '../addon/load.js'
import type { BackendLoader } from '../backend.js'
import { type Addon, nativeFromEnvironment } from './backend.js'

const prebuilt: Readonly<Partial<Record<string, Attempt>>> = {
  '@focal-loss/linux-x64-gnu': (require) => require('@focal-loss/linux-x64-gnu'),
  '@focal-loss/linux-x64-musl': (require) => require('@focal-loss/linux-x64-musl'),
  '@focal-loss/linux-arm64-gnu': (require) => require('@focal-loss/linux-arm64-gnu'),
  '@focal-loss/linux-arm64-musl': (require) => require('@focal-loss/linux-arm64-musl'),
  '@focal-loss/darwin-x64': (require) => require('@focal-loss/darwin-x64'),
  '@focal-loss/darwin-arm64': (require) => require('@focal-loss/darwin-arm64'),
  '@focal-loss/win32-x64': (require) => require('@focal-loss/win32-x64'),
}

function remedy(name: string, exists: boolean): string {
  const build = 'build it in a checkout of focal-loss with npm run setup'
  if (!exists) return `To get it, ${build}; without it, use wasm or js.`
  return (
    'To mend it, allow optional dependencies with npm install --include=optional, or name the package with ' +
    `npm install --save-optional ${name}@${packageJson.version}, or ${build}; without it, use wasm or js.`
  )
}

/** The loader of the native backend. `fromCheckout` requires the addon that a checkout has built. */
export function nativeLoader(fromCheckout: AddonSources['fromCheckout']): BackendLoader {
  const sources: AddonSources = { name: 'native', fromCheckout, prebuilt, suffix: '', remedy }
  return { load: () => nativeFromEnvironment(loadAddon(sources) as Addon) }
}
