/** An instance of the WebAssembly module over its memory, and what it says when there is no more. */
import { kinds } from '../../arrays/kinds.js'
import type { NumericArray } from '../../arrays/numeric_array.js'
import { BackendError } from '../../errors.js'
import { ABI, PROBLEM_BYTES, type ProblemBytes, problemBytes, RESULT_BYTES } from '../layout.js'
import { type GrowingMemory, newMemory } from './memory.js'
import { checkModule, compile, type Exports, refused, unfit } from './module.js'

/** A 32-bit address space, less what rounding up in the module may add. */
const LARGEST = 2 ** 32 - 2 ** 16

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
  /** See {@link GrowingMemory}. */
  readonly limit: string
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

/** What synchronous calls have, where it is less than 4 GB. */
export function memoryLimit(): string {
  return current?.limit ?? ''
}

/** Compiles the module at once, unless it was given, or throws why it cannot. */
export function compileAtOnce(): void {
  module ??= compile((bytes) => new WebAssembly.Module(bytes))
  instance()
}

export async function compileWithWait(): Promise<void> {
  try {
    module = await compile((bytes) => WebAssembly.compile(bytes))
    // Browsers that will not compile a large module at once will not instantiate it at once either
    current = await instantiate(module, newMemory(false))
  } catch (error) {
    throw refused(error)
  }
}

/**
 * From here on, calls run on this module instead of the package's own bytes. Throws a TypeError where it is none of this package's, and a
 * {@link BackendError} where it is of another version; then nothing is changed.
 */
export async function useModule(given: unknown): Promise<void> {
  const checked = checkModule(given)
  let made: Instance
  try {
    made = await instantiate(checked, newMemory(false))
  } catch (error) {
    throw error instanceof BackendError ? error : unfit(error)
  }
  module = checked
  current = made
}

async function instantiate(of: WebAssembly.Module, memory: GrowingMemory): Promise<Instance> {
  return ready(await WebAssembly.instantiate(of, imports(of, memory.memory)), memory)
}

/** A new memory, and an instance over it that is not to be called before `others` have instantiated the module over it, too. */
export async function instantiateShared(of: WebAssembly.Module, others: (memory: WebAssembly.Memory) => Promise<unknown>): Promise<Instance> {
  const memory = newMemory(true)
  const made = await WebAssembly.instantiate(of, imports(of, memory.memory))
  // Each puts the constants there, over what the first would have changed by then
  await others(memory.memory)
  return ready(made, memory)
}

export function instance(): Instance {
  if (current === undefined) {
    if (module === undefined) throw new BackendError('The WebAssembly module is not loaded; call setBackend or init.')
    try {
      const memory = newMemory(false)
      current = ready(new WebAssembly.Instance(module, imports(module, memory.memory)), memory)
    } catch (error) {
      throw refused(error)
    }
  }
  return current
}

function ready(of: WebAssembly.Instance, { memory, limit }: GrowingMemory): Instance {
  const exports = of.exports as unknown as Exports
  exports._initialize?.()
  const abi = exports.focal_abi()
  if (abi !== ABI) {
    throw new BackendError(
      `The WebAssembly module speaks version ${abi} of the kernel's interface and this package version ${ABI}; take ` +
        'focal-loss/focal-loss.wasm of the same version, or in a checkout run npm run build.',
    )
  }
  const header = exports.focal_malloc(PROBLEM_BYTES + RESULT_BYTES)
  const heap = viewsOf(memory, header)
  // Pointers are written as the lower half of their slots of eight bytes
  heap.problem.integers.fill(0)
  return { exports, memory, limit, broken: false, header, heap, arena: { pointer: 0, bytes: 0 } }
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
