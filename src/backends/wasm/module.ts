/** The WebAssembly module: its bytes compiled, or given by the caller where compiling is forbidden. */
import { runtime } from '../../environment.js'
import { BackendError, reasonOf, wrongType } from '../../errors.js'
import { moduleText } from './module_bytes.generated.js'
import { decode } from './module_text.js'

/** What the kernel exports. */
export interface Exports {
  readonly focal_malloc: (bytes: number) => number
  readonly focal_free: (pointer: number) => void
  readonly focal_run: (problem: number, result: number) => number
  readonly focal_begin: (problem: number, run: number) => number
  readonly focal_scan_parts: (run: number) => number
  readonly focal_scan: (run: number, first: number, last: number) => void
  readonly focal_finish_scan: (run: number, result: number) => number
  readonly focal_blocks: (run: number) => number
  readonly focal_compute: (run: number, worker: number, first: number, last: number) => void
  readonly focal_finish: (run: number, result: number) => number
  readonly focal_end: (run: number) => void
  readonly focal_abi: () => number
  readonly _initialize?: () => void
}

const exportNames: Readonly<Record<Exclude<keyof Exports, '_initialize'>, true>> = {
  focal_malloc: true,
  focal_free: true,
  focal_run: true,
  focal_begin: true,
  focal_scan_parts: true,
  focal_scan: true,
  focal_finish_scan: true,
  focal_blocks: true,
  focal_compute: true,
  focal_finish: true,
  focal_end: true,
  focal_abi: true,
}

/** The bit that says so in the binary format's limits. */
const SHARED = 2

/** Has the package's own bytes compiled. Throws a {@link BackendError} where that is refused. */
export function compile<T>(how: (bytes: Uint8Array<ArrayBuffer>) => T): T {
  if (moduleText.byteCount === 0) {
    throw new BackendError('This build has no WebAssembly module; make one with npm run build:wasm && npm run build:js.')
  }
  if (typeof WebAssembly === 'undefined') {
    throw new BackendError('There is no WebAssembly in this JavaScript engine; use the js backend, or allow it.')
  }
  try {
    return how(decode(moduleText))
  } catch (error) {
    throw refused(error)
  }
}

/** The module for a memory that workers share: the same but for the flags with which it asks for its memory. */
export function compileShared(): Promise<WebAssembly.Module> {
  return compile((bytes) => {
    bytes[moduleText.memoryFlagsAt] |= SHARED
    return WebAssembly.compile(bytes)
  })
}

export function refused(error: unknown): Error {
  if (error instanceof BackendError) return error
  const policy =
    runtime() === 'browser' ? ", a content security policy must allow 'wasm-unsafe-eval', and a browser that will not compile at once needs await init('wasm')" : ''
  return new BackendError(
    `WebAssembly was refused (${reasonOf(error)}); the engine must know 128-bit SIMD${policy}. Where no bytes may be compiled, ` +
      "await init('wasm', { module }) takes focal-loss/focal-loss.wasm as a WebAssembly.Module.",
  )
}

const expected = 'the WebAssembly.Module of focal-loss/focal-loss.wasm'

/** A module that is given: this package's, also of another realm. Which version it has, only its instance can tell. */
export function checkModule(value: unknown): WebAssembly.Module {
  const functions = new Set(exportsOf(value).flatMap(({ name, kind }) => (kind === 'function' ? [name] : [])))
  const missing = Object.keys(exportNames).find((name) => !functions.has(name))
  if (missing !== undefined) throw new TypeError(`module is a WebAssembly.Module without the function ${missing}; expected ${expected}`)
  return value as WebAssembly.Module
}

function exportsOf(value: unknown): WebAssembly.ModuleExportDescriptor[] {
  if (typeof WebAssembly === 'undefined') throw wrongType('module', value, expected)
  try {
    return WebAssembly.Module.exports(value as WebAssembly.Module)
  } catch {
    throw wrongType('module', value, expected)
  }
}

/** A module of this package's that cannot be instantiated as it is. */
export function unfit(error: unknown): TypeError {
  return new TypeError(`module cannot be instantiated (${reasonOf(error)}); expected ${expected}`)
}
