/** The backend of the WebAssembly module: the same kernel, its bytes inside the package, on copies of the arrays. */
import type { Logits, NumericArray } from '../arrays.js'
import { BackendError, reasonOf } from '../errors.js'
import { tagOf } from '../intrinsics.js'
import { checkOverlaps, type Problem, type Sums } from '../problem.js'
import type { Backend, BackendLoader } from './backend.js'
import { ABI, offsets, PROBLEM_BYTES, type ProblemBytes, problemBytes, readResult, RESULT_BYTES, writeProblem } from './layout.js'
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

/** The typed arrays that calls bring, by their tag. */
const kinds = {
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

/** The module's memory. Every view dies, and has length 0, when the memory grows: see {@link heapOf}. */
interface Heap {
  readonly problem: ProblemBytes
  readonly result: Float64Array
  /** All of the memory, as arrays of each kind. */
  readonly arrays: Readonly<Record<string, NumericArray>>
}

interface Instance {
  readonly exports: Exports
  /** Where the problem lies, and behind it the result. */
  readonly header: number
  heap: Heap
  /** One region of the memory for the arrays, used again by every call and replaced by a larger one when it must. */
  arena: { readonly pointer: number; readonly bytes: number }
}

let module: WebAssembly.Module | undefined
let current: Instance | undefined

/**
 * Gives the WebAssembly backend's memory back: it holds copies of the largest call's arrays. The next call gets new
 * memory. WebAssembly memory never shrinks, so the whole instance is dropped.
 */
export function releaseMemory(): void {
  current = undefined
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
      // Browsers that will not compile a large module at once will not instantiate it at once either
      current = ready(await WebAssembly.instantiate(module, imports(module)))
    } catch (error) {
      throw refused(error)
    }
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
    return how(decode(base64))
  } catch (error) {
    throw refused(error)
  }
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  // Node's own decoder takes a millisecond, the loop ten
  const { Buffer } = globalThis as { Buffer?: { from(text: string, encoding: 'base64'): Uint8Array<ArrayBuffer> } }
  if (Buffer !== undefined) return Buffer.from(text, 'base64')
  const characters = atob(text)
  const bytes = new Uint8Array(characters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i)
  return bytes
}

function refused(error: unknown): Error {
  if (error instanceof BackendError) return error
  return new BackendError(
    `WebAssembly was refused (${reasonOf(error)}); the engine must know 128-bit SIMD, a content security policy must ` +
      "allow 'wasm-unsafe-eval', and a browser that will not compile at once needs await init('wasm').",
  )
}

function instance(): Instance {
  if (current === undefined) {
    if (module === undefined) throw new BackendError('The WebAssembly module is not loaded; call setBackend or init.')
    try {
      current = ready(new WebAssembly.Instance(module, imports(module)))
    } catch (error) {
      throw refused(error)
    }
  }
  return current
}

function ready(of: WebAssembly.Instance): Instance {
  const exports = of.exports as unknown as Exports
  exports._initialize?.()
  if (exports.focal_abi() !== ABI) throw new BackendError('The WebAssembly module is of another version; run npm run build.')
  const header = exports.focal_malloc(PROBLEM_BYTES + RESULT_BYTES)
  const heap = viewsOf(exports.memory, header)
  // Pointers are written as the lower half of their slots of eight bytes
  heap.problem.integers.fill(0)
  return { exports, header, heap, arena: { pointer: 0, bytes: 0 } }
}

function viewsOf({ buffer }: WebAssembly.Memory, header: number): Heap {
  return {
    problem: problemBytes(buffer, header),
    result: new Float64Array(buffer, header + PROBLEM_BYTES, RESULT_BYTES / 8),
    arrays: Object.fromEntries(Object.entries(kinds).map(([tag, Kind]) => [tag, new Kind(buffer)])),
  }
}

/** Views that are alive. To be asked for again after every call into the module: it may have grown its memory. */
function heapOf(instance: Instance): Heap {
  if (instance.heap.result.length === 0) instance.heap = viewsOf(instance.exports.memory, instance.header)
  return instance.heap
}

