/** Kernels of this package on a device of WebGPU, recorded one after another and submitted together. */
import { BackendError } from '../../errors.js'
import type { Kernel } from '../shaders/kernel.js'
import { wholeText } from '../shaders/sums.js'
import { type GpuBuffer, type GpuDevice, type GpuPipeline, usage } from './interface.js'

/** Numbers of 4 bytes in a buffer. An offset is a multiple of 64 numbers, as WebGPU asks for. */
export interface Numbers {
  readonly buffer: GpuBuffer
  readonly type: 'f32' | 'i32' | 'u32'
  /** In numbers. */
  readonly offset: number
  readonly length: number
}

/** What offsets are multiples of, in numbers. */
export const ALIGNMENT = 64

const WORKGROUP = 64

const LABEL = 'focal-loss'

const pipelines = new WeakMap<GpuDevice, Map<string, GpuPipeline>>()
const losses = new WeakMap<GpuDevice, { message: string | null }>()

/** Throws a {@link BackendError} where the device is lost, which says to do what `remedy` says. */
export function checkDevice(device: GpuDevice, remedy = 'request another adapter and device, and make buffers and losses on it'): void {
  let state = losses.get(device)
  if (state === undefined) {
    const watched = { message: null as string | null }
    losses.set(device, (state = watched))
    void device.lost.then(({ message }) => (watched.message = message))
  }
  if (state.message !== null) {
    throw new BackendError(`The GPU device is lost (${state.message || 'no reason is given'}); ${remedy}.`)
  }
}

/** Waits until a device that is lost is known to be. */
export async function untilKnown(device: GpuDevice): Promise<void> {
  await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, 0))])
}

export class Recorder {
  readonly #device: GpuDevice
  readonly #encoder
  readonly #temporary: GpuBuffer[] = []

  constructor(device: GpuDevice) {
    checkDevice(device)
    this.#device = device
    this.#encoder = device.createCommandEncoder()
  }

  /** As many numbers, zeros at first, that are gone once the commands have run. */
  temporary(length: number): Numbers {
    const buffer = this.#device.createBuffer({ size: 4 * length, usage: usage.storage | usage.copySource | usage.copyTarget })
    this.#temporary.push(buffer)
    return { buffer, type: 'f32', offset: 0, length }
  }

  /** The same, with these numbers. */
  written(data: Float32Array): Numbers {
    const numbers = this.temporary(data.length)
    this.#device.queue.writeBuffer(numbers.buffer, 0, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
    return numbers
  }

  /** Fills `output`, all of it, and what the kernel has `beside` it. Inputs and uniforms go by the names that the kernel has for them. */
  run(kernel: Kernel, inputs: Readonly<Record<string, Numbers>>, output: Numbers, uniforms: Readonly<Record<string, number>>, beside?: Numbers): void {
    const size = output.length / (kernel.isVector ? 4 : 1)
    const names = Object.keys(kernel.uniforms)
    const data = new DataView(new ArrayBuffer(16 * Math.ceil((names.length + 1) / 4)))
    data.setInt32(0, size, true)
    names.forEach((name, i) => (kernel.uniforms[name] === 'i32' ? data.setInt32(4 * i + 4, uniforms[name], true) : data.setFloat32(4 * i + 4, uniforms[name], true)))
    const set = this.#device.createBuffer({ size: data.byteLength, usage: usage.uniform | usage.copyTarget })
    this.#temporary.push(set)
    this.#device.queue.writeBuffer(set, 0, data.buffer)
    const given = [...kernel.inputs.map((name) => inputs[name]), output, ...(beside ? [beside] : [])]
    const pipeline = this.#pipelineOf(wgsl(kernel, given))
    const resources = [{ buffer: set }, ...given.map(({ buffer, offset, length }) => ({ buffer, offset: 4 * offset, size: 4 * length }))]
    const groups = Math.ceil(size / WORKGROUP)
    const across = Math.min(groups, this.#device.limits.maxComputeWorkgroupsPerDimension)
    const pass = this.#encoder.beginComputePass()
    pass.setPipeline(pipeline)
    // The device's own errors name it
    const label = `${LABEL}: uniforms, ${[...kernel.inputs, 'result', ...(kernel.beside === undefined ? [] : [kernel.beside])].join(', ')}`
    pass.setBindGroup(0, this.#device.createBindGroup({ label, layout: pipeline.getBindGroupLayout(0), entries: resources.map((resource, binding) => ({ binding, resource })) }))
    pass.dispatchWorkgroups(across, Math.ceil(groups / across))
    pass.end()
  }

  copy(from: Numbers, to: GpuBuffer, toOffset = 0): void {
    this.#encoder.copyBufferToBuffer(from.buffer, 4 * from.offset, to, 4 * toOffset, 4 * from.length)
  }

  submit(): void {
    this.#device.queue.submit([this.#encoder.finish({ label: LABEL })])
    // They live on until the commands have run
    for (const buffer of this.#temporary) buffer.destroy()
  }

  #pipelineOf(code: string): GpuPipeline {
    let known = pipelines.get(this.#device)
    if (known === undefined) pipelines.set(this.#device, (known = new Map<string, GpuPipeline>()))
    let pipeline = known.get(code)
    if (pipeline === undefined) {
      const module = this.#device.createShaderModule({ code })
      known.set(code, (pipeline = this.#device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } })))
    }
    return pipeline
  }
}

function wgsl(kernel: Kernel, given: readonly Numbers[]): string {
  const { inputs, vectors, uniforms, beside, isVector } = kernel
  const fields = Object.entries(uniforms).map(([name, type]) => `${name}: ${type}`)
  const reads = inputs.map((name, i) => {
    const [held, read] = vectors?.includes(name) ? ['vec4<f32>', 'vec4<f32>'] : [given[i].type, 'f32']
    return `
@group(0) @binding(${i + 1}) var<storage, read> ${name}: array<${held}>;
fn read_${name}(i: i32) -> ${read} {
  return ${read}(${name}[i]);
}
`
  })
  const second = beside === undefined ? '' : `
@group(0) @binding(${inputs.length + 2}) var<storage, read_write> ${beside}: array<f32>;
fn set_${beside}(i: i32, number: f32) {
  ${beside}[i] = number;
}
`
  return `struct Uniforms { ${['size: i32', ...fields].join(', ')} }
@group(0) @binding(0) var<uniform> uniforms: Uniforms;
${reads.join('')}
@group(0) @binding(${inputs.length + 1}) var<storage, read_write> result: array<${isVector ? 'vec4<f32>' : 'f32'}>;
${second}${wholeText(kernel)}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index: i32 = i32(id.y * groups.x * ${WORKGROUP}u + id.x);
  if (index < uniforms.size) {
    result[index] = output_at(index);
  }
}
`
}
