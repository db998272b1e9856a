/** Arrays in a GPU's memory, as everything sees them but the cuda backend, which only some entry points bring. */
import type { DeviceDtype, HostArray } from './element_type.js'
import type { OrFloat16 } from './numeric_array.js'

// As the library `esnext.disposable` has them, which compilers before 5.2 lack and others are not always told to read
declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol
  }
  interface Disposable {
    [Symbol.dispose](): void
  }
}

/**
 * An array in the memory of an NVIDIA GPU: a {@link DeviceArray}, or memory of another library in this process. That library must
 * have finished writing, and must not free the memory during a call.
 */
export interface DevicePointer<D extends DeviceDtype = DeviceDtype> {
  /** The address of the first element: a CUDA device pointer, a multiple of the element's size. */
  readonly ptr: bigint
  /** In elements, which lie one after another. */
  readonly length: number
  /** What they are. */
  readonly dtype: D
  /** The GPU's index, as CUDA counts them. */
  readonly device: number
}

/**
 * An array in the memory of a GPU. It works wherever calls take typed arrays, without copies. The class of this name is exported by
 * `focal-loss` on Node.js.
 */
export interface DeviceArray<D extends DeviceDtype = DeviceDtype> extends DevicePointer<D> {
  /** In bytes. */
  readonly byteLength: number
  /** Whether its memory has been freed. */
  readonly disposed: boolean
  /** A copy on the host, in `out` or a new array: half precision as bits, in a Float16Array too where `out` is one. */
  toHost(): HostArray<D>
  toHost<A extends OrFloat16<HostArray<D>>>(out: A): A
  /** Copies elements of the same type into this array, from `offset` (in elements) on. */
  set(source: OrFloat16<HostArray<D>> | DevicePointer<D>, offset?: number): void
  /** Frees the memory, at once; another library's is left alone. */
  dispose(): void
  /** The end of a `using` block: {@link dispose}. */
  [Symbol.dispose](): void
  readonly [Symbol.toStringTag]: string
}

/** What the cuda backend does for the checks of a call. */
export interface DeviceArrays {
  /** An array of the caller's, once it is known to lie where it says; another library's as one that frees nothing. */
  of(name: string, value: object): DeviceArray
  alloc<D extends DeviceDtype>(dtype: D, length: number, device: number): DeviceArray<D>
  /** Whether this thread has asked for a GPU's memory or time already. */
  isOpen(): boolean
}

let here: DeviceArrays | undefined

/** From here on there are arrays on GPUs. */
export function registerDeviceArrays(arrays: DeviceArrays): void {
  here = arrays
}

/** Whether a GPU is in use already: 'auto' takes none that nobody asked for. */
export function isGpuOpen(): boolean {
  return here !== undefined && here.isOpen()
}

/** The array on a GPU that a value is; `undefined` where it is none. */
export function deviceArrayOf(name: string, value: unknown): DeviceArray | undefined {
  return here !== undefined && typeof value === 'object' && value !== null && 'ptr' in value ? here.of(name, value) : undefined
}

/** A new array beside another. */
export function newBeside<D extends DeviceDtype>({ dtype, device }: DeviceArray<D>, length: number): DeviceArray<D> {
  return (here as DeviceArrays).alloc(dtype, length, device)
}
