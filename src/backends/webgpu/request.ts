/** A device of WebGPU where the caller has none: in browsers, Deno, and Node.js with the package `webgpu`. */
import { runtime } from '../../environment.js'
import { BackendError, reasonOf } from '../../errors.js'
import type { GpuDevice } from './interface.js'

interface Adapter {
  readonly limits: { readonly maxBufferSize: number; readonly maxStorageBufferBindingSize: number }
  requestDevice(descriptor: { readonly requiredLimits: Readonly<Record<string, number>> }): Promise<GpuDevice>
}

interface Gpu {
  requestAdapter(options: { readonly powerPreference: 'high-performance' }): Promise<Adapter | null>
}

/** Dawn in Node.js ends the process where this is collected. */
let ofNode: Gpu | undefined

function gpuHere(): Gpu | undefined {
  return (globalThis as { navigator?: { gpu?: Gpu } }).navigator?.gpu
}

/** Node.js and Bun have it by a package. */
function isByPackage(): boolean {
  return ['node', 'bun'].includes(runtime())
}

/** Why nobody need ask for an adapter. */
export function whyMissing(): string | undefined {
  if (gpuHere() !== undefined || isByPackage()) return undefined
  return `There is no WebGPU here: navigator.gpu is missing. ${runtime() === 'deno' ? 'Deno 2.9 has it, older ones with --unstable-webgpu.' : 'Browsers have it on pages of https and localhost.'}`
}

export async function requestDevice(): Promise<GpuDevice> {
  const reason = whyMissing()
  if (reason !== undefined) throw new BackendError(reason)
  const gpu = gpuHere() ?? (await gpuOfNode())
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null) {
    throw new BackendError('WebGPU finds no adapter: a GPU with its driver is needed (on Linux a Vulkan driver such as mesa-vulkan-drivers), or a browser that allows it.')
  }
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits
  return adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } })
}

/** By a name that bundlers do not see, a constant of which they put into its place: pages need no such package. */
function importOf(name: string): Promise<unknown> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name)
}

async function gpuOfNode(): Promise<Gpu> {
  try {
    const { create } = (await importOf('webgpu')) as { readonly create: (options: readonly string[]) => Gpu }
    return (ofNode ??= create([]))
  } catch (error) {
    throw new BackendError(`The package webgpu, which brings WebGPU to Node.js, cannot be loaded (${reasonOf(error)}); npm install webgpu.`)
  }
}
