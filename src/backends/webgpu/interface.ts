/**
 * What is used of WebGPU. Its own names are declared only where the compiler has its types, which browsers' and Node.js's own are not
 * everywhere; a GPUDevice and a GPUBuffer are these.
 */
import { checkMethods } from '../../arguments.js'

/** What is used of a GPUBuffer. */
export interface GpuBuffer {
  /** In bytes. */
  readonly size: number
  /** Bits of GPUBufferUsage. */
  readonly usage: number
  /** Whether the host has it; not every runtime tells. */
  readonly mapState?: 'unmapped' | 'pending' | 'mapped'
  /** Frees it. */
  destroy(): void
  /** Makes it readable by the host. */
  mapAsync(mode: number): Promise<unknown>
  /** Its bytes, while they are readable. */
  getMappedRange(): ArrayBuffer
  /** Gives it back to the GPU. */
  unmap(): void
}

export interface GpuPipeline {
  getBindGroupLayout(index: number): object
}

export interface GpuComputePass {
  setPipeline(pipeline: object): void
  setBindGroup(index: number, group: object | null): void
  dispatchWorkgroups(x: number, y?: number): void
  end(): void
}

export interface GpuCommandEncoder {
  beginComputePass(): GpuComputePass
  copyBufferToBuffer(from: object, fromOffset: number, to: object, toOffset: number, size: number): void
  finish(descriptor?: { readonly label: string }): object
}

/** What is used of a GPUDevice. */
export interface GpuDevice {
  /** What was asked for, or the defaults. */
  readonly limits: { readonly maxBufferSize: number; readonly maxStorageBufferBindingSize: number; readonly maxComputeWorkgroupsPerDimension: number }
  /** Resolves when the device can be used no more. */
  readonly lost: Promise<{ readonly message: string }>
  /** Where commands go. */
  readonly queue: {
    submit(commands: Iterable<object>): void
    writeBuffer(buffer: object, offset: number, data: ArrayBuffer, dataOffset?: number, size?: number): void
  }
  /** A new buffer, of zeros. */
  createBuffer(descriptor: { readonly size: number; readonly usage: number }): GpuBuffer
  /** WGSL, parsed. */
  createShaderModule(descriptor: { readonly code: string }): object
  /** A shader, compiled. */
  createComputePipeline(descriptor: { readonly layout: object | 'auto'; readonly compute: { readonly module: object; readonly entryPoint?: string } }): GpuPipeline
  /** Buffers for a shader. */
  createBindGroup(descriptor: { readonly label?: string; readonly layout: object; readonly entries: Iterable<object> }): object
  /** Records commands. */
  createCommandEncoder(): GpuCommandEncoder
  /** Has errors of this kind reported to {@link popErrorScope}. */
  pushErrorScope(filter: 'validation' | 'out-of-memory'): void
  /** The first error since; `null`: there was none. */
  popErrorScope(): Promise<{ readonly message: string } | null>
  /** What it belongs to, as far as that is told. */
  readonly adapterInfo?: { readonly vendor: string; readonly architecture: string; readonly description: string }
  /** Loses the device. */
  destroy(): void
}

/** Throws a TypeError for what is no GPUDevice. */
export function checkGpuDevice(name: string, value: unknown): asserts value is GpuDevice {
  checkMethods(name, value, ['createBuffer', 'createComputePipeline', 'createCommandEncoder'])
}

/** GPUBufferUsage and GPUMapMode, by the numbers that the specification gives them. */
export const usage = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, uniform: 0x40, storage: 0x80 } as const
export const mapForReading = 0x1
