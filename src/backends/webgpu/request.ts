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

export async function requestDevice(): Promise<GpuDevice> {
  const gpu = (globalThis as { navigator?: { gpu?: Gpu } }).navigator?.gpu ?? (await gpuOfNode())
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null) {
    throw new BackendError('WebGPU finds no adapter: a GPU with its driver is needed (on Linux a Vulkan driver such as mesa-vulkan-drivers), or a browser that allows it.')
  }
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits
  return adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } })
}

async function gpuOfNode(): Promise<Gpu> {
  const here = runtime()
  if (here !== 'node' && here !== 'bun') {
    throw new BackendError('There is no WebGPU here: navigator.gpu is missing. Browsers have it on pages of https and localhost.')
  }
  try {
    // By a name that bundlers do not look up: whoever bundles for browsers has no such package
    const name = 'webgpu'
    const dawn = (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as { create(options: readonly string[]): Gpu }
    return (ofNode ??= dawn.create([]))
  } catch (error) {
    throw new BackendError(`The package webgpu, which brings WebGPU to Node.js, cannot be loaded (${reasonOf(error)}); npm install webgpu.`)
  }
}
