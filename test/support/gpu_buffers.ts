/** Buffers of a WebGPU device: with numbers in them, and read back. */
import type { GpuBuffer, GpuDevice } from 'focal-loss/webgpu'

/** Flags of WebGPU's GPUBufferUsage. */
export const usages = { MAP_READ: 0x1, COPY_SRC: 0x4, COPY_DST: 0x8, STORAGE: 0x80 } as const
const { MAP_READ, COPY_SRC, COPY_DST, STORAGE } = usages

export function bufferOf(device: GpuDevice, data: Float32Array | Int32Array | Uint32Array, usage: number = STORAGE | COPY_DST | COPY_SRC): GpuBuffer {
  const made = device.createBuffer({ size: data.byteLength, usage })
  device.queue.writeBuffer(made, 0, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
  return made
}

/** What a buffer of float32 holds. */
export async function numbersIn(device: GpuDevice, from: GpuBuffer): Promise<number[]> {
  const copy = device.createBuffer({ size: from.size, usage: MAP_READ | COPY_DST })
  const encoder = device.createCommandEncoder()
  encoder.copyBufferToBuffer(from, 0, copy, 0, from.size)
  device.queue.submit([encoder.finish()])
  await copy.mapAsync(MAP_READ)
  const numbers = Array.from(new Float32Array(copy.getMappedRange()))
  copy.unmap()
  return numbers
}