/** What a standalone module of Emscripten's asks for. The kernel aborts only where it is wrong itself. */
const host: Record<string, () => void> = {
  emscripten_notify_memory_growth() {
    // Nothing to do: views are asked whether they are still alive
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

function run(problem: Problem): Sums {
  checkOverlaps(problem)
  const { loss, logits, values, grad, hess } = problem
  const here = instance()
  const logitsAt = reserve(here, bytesOf(problem))
  const heap = heapOf(here)
  writeProblem(heap.problem, problem, machine)
  let at = copyIn(heap, offsets.logits, logits, logitsAt)
  at = copyIn(heap, offsets.targets, problem.targets, at)
  at = copyIn(heap, offsets.weights, problem.weights, at)
  at = copyIn(heap, offsets.mask, problem.mask, at)
  at = copyIn(heap, offsets.classPositive, loss.classPositive, at)
  const valuesAt = copyIn(heap, offsets.classNegative, loss.classNegative, at)
  const hessAt = point(heap, offsets.values, values, valuesAt)
  point(heap, offsets.hess, hess, hessAt)
  // The kernel may overwrite the logits with the gradient, so the copy of one is the place of the other
  point(heap, offsets.grad, grad, logitsAt)

  const code = callKernel(here)
  const { result, arrays } = heapOf(here)
  const sums = readResult(code, result, problem)
  copyOut(arrays, values, valuesAt)
  copyOut(arrays, grad, logitsAt)
  copyOut(arrays, hess, hessAt)
  return sums
}

/** What the arrays of a call need in the arena at most. */
function bytesOf({ loss, logits, targets, weights, mask, values, hess }: Problem): number {
  const { classPositive, classNegative } = loss
  let bytes = 8 * ALIGNMENT + logits.byteLength + targets.byteLength
  if (weights !== null) bytes += weights.byteLength
  if (mask !== null) bytes += mask.byteLength
  if (classPositive !== null) bytes += classPositive.byteLength
  if (classNegative !== null) bytes += classNegative.byteLength
  if (values !== null) bytes += values.byteLength
  if (hess !== null) bytes += hess.byteLength
  return bytes
}

/** Makes the problem point to an array's place and returns the place behind it. */
function point({ problem }: Heap, slot: number, array: NumericArray | null, at: number): number {
  problem.integers[slot / 4] = array === null ? 0 : at
  return array === null ? at : at + Math.ceil(array.byteLength / ALIGNMENT) * ALIGNMENT
}

// Between arrays of one kind, `set` is a memmove; a view of the caller's bytes would cost a small call more than the copy
function copyIn(heap: Heap, slot: number, array: NumericArray | null, at: number): number {
  if (array !== null) heap.arrays[tagOf(array)].set(array, at / array.BYTES_PER_ELEMENT)
  return point(heap, slot, array, at)
}

function copyOut(arrays: Heap['arrays'], array: Logits | null, at: number): void {
  if (array === null) return
  const first = at / array.BYTES_PER_ELEMENT
  array.set(arrays[tagOf(array)].subarray(first, first + array.length))
}

/** The arena's address, once it has at least `bytes`. Contents are lost when it grows. */
function reserve(here: Instance, bytes: number): number {
  const { focal_malloc, focal_free } = here.exports
  if (here.arena.bytes < bytes) {
    const spare = Math.max(bytes, 2 * here.arena.bytes)
    if (here.arena.pointer !== 0) focal_free(here.arena.pointer)
    here.arena = { pointer: 0, bytes: 0 }
    for (const size of new Set([spare, bytes])) {
      const pointer = size <= LARGEST ? focal_malloc(size) >>> 0 : 0
      if (pointer !== 0) {
        here.arena = { pointer, bytes: size }
        break
      }
    }
    if (here.arena.pointer === 0) throw outOfMemory(bytes)
  }
  return here.arena.pointer
}

function outOfMemory(bytes: number): RangeError {
  const size = (bytes / 2 ** 20).toFixed(1)
  return new RangeError(
    `the wasm backend could not get ${size} MiB of memory for this call; split the batch, or use the native or js backend`,
  )
}

/** A trap leaves an instance in an unknown state, so it is dropped. */
function callKernel({ exports, header }: Instance): number {
  try {
    return exports.focal_run(header, header + PROBLEM_BYTES)
  } catch (error) {
    releaseMemory()
    throw error
  }
}
