/** Losses on a WebGPU device: on the caller's buffers, or on arrays in host memory. */
import { checkLossMethods } from '../../arguments.js'
import type { Targets } from '../../arrays/numeric_array.js'
import { checkGpuDevice, type GpuDevice } from '../../backends/webgpu/interface.js'
import { Recorder } from '../../backends/webgpu/recorder.js'
import { requestDevice } from '../../backends/webgpu/request.js'
import { checkLoss, run } from '../../backends/webgpu/run.js'
import { type GpuProblem, recordSteps } from '../../backends/webgpu/steps.js'
import { checkSignal, Watch } from '../../backends/watch.js'
import { surplus, wrongType } from '../../errors.js'
import type { FocalLossBase, Reduced } from '../../losses/base.js'
import { type Abortable, methods, readCall, type CallOptions, type Scaled } from '../../problem/call.js'
import { describe } from '../../problem/describe.js'
import type { Reduction } from '../../problem/options.js'
import { divisorOf, nothing, type Problem } from '../../problem/problem.js'
import { describeBuffers, type WebgpuBuffers, type WebgpuCall, type WebgpuHessBuffers, type WebgpuHessCall } from './buffers.js'

export type { GpuBuffer, GpuDevice } from '../../backends/webgpu/interface.js'
export type { WebgpuBuffers, WebgpuCall, WebgpuHessBuffers, WebgpuHessCall } from './buffers.js'

/** The part of a loss that is used: any loss of this package. */
export type WebgpuLossSource<R extends Reduction = Reduction> = Pick<FocalLossBase<R>, 'options' | 'constants' | 'sums'>

/** The options of a call on arrays in host memory. */
export interface WebgpuHostCall extends Omit<CallOptions, 'dtype'>, Scaled, Abortable {
  /** A number > 0 that replaces the reduction's denominator. */
  normalizer?: number | undefined
  /** Where to write the gradient. */
  grad?: Float32Array | undefined
}

/** What {@link webgpuLoss} returns. */
export interface WebgpuLoss<R extends Reduction = Reduction> {
  /**
   * Has the loss and its gradient computed from buffers into buffers: the commands are submitted to the device's queue, in order with
   * what was submitted before, and nothing is read back. An invalid target makes the loss and its gradient NaN.
   */
  valueAndGrad(buffers: WebgpuBuffers, call: WebgpuCall): void
  /** The same, with exact second derivatives; of a softmax, the diagonal. */
  valueGradAndHess(buffers: WebgpuHessBuffers, call: WebgpuHessCall): void
  /** As `valueAndGradAsync` of the loss, in float32. Invalid targets reject the promise. */
  valueAndGradAsync(logits: Float32Array, targets: Targets, call?: WebgpuHostCall): Promise<{ value: Reduced<R, Float32Array>; grad: Float32Array }>
}

/**
 * Requests a WebGPU device: from `navigator.gpu` in browsers and Deno, from the package `webgpu` (an optional peer) in Node.js. Throws
 * a BackendError that says what to do if there is no device. Destroy it after use; Node.js does not exit before.
 */
export async function webgpuDevice(): Promise<GpuDevice> {
  if (arguments.length > 0) throw surplus('webgpuDevice()', 0, arguments.length)
  return requestDevice()
}

/**
 * A loss on your GPUDevice (or that of {@link webgpuDevice}); no other device is created. Compiled kernels are shared by the losses of
 * a device and kept as long as the device. Throws a TypeError for a loss without a kernel, which is one from functions.
 */
export function webgpuLoss<R extends Reduction>(device: GpuDevice, loss: WebgpuLossSource<R>): WebgpuLoss<R> {
  if (arguments.length > 2) throw surplus('webgpuLoss()', 2, arguments.length)
  checkGpuDevice('device', device)
  checkLossMethods(loss, ['sums'])
  const { constants } = loss
  checkLoss(constants)
  const { reduction } = loss.options
  const submit = (problem: GpuProblem) => {
    const recorder = new Recorder(device)
    recordSteps(recorder, problem, device.limits.maxStorageBufferBindingSize)
    recorder.submit()
  }

  return {
    valueAndGrad(buffers, call) {
      if (arguments.length > 2) throw surplus('valueAndGrad()', 2, arguments.length)
      submit(describeBuffers(constants, reduction, 'valueAndGrad', buffers, call))
    },
    valueGradAndHess(buffers, call) {
      if (arguments.length > 2) throw surplus('valueGradAndHess()', 2, arguments.length)
      submit(describeBuffers(constants, reduction, 'valueGradAndHess', buffers, call))
    },
    async valueAndGradAsync(logits, targets, call = {}) {
      if (arguments.length > 3) throw surplus('valueAndGradAsync()', 3, arguments.length)
      const given = readCall(methods.valueAndGradAsync, call)
      const signal = checkSignal(given.signal)
      if (!(logits instanceof Float32Array)) throw wrongType('logits', logits, 'a Float32Array, as kernels of WebGPU compute in float32')
      const outputs = { values: reduction === 'none', grad: given.grad ?? true, hess: false }
      // All arrays are the host's, as their types say
      const problem = describe(constants, reduction, logits, targets, given, outputs) as Problem
      const watch = new Watch(problem, signal)
      const sums = logits.length === 0 ? nothing : await run(device, problem, watch)
      return { value: (problem.values ?? sums.sum / divisorOf(problem, sums)) as Reduced<R, Float32Array>, grad: problem.grad as Float32Array }
    },
  }
}
