/** Kernels of this package on TensorFlow.js's webgpu and webgl backends: their tensors' own memory goes in and comes out. */
import type { Tensor } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { Kernel } from '../../backends/shaders/kernel.js'
import { isWebGl, onWebGl } from './webgl.js'
import { isWebGpu, onWebGpu } from './webgpu.js'

export type GpuOperations = Pick<typeof tfjs, 'backend' | 'engine' | 'env'>

/**
 * Runs a kernel: a tensor of this shape, in float32, of a vector kernel `[2 n, 2]`. Inputs and uniforms go by the names that the kernel
 * has for them; it may need fewer.
 */
export type RunKernel = (
  kernel: Kernel,
  inputs: Readonly<Record<string, Tensor>>,
  shape: readonly number[],
  uniforms: Readonly<Record<string, number>>,
) => Tensor

/** Whether tensors are textures of half floats. The backend's own `floatPrecision()` says the contrary of it, as of 4.22. */
export function hasHalfFloats(tf: Pick<typeof tfjs, 'backend' | 'env'>): boolean {
  return isWebGl(tf.backend()) && !tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')
}

/** `null` where TensorFlow.js's backend runs no kernels, and on webgl 1, whose shaders do not know a number's bits. */
export function kernelRunner(tf: GpuOperations): RunKernel | null {
  const backend = tf.backend()
  const runner = isWebGpu(backend) ? onWebGpu(backend) : isWebGl(backend) && tf.env().getNumber('WEBGL_VERSION') === 2 ? onWebGl(backend) : null
  return runner && ((kernel, inputs, shape, uniforms) => {
    const info = runner(kernel, kernel.inputs.map((name) => inputs[name]), shape.reduce((a, b) => a * b, 1), uniforms)
    // Numbers lie one after another, whatever the shape
    return tf.engine().makeTensorFromTensorInfo({ ...info, shape: [...shape] })
  })
}
