/** Where the native addon comes from. */
import { show } from '../../errors.js'
import { CALL_BYTES } from '../addon/call.js'
import { type AddonSources, type Attempt, loadAddon } from '../addon/load.js'
import type { BackendLoader } from '../backend.js'
import { type Addon, type Isa, nativeFromEnvironment, type Session } from './backend.js'

const prebuilt: Readonly<Partial<Record<string, Attempt>>> = {
  '@focal-loss/linux-x64-gnu': (require) => require('@focal-loss/linux-x64-gnu'),
  '@focal-loss/linux-x64-musl': (require) => require('@focal-loss/linux-x64-musl'),
  '@focal-loss/linux-arm64-gnu': (require) => require('@focal-loss/linux-arm64-gnu'),
  '@focal-loss/linux-arm64-musl': (require) => require('@focal-loss/linux-arm64-musl'),
  '@focal-loss/darwin-x64': (require) => require('@focal-loss/darwin-x64'),
  '@focal-loss/darwin-arm64': (require) => require('@focal-loss/darwin-arm64'),
  '@focal-loss/win32-x64': (require) => require('@focal-loss/win32-x64'),
}

function remedy(published: string | undefined): string {
  const build = 'build it in a checkout of focal-loss with npm run setup'
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
