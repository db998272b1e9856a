/** The backend of the WebAssembly module: the same kernel, its bytes inside the package, on copies of the arrays. */
import type { NumericArray } from '../arrays.js'
import { BackendError, reasonOf } from '../errors.js'
import { checkOverlaps, type Problem, type Sums } from '../problem.js'
import type { Backend, BackendLoader } from './backend.js'
import { ABI, offsets, PROBLEM_BYTES, problemBytes, readResult, RESULT_BYTES, writeProblem } from './layout.js'
import { base64 } from './wasm_bytes.generated.js'

interface Exports {
  readonly memory: WebAssembly.Memory
  readonly focal_malloc: (bytes: number) => number
  readonly focal_free: (pointer: number) => void
  readonly focal_run: (problem: number, result: number) => number
  readonly focal_abi: () => number
  readonly _initialize?: () => void
}

/** Enough for any vector load. */
const ALIGNMENT = 16

/** A 32-bit address space, less what rounding up in the module may add. */
const LARGEST = 2 ** 32 - 2 ** 16

/** The kernel uses one thread, and the one instruction set it was compiled for. */
const machine = { threads: 1, isa: 0 } as const

let module: WebAssembly.Module | undefined
let exports: Exports | undefined
/** One region of the module's memory, used again by every call and replaced by a larger one when it must. */
let arena = { pointer: 0, bytes: 0 }

/**
 * Gives the WebAssembly backend's memory back: it holds copies of the largest call's arrays. The next call gets new
 * memory. WebAssembly memory never shrinks, so the whole instance is dropped.
 */
export function releaseMemory(): void {
  exports = undefined
  arena = { pointer: 0, bytes: 0 }
}

const backend: Backend = { name: 'wasm', description: 'WebAssembly with 128-bit SIMD, 1 thread', run }

export const wasmLoader: BackendLoader = {
  load() {
    module = compile((bytes) => new WebAssembly.Module(bytes))
    instance()
    return backend
  },
  async loadAsync() {
    try {
      module = await compile((bytes) => WebAssembly.compile(bytes))
    } catch (error) {
      throw refused(error)
    }
    instance()
    return backend
  },
}

function compile<T>(how: (bytes: Uint8Array<ArrayBuffer>) => T): T {
  if (base64 === '') {
    throw new BackendError('This build has no WebAssembly module; make one with npm run build:wasm && npm run build:js.')
  }
  if (typeof WebAssembly === 'undefined') {
    throw new BackendError('There is no WebAssembly in this JavaScript engine; use the js backend, or allow it.')
  }
  try {
    return how(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)))
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

function instance(): Exports {
  if (exports === undefined) {
    if (module === undefined) throw new BackendError('The WebAssembly module is not loaded; call setBackend or init.')
    try {
      const created = new WebAssembly.Instance(module, imports(module)).exports as unknown as Exports
      created._initialize?.()
      if (created.focal_abi() !== ABI) throw new BackendError('The WebAssembly module is of another version; run npm run build.')
      exports = created
    } catch (error) {
      throw refused(error)
    }
  }
  return exports
}

/** What a standalone module of Emscripten's asks for. The kernel aborts only where it is wrong itself. */
const host: Record<string, () => void> = {
  emscripten_notify_memory_growth() {
    // Nothing to do: no view outlives the call that made it
  },
  proc_exit() {
    throw new Error('the WebAssembly kernel aborted')
  },
}

function imports(of: WebAssembly.Module): WebAssembly.Imports {
  const result: WebAssembly.Imports = {}
  for (const { module: from, name } of WebAssembly.Module.imports(of)) {
    if (!(name in host)) throw new BackendError(`The WebAssembly module asks for ${from}.${name}, which nothing here provides.`)
    result[from] = { ...result[from], [name]: host[name] }
  }
  return result
}

/** An array, its place in the arena, and the slot of the problem that points there. */
interface Placed {
  readonly array: NumericArray | null
  readonly slot: number
  readonly at: number
}

function run(problem: Problem): Sums {
  checkOverlaps(problem)
  const { loss, logits, grad } = problem
  let end = PROBLEM_BYTES + RESULT_BYTES
  const place = (array: NumericArray | null, slot: number): Placed => {
    const at = Math.ceil(end / ALIGNMENT) * ALIGNMENT
    if (array !== null) end = at + array.byteLength
    return { array, slot, at }
  }
  const inputs = [
    place(logits, offsets.logits),
    place(problem.targets, offsets.targets),
    place(problem.weights, offsets.weights),
    place(problem.mask, offsets.mask),
    place(loss.classPositive, offsets.classPositive),
    place(loss.classNegative, offsets.classNegative),
  ]
  const outputs = [
    place(problem.values, offsets.values),
    // The kernel may overwrite the logits with the gradient, so the copy of one is the place of the other
    { array: grad, slot: offsets.grad, at: inputs[0].at },
    place(problem.hess, offsets.hess),
  ]

  const base = reserve(end)
  const { memory, focal_run } = instance()
  for (const { array, at } of inputs) if (array !== null) copyIn(memory, array, base + at)
  const view = new DataView(memory.buffer, base, PROBLEM_BYTES)
  writeProblem(problemBytes(memory.buffer, base), problem, machine)
  for (const { array, slot, at } of [...inputs, ...outputs]) {
    view.setUint32(slot, array === null ? 0 : base + at, true)
    view.setUint32(slot + 4, 0, true)
  }
  const resultAt = base + PROBLEM_BYTES
  const code = call(() => focal_run(base, resultAt))
  const sums = readResult(code, new Float64Array(memory.buffer, resultAt, RESULT_BYTES / 8), problem)
  for (const { array, at } of outputs) if (array !== null) copyOut(memory, array, base + at)
  return sums
}

// Views are made afresh at each use: those of a memory that has grown are dead, and say nothing
function copyIn({ buffer }: WebAssembly.Memory, array: NumericArray, at: number): void {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
  new Uint8Array(buffer, at, array.byteLength).set(bytes)
}

function copyOut({ buffer }: WebAssembly.Memory, array: NumericArray, at: number): void {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
  bytes.set(new Uint8Array(buffer, at, array.byteLength))
}

/** The arena's address, once it has at least `bytes`. Contents are lost when it grows. */
function reserve(bytes: number): number {
  const { focal_malloc, focal_free } = instance()
  if (arena.bytes < bytes) {
    const spare = Math.max(bytes, 2 * arena.bytes)
    if (arena.pointer !== 0) focal_free(arena.pointer)
    arena = { pointer: 0, bytes: 0 }
    for (const size of new Set([spare, bytes])) {
      const pointer = size <= LARGEST ? focal_malloc(size) >>> 0 : 0
      if (pointer !== 0) {
        arena = { pointer, bytes: size }
        break
      }
    }
    if (arena.pointer === 0) throw outOfMemory(bytes)
  }
  return arena.pointer
}

function outOfMemory(bytes: number): RangeError {
  const size = (bytes / 2 ** 20).toFixed(1)
  return new RangeError(
    `the wasm backend could not get ${size} MiB of memory for this call; split the batch, or use the native or js backend`,
  )
}

/** A trap leaves an instance in an unknown state, so it is dropped. */
function call(kernel: () => number): number {
  try {
    return kernel()
  } catch (error) {
    releaseMemory()
    throw error
  }
}
