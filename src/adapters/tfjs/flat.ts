/** What runs a kernel on either GPU backend of TensorFlow.js: tensors as their numbers one after another. */
import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core'
import type { Kernel } from '../../backends/shaders/kernel.js'

/** Fills `size` numbers in float32, of a vector kernel in the shape `[size / 2, 2]`. */
export type RunFlat = (kernel: Kernel, inputs: readonly Tensor[], size: number, uniforms: Readonly<Record<string, number>>) => TensorInfo

export function flat({ dataId, dtype }: TensorInfo, size: number): TensorInfo {
  return { dataId, dtype, shape: [size] }
}
