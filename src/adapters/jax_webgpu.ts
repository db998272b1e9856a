/** A loss on the buffers of jax-js's webgpu backend. */
import type { Array as JaxArray } from '@jax-js/jax'
import type * as jaxjs from '@jax-js/jax'
import type { NumericArray, Numbers, Targets } from '../arrays/numeric_array.js'
import type { GpuBuffer, GpuDevice } from '../backends/webgpu/interface.js'
import { mapForReading, usage } from '../backends/webgpu/interface.js'
import type { TargetKind } from '../problem/call.js'
import { layoutOfLogits } from '../problem/shape.js'
import { kindOfOneClass } from '../problem/targets.js'
import type { JaxCall } from './jax_call.js'
import { type WebgpuBuffers, webgpuLoss, type WebgpuLossSource } from './webgpu/loss.js'

/**
 * The value, read back, and the gradient. `null`, with nothing used up, for what kernels do not take, and where the value is NaN: the
 * host then says which target is invalid.
 */
export async function arraysOnWebGpu(
  np: typeof jaxjs.numpy,
  device: GpuDevice,
  loss: WebgpuLossSource,
  logits: JaxArray,
  targets: JaxArray | Targets,
  call: JaxCall,
): Promise<{ value: number; grad: JaxArray } | null> {
  const { constants } = loss
  const shape = logits.shape.length === 0 ? [1] : logits.shape
  const { classAxis, normalizer, gradScale } = call
  const { size } = logits
  const dtype: string = logits.dtype
  if (dtype !== 'float32' || size === 0 || constants.formula.code < 0) return null
  const { outer, inner } = layoutOfLogits(constants, size, { shape, classAxis })
  const rows = outer * inner
  const labels = await targetsOf(targets)
  if (labels === null) return null
  const targetKind = kindOf(constants, labels, size, rows, call.targetKind)
  const perOf = (numbers: ArrayLike<unknown> | undefined) => (numbers?.length === rows ? 'row' : 'element')
  const { weights, mask } = call as { weights?: Numbers; mask?: Numbers }
  const isOdd = [weights, mask].some((numbers) => numbers !== undefined && (!('length' in numbers) || (numbers.length !== rows && (constants.formula.perRow || numbers.length !== size))))
  // What is wrong with these, the host says, too
  if (targetKind === null || isOdd || (targetKind === 'labels' && constants.formula.perRow && constants.formula.indicesOnly === true)) return null

  const made: GpuBuffer[] = []
  const bufferOf = (length: number, data?: ArrayLike<number | boolean>): GpuBuffer => {
    const buffer = device.createBuffer({ size: 4 * length, usage: usage.storage | usage.copySource | usage.copyTarget })
    made.push(buffer)
    if (data !== undefined) device.queue.writeBuffer(buffer, 0, Float32Array.from(data as ArrayLike<number>, Number).buffer)
    return buffer
  }
  const grad = np.zeros(logits.shape, { device: 'webgpu' })
  const value = bufferOf(1)
  const buffers: WebgpuBuffers = {
    logits: await logits.ref.gpuBuffer(),
    targets: 'buffer' in labels ? labels.buffer : bufferOf(labels.numbers.length, labels.numbers),
    value,
    grad: await grad.ref.gpuBuffer(),
    ...(weights && { weights: bufferOf(weights.length, weights) }),
    ...(mask && { mask: bufferOf(mask.length, mask) }),
  }
  webgpuLoss(device, loss).valueAndGrad(buffers, {
    shape, classAxis, normalizer, gradScale, targetKind,
    targetDtype: labels.dtype,
    weightsPer: weights && perOf(weights),
    maskPer: mask && perOf(mask),
  })
  const result = await readOne(device, value)
  for (const buffer of made) buffer.destroy()
  if (Number.isNaN(result)) {
    grad.dispose()
    return null
  }
  logits.dispose()
  if (typeof targets === 'object' && 'gpuBuffer' in targets) targets.dispose()
  return { value: result, grad }
}

type Labels = { readonly length: number; readonly dtype: 'float32' | 'int32' | 'uint32'; readonly areIntegers: boolean } & ({ readonly buffer: GpuBuffer } | { readonly numbers: ArrayLike<number> })

/** `null` for what only the host knows how to read. */
async function targetsOf(targets: JaxArray | Targets): Promise<Labels | null> {
  if (!('gpuBuffer' in targets)) {
    if (!('length' in targets)) return null
    const isArray = Array.isArray(targets)
    const areIntegers = isArray ? targets.every(Number.isInteger) : !/Float|Clamped/.test(Object.prototype.toString.call(targets))
    return { length: targets.length, dtype: 'float32', areIntegers, numbers: targets as NumericArray }
  }
  const dtype: string = targets.dtype
  if (targets.device !== 'webgpu' || (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'uint32')) return null
  return { length: targets.size, dtype, areIntegers: dtype !== 'float32', buffer: await targets.ref.gpuBuffer() }
}

function kindOf(loss: WebgpuLossSource['constants'], { length, areIntegers }: Labels, size: number, rows: number, stated: TargetKind | undefined): TargetKind | null {
  if (length === size && length === rows) return kindOfOneClass(loss, areIntegers, stated)
  if (length === size && stated !== 'class-index') return 'labels'
  return length === rows && stated !== 'labels' ? 'class-index' : null
}

async function readOne(device: GpuDevice, from: GpuBuffer): Promise<number> {
  const copy = device.createBuffer({ size: 4, usage: usage.mapRead | usage.copyTarget })
  const encoder = device.createCommandEncoder()
  encoder.copyBufferToBuffer(from, 0, copy, 0, 4)
  device.queue.submit([encoder.finish()])
  await copy.mapAsync(mapForReading)
  const [value] = new Float32Array(copy.getMappedRange())
  copy.unmap()
  copy.destroy()
  return value
}
