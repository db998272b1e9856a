/** Arrays in a GPU's memory, as everything sees them but the cuda backend, which only some entry points bring. */
import type { DeviceArray } from './device_array.js'

/** The element type of an array in a GPU's memory. */
export type DeviceDtype = 'float32' | 'float64' | 'float16' | 'bfloat16' | 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32'

/** All of them, in the order of cpp/problem.h (enum FocalDtype). */
export const deviceDtypes: readonly DeviceDtype[] = [
  'float32',
  'float64',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'float16',
  'bfloat16',
]

/** The element types that logits may have. */
export type FloatDtype = Extract<DeviceDtype, `${string}float${number}`>

/**
 * An array in the memory of an NVIDIA GPU: a {@link DeviceArray}, or memory of another library in this process, which must
 * be done with it and keep it while a call runs.
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
