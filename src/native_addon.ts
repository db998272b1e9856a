/** Finds the addon. This file lies as deep in src/ as its output in dist/, so that one relative path serves both. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import packageJson from '../package.json' with { type: 'json' }
import type { BackendLoader } from './backends/backend.js'
import { type Addon, nativeFromEnvironment } from './backends/native.js'
import { BackendError, reasonOf } from './errors.js'

/** One way to load an addon. */
export type Attempt = (require: (name: string) => unknown) => unknown

// Literal names, so that bundlers and packagers see what may be loaded
const prebuilt: Partial<Record<string, Attempt>> = {
  '@focal-loss/linux-x64-gnu': (require) => require('@focal-loss/linux-x64-gnu'),
  '@focal-loss/linux-x64-musl': (require) => require('@focal-loss/linux-x64-musl'),
  '@focal-loss/linux-arm64-gnu': (require) => require('@focal-loss/linux-arm64-gnu'),
  '@focal-loss/linux-arm64-musl': (require) => require('@focal-loss/linux-arm64-musl'),
  '@focal-loss/darwin-x64': (require) => require('@focal-loss/darwin-x64'),
  '@focal-loss/darwin-arm64': (require) => require('@focal-loss/darwin-arm64'),
  '@focal-loss/win32-x64': (require) => require('@focal-loss/win32-x64'),
}

const fromCheckout: Attempt = (require) => require('../build/Release/focal_loss.node')

/** In a checkout its own build goes before what may be installed; in an installed package there is no such file. */
function loadAddon(): Addon {
  const failures: string[] = []
  const name = nameOfPrebuilt()
  for (const attempt of [fromCheckout, prebuilt[name]]) {
    if (attempt === undefined) {
      failures.push(`there is no package ${name}`)
      continue
    }
    try {
      // Not before: a bundle may not know where it lies, which is another reason and not the end
      return attempt(createRequire(import.meta.url)) as Addon
    } catch (error) {
      // The lines below the first list who required whom
      failures.push(reasonOf(error).split('\n')[0])
    }
  }
  throw new BackendError(`The native addon could not be loaded (${failures.join('; ')}). ${remedy(name)}`)
}

function remedy(name: string): string {
  const build = 'build it in a checkout of focal-loss with npm run setup'
  if (!(name in prebuilt)) return `To get it, ${build}; without it, use wasm or js.`
  return (
    'To mend it, allow optional dependencies with npm install --include=optional, or name the package with ' +
    `npm install --save-optional ${name}@${packageJson.version}, or ${build}; without it, use wasm or js.`
  )
}

/** The package with an addon for this platform, whether there is one or not. */
export function nameOfPrebuilt(): string {
  const { platform, arch } = process
  const libc = platform === 'linux' ? (usesMusl() ? '-musl' : '-gnu') : ''
  return `@focal-loss/${platform}-${arch}${libc}`
}

/** Whether this process runs on musl, by the libraries in its memory: that starts no process and asks no network. */
function usesMusl(): boolean {
  try {
    return /\/(ld-musl-|libc\.musl-)/.test(readFileSync('/proc/self/maps', 'latin1'))
  } catch {
    // Without /proc, glibc is the likelier one
    return false
  }
}

export const nativeLoader: BackendLoader = { load: () => nativeFromEnvironment(loadAddon()) }
