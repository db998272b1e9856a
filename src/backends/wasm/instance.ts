/** The WebAssembly module: its bytes compiled, its memory, and what it says when there is no more. */
import type { NumericArray } from '../../arrays/numeric_array.js'
import { BackendError, reasonOf } from '../../errors.js'
import { ABI, PROBLEM_BYTES, type ProblemBytes, problemBytes, RESULT_BYTES } from '../layout.js'
import { moduleText } from './module_bytes.generated.js'
import { decode } from './module_text.js'

interface Exports {
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

/** A 32-bit address space, less what rounding up in the module may add. */
const LARGEST = 2 ** 32 - 2 ** 16

/** The typed arrays that calls bring, by their tag. */
export const kinds: Readonly<Record<string, Kind>> = {
  Float32Array,
  Float64Array,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  ...float16Kind(),
}

/** Float16Array, where the runtime has it. */
function float16Kind(): Record<string, Uint16ArrayConstructor> {
  const { Float16Array } = globalThis as unknown as { Float16Array?: Uint16ArrayConstructor }
  return Float16Array === undefined ? {} : { Float16Array }
}

type Kind = new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => NumericArray

/** The module's memory. Every view dies, and has length 0, when the memory grows: see {@link heapOf}. */
export interface Heap {
  readonly problem: ProblemBytes
  readonly result: Float64Array
  /** All of the memory, as arrays of each kind. */
  readonly arrays: Readonly<Record<string, NumericArray>>
}

export interface Instance {
  readonly exports: Exports
  readonly memory: WebAssembly.Memory
  /** Whether a call ended in a trap: what its memory is like then, nobody knows. */
  broken: boolean
  /** Where the problem lies, and behind it the result. */
  readonly header: number
  heap: Heap
  /** One region of the memory for the arrays of synchronous calls, used again by every call and replaced by a larger one when it must. */
  arena: { readonly pointer: number; readonly bytes: number }
}

let module: WebAssembly.Module | undefined
let current: Instance | undefined

/** The next synchronous call gets new memory. WebAssembly memory never shrinks, so the whole instance is dropped. */
export function dropInstance(): void {
  current = undefined
}

/** Compiles the module at once, or throws why it cannot. */
export function compileAtOnce(): void {
  module = compile((bytes) => new WebAssembly.Module(bytes))
  instance()
}

export async function compileWithWait(): Promise<void> {
  try {
    module = await compile((bytes) => WebAssembly.compile(bytes))
    // Browsers that will not compile a large module at once will not instantiate it at once either
    const memory = newMemory(false)
    current = ready(await WebAssembly.instantiate(module, imports(module, memory)), memory)
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

/** A new memory, and an instance over it that is not to be called before `others` have instantiated the module over it, too. */
export async function instantiateShared(of: WebAssembly.Module, others: (memory: WebAssembly.Memory) => Promise<unknown>): Promise<Instance> {
  const memory = newMemory(true)
  const made = await WebAssembly.instantiate(of, imports(of, memory))
  // Each puts the constants there, over what the first would have changed by then
  await others(memory)
  return ready(made, memory)
}

/** As wasm/build.sh has it, in pages of 64 kB. */
function newMemory(shared: boolean): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 16, maximum: 65_536, shared })
}

/** The bit that says so in the binary format's limits. */
const SHARED = 2

function compile<T>(how: (bytes: Uint8Array<ArrayBuffer>) => T): T {
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

function refused(error: unknown): Error {
  if (error instanceof BackendError) return error
  return new BackendError(
    `WebAssembly was refused (${reasonOf(error)}); the engine must know 128-bit SIMD, a content security policy must ` +
      "allow 'wasm-unsafe-eval', and a browser that will not compile at once needs await init('wasm').",
  )
}

export function instance(): Instance {
  if (current === undefined) {
    if (module === undefined) throw new BackendError('The WebAssembly module is not loaded; call setBackend or init.')
    try {
      const memory = newMemory(false)
      current = ready(new WebAssembly.Instance(module, imports(module, memory)), memory)
    } catch (error) {
      throw refused(error)
    }
  }
  return current
}

function ready(of: WebAssembly.Instance, memory: WebAssembly.Memory): Instance {
  const exports = of.exports as unknown as Exports
  exports._initialize?.()
  if (exports.focal_abi() !== ABI) throw new BackendError('The WebAssembly module is of another version; run npm run build.')
  const header = exports.focal_malloc(PROBLEM_BYTES + RESULT_BYTES)
  const heap = viewsOf(memory, header)
  // Pointers are written as the lower half of their slots of eight bytes
  heap.problem.integers.fill(0)
  return { exports, memory, broken: false, header, heap, arena: { pointer: 0, bytes: 0 } }
}

function viewsOf({ buffer }: WebAssembly.Memory, header: number): Heap {
  return {
    problem: problemBytes(buffer, header),
    result: new Float64Array(buffer, header + PROBLEM_BYTES, RESULT_BYTES / 8),
    arrays: Object.fromEntries(Object.entries(kinds).map(([tag, Kind]) => [tag, new Kind(buffer)])),
  }
}

/** Views that are alive. To be asked for again after every call into the module: it may have grown its memory. */
export function heapOf(instance: Instance): Heap {
  if (instance.heap.result.length === 0) instance.heap = viewsOf(instance.memory, instance.header)
  return instance.heap
}

/** What a standalone module of Emscripten's asks for. The kernel aborts only where it is wrong itself. */
const host = {
  emscripten_notify_memory_growth() {
    // Nothing to do: views are asked whether they are still alive
  },
  proc_exit() {
    throw new Error('the WebAssembly kernel aborted')
  },
}

function imports(of: WebAssembly.Module, memory: WebAssembly.Memory): WebAssembly.Imports {
  const result: WebAssembly.Imports = {}
  const here: WebAssembly.ModuleImports = { ...host, memory }
  for (const { module: from, name } of WebAssembly.Module.imports(of)) {
    if (!(name in here)) throw new BackendError(`The WebAssembly module asks for ${from}.${name}, which nothing here provides.`)
    result[from] = { ...result[from], [name]: here[name] }
  }
  return result
}

/** A region of the memory, or 0 where there is no room for it. Views may have died since. */
export function allocate({ exports }: Instance, bytes: number): number {
  return bytes <= LARGEST ? exports.focal_malloc(bytes) >>> 0 : 0
}

export function outOfMemory(bytes: number): RangeError {
  const size = (bytes / 2 ** 20).toFixed(1)
  return new RangeError(
    `the wasm backend could not get ${size} MiB of memory for this call; split the batch, or use the native or js backend`,
  )
}

/** A trap leaves an instance in an unknown state, so it is dropped. */
export function guarded<T>(here: Instance, call: () => T): T {
  if (here.broken) throw new Error('the WebAssembly kernel has failed in another call; the next one gets a new one')
  try {
    return call()
  } catch (error) {
    here.broken = true
    if (current === here) dropInstance()
    throw error
  }
}
