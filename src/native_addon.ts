/** Finds the addon. This file lies as deep in src/ as its output in dist/, so that one relative path serves both. */
import { createRequire } from 'node:module'
import type { BackendLoader } from './backends/backend.js'
import { type Addon, nativeFromEnvironment } from './backends/native.js'
import { BackendError, reasonOf } from './errors.js'

const require: (name: string) => unknown = createRequire(import.meta.url)

// Literal names, so that bundlers and packagers see what may be loaded
const prebuilt: Partial<Record<string, () => unknown>> = {
  'linux-x64': () => require('@focal-loss/linux-x64'),
  'linux-arm64': () => require('@focal-loss/linux-arm64'),
  'darwin-x64': () => require('@focal-loss/darwin-x64'),
  'darwin-arm64': () => require('@focal-loss/darwin-arm64'),
  'win32-x64': () => require('@focal-loss/win32-x64'),
}

const built = () => require('../build/Release/focal_loss.node')

function loadAddon(): Addon {
  const platform = `${process.platform}-${process.arch}`
  const failures: string[] = []
  for (const attempt of [prebuilt[platform], built]) {
    if (attempt === undefined) {
      failures.push(`there is no prebuilt addon for ${platform}`)
      continue
    }
    try {
      return attempt() as Addon
    } catch (error) {
      failures.push(reasonOf(error).split('\n')[0])
    }
  }
  throw new BackendError(
    `The native addon could not be loaded (${failures.join('; ')}); ` +
      `install @focal-loss/${platform}, or build it from a checkout with npm run build:native.`,
  )
}

export const nativeLoader: BackendLoader = { load: () => nativeFromEnvironment(loadAddon()) }
