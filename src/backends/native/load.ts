/** Where the native addon comes from. */
import { createRequire } from 'node:module'
import { onWindows } from '../../environment.js'
import { show } from '../../errors.js'
import { CALL_BYTES } from '../addon/call.js'
import { type AddonSources, loadAddon } from '../addon/load.js'
import type { BackendLoader } from '../backend.js'
import { type Addon, type Isa, nativeFromEnvironment, type Session } from './backend.js'

// Not below, where the CommonJS that is made of this asks for a `require` of its own to tell
const here = import.meta.url

function prebuilt(): ReturnType<AddonSources['prebuilt']> {
  const require: (name: string) => unknown = createRequire(here)
  return {
    '@focal-loss/linux-x64-gnu': () => require('@focal-loss/linux-x64-gnu'),
    '@focal-loss/linux-x64-musl': () => require('@focal-loss/linux-x64-musl'),
    '@focal-loss/linux-arm64-gnu': () => require('@focal-loss/linux-arm64-gnu'),
    '@focal-loss/linux-arm64-musl': () => require('@focal-loss/linux-arm64-musl'),
    '@focal-loss/darwin-x64': () => require('@focal-loss/darwin-x64'),
    '@focal-loss/darwin-arm64': () => require('@focal-loss/darwin-arm64'),
    '@focal-loss/win32-x64': () => require('@focal-loss/win32-x64'),
  }
}

function remedy(published: string | undefined): string {
  const build = `build it in a checkout of focal-loss with ${onWindows() ? 'npm ci and npx cmake-js compile -G "Visual Studio 17 2022" -A x64 -t ClangCL' : 'npm run setup'}`
  if (published === undefined) return `To get it, ${build}; without it, use wasm or js.`
  return (
    'To mend it, allow optional dependencies with npm install --include=optional, or name the package with ' +
    `npm install --save-optional ${published}, or ${build}; without it, use wasm or js.`
  )
}

/** What the functions of binding/addon.cpp never give. */
function wrongWith(addon: Addon): string | undefined {
  const isas: unknown = addon.isas()
  if (!(Array.isArray(isas) && isas.every(isIsa))) return `isas() is ${show(isas)}; expected a list of instruction sets`
  const isa: unknown = addon.activeIsa()
  if (typeof isa !== 'string') return `activeIsa() is ${show(isa)}; expected a name`
  const threads: unknown = addon.hardwareThreads()
  if (!(typeof threads === 'number' && threads >= 1)) return `hardwareThreads() is ${show(threads)}; expected a number >= 1`
  const session: unknown = addon.open()
  if (typeof session !== 'function' || (session as Partial<Session>).memory?.byteLength !== CALL_BYTES) return `open() is ${show(session)}; expected a function with a memory of ${CALL_BYTES} bytes`
  return undefined
}

function isIsa(value: unknown): boolean {
  const { name, supported } = Object(value) as Partial<Isa>
  return typeof name === 'string' && typeof supported === 'boolean'
}

/** The loader of the native backend. `fromCheckout` requires the addon that a checkout has built. */
export function nativeLoader(fromCheckout: AddonSources['fromCheckout']): BackendLoader {
  const members = { isas: 'function', activeIsa: 'function', hardwareThreads: 'function', open: 'function', start: 'function' } as const
  const sources: AddonSources = { name: 'native', fromCheckout, prebuilt, suffix: '', members, wrongWith, remedy }
  return { load: () => nativeFromEnvironment(loadAddon(sources) as Addon) }
}
