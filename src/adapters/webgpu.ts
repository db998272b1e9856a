/**
 * Losses on WebGPU: on buffers of the caller's own device, without reading anything back, or asynchronously on arrays of the host.
 *
 * @module focal-loss/webgpu
 */
import { checkMethods, checkNames, checkRecord, oneOf, positiveNumber } from '../arguments.js'
import type { Targets } from '../arrays/numeric_array.js'
import { type GpuBuffer, type GpuDevice, usage } from '../backends/webgpu/interface.js'
import { type Numbers, Recorder } from '../backends/webgpu/recorder.js'
import { requestDevice } from '../backends/webgpu/request.js'
import { read } from '../backends/webgpu/read.js'
import { type GpuProblem, recordSteps } from '../backends/webgpu/steps.js'
import { outOfRange, show, surplus, wrongType } from '../errors.js'
import type { FocalLossBase, Reduced } from '../losses/base.js'
import { methods, readCall, type CallOptions, type Scaled, type TargetKind, targetKinds } from '../problem/call.js'
import { isHostOnly, type LossConstants } from '../problem/constants.js'
import { describe } from '../problem/describe.js'
import type { Reduction } from '../problem/options.js'
import type { Per, Problem } from '../problem/problem.js'
import { checkClassCount, layoutOfLogits } from '../problem/shape.js'

export type { GpuBuffer, GpuDevice } from '../backends/webgpu/interface.js'

/** What is used of a loss: any of this package, of logits. */
export type WebgpuLossSource<R extends Reduction = Reduction> = Pick<FocalLossBase<R>, 'options' | 'constants' | 'sums'>

/** The buffers of a call, all of them with the usage STORAGE. None may be given twice. */
export interface WebgpuBuffers {
  /** float32, as many as `shape` has. */
  readonly logits: GpuBuffer
  /** One a logit, or one a row: see `targetKind`. */
  readonly targets: GpuBuffer
  /** Gets the loss, one float32; with reduction 'none' one per element (softmax: per row). */
  readonly value: GpuBuffer
  /** Gets the gradient, float32, as long as the logits. Left out: none is computed. */
  readonly grad?: GpuBuffer | undefined
  /** float32: multiplies loss and gradient, never a denominator. One per row, or (element-wise losses) one per element. */
  readonly weights?: GpuBuffer | undefined
  /** float32: 0 leaves a row, or of an element-wise loss an element, out. */
  readonly mask?: GpuBuffer | undefined
}

/** How a call's buffers are read: nothing in them tells. */
export interface WebgpuCall extends Scaled {
  /** The logits' shape. */
  readonly shape: readonly number[]
  /** The axis of `shape` that runs over the classes, negative from the end. Default -1. */
  readonly classAxis?: number | undefined
  /** 'labels', numbers from 0 to 1, one per logit; or 'class-index', one per row. */
  readonly targetKind: TargetKind
  /** What targets are. Default: float32 for labels, int32 for class indices. */
  readonly targetDtype?: 'float32' | 'int32' | 'uint32' | undefined
  /** What one of `weights` is for: 'row' (default) or 'element'. */
  readonly weightsPer?: 'row' | 'element' | undefined
  /** What one of `mask` is for: 'row' (default) or 'element'. */
  readonly maskPer?: 'row' | 'element' | undefined
  /** A number > 0 that replaces the reduction's denominator. */
  readonly normalizer?: number | undefined
}

/** The call of arrays of the host, as of any loss. */
export interface WebgpuHostCall extends Omit<CallOptions, 'dtype'>, Scaled {
  /** A number > 0 that replaces the reduction's denominator. */
  normalizer?: number | undefined
  /** Where to write the gradient. */
  grad?: Float32Array | undefined
}

/** What {@link webgpuLoss} returns. */
export interface WebgpuLoss<R extends Reduction = Reduction> {
  /**
   * Has the loss and its gradient computed from buffers into buffers: the commands are submitted to the device's queue, in order with
   * what was submitted before, and nothing is read back. A target that is none makes the loss NaN, and its gradient.
   */
  valueAndGrad(buffers: WebgpuBuffers, call: WebgpuCall): void
  /** As `valueAndGradAsync` of the loss, in float32. Targets that are none reject, as there. */
  valueAndGradAsync(logits: Float32Array, targets: Targets, call?: WebgpuHostCall): Promise<{ value: Reduced<R, Float32Array>; grad: Float32Array }>
}

/**
 * A device of WebGPU, for callers who have none: in browsers and Deno of `navigator.gpu`, in Node.js of the package `webgpu`, an
 * optional peer. Throws a BackendError that says what to do where none is to be had. It is the caller's to destroy; Node.js does not
 * end before.
 */
export async function webgpuDevice(): Promise<GpuDevice> {
  if (arguments.length > 0) throw surplus('webgpuDevice()', 0, arguments.length)
  return requestDevice()
}

/**
 * A loss on a device of WebGPU, which is the caller's GPUDevice (or {@link webgpuDevice}'s); another is never made. What the losses
 * of a device have in common, compiled kernels, is kept as long as the device. Throws a TypeError for a loss that has no kernel: of
 * probabilities, or of functions.
 */
export function webgpuLoss<R extends Reduction>(device: GpuDevice, loss: WebgpuLossSource<R>): WebgpuLoss<R> {
  if (arguments.length > 2) throw surplus('webgpuLoss()', 2, arguments.length)
  checkMethods('device', device, ['createBuffer', 'createComputePipeline', 'createCommandEncoder'])
  checkMethods('loss', loss, ['sums'])
  const { constants } = loss
  if (constants.formula.code < 0) throw wrongType('loss', loss, 'a loss of this package, as one from functions has no kernel')
  if (constants.inputs !== 'logits') throw outOfRange('inputs', constants.inputs, "'logits', as kernels of WebGPU take no probabilities")
  if (isHostOnly(constants)) throw wrongType('loss', loss, 'a loss that kernels of WebGPU have: without gamma per class, label smoothing of the cross entropy alone, or an asymmetric softmax')
  const { reduction } = loss.options
  const limit = device.limits.maxStorageBufferBindingSize

  return {
    valueAndGrad(buffers, call) {
      if (arguments.length > 2) throw surplus('valueAndGrad()', 2, arguments.length)
      const problem = ofBuffers(constants, reduction, buffers, call)
      const recorder = new Recorder(device)
      recordSteps(recorder, problem, limit)
      recorder.submit()
    },
    async valueAndGradAsync(logits, targets, call = {}) {
      if (arguments.length > 3) throw surplus('valueAndGradAsync()', 3, arguments.length)
      const given = readCall(methods.valueAndGrad, call)
      if (!(logits instanceof Float32Array)) throw wrongType('logits', logits, 'a Float32Array, as kernels of WebGPU compute in float32')
      const outputs = { values: reduction === 'none', grad: given.grad ?? true, hess: false }
      // All arrays are the host's, as their types say
      const problem = describe(constants, reduction, logits, targets, given, outputs) as Problem
      const { values, grad } = problem as { values: Float32Array | null; grad: Float32Array }
      const value = values ?? new Float32Array(1)
      checkMask(constants, problem.mask === null ? null : problem.maskPer)
      if (logits.length === 0) return { value: (values ?? 0) as Reduced<R, Float32Array>, grad }
      await read(device, problem, value, limit)
      // Where a target is none, the host says which
      if (value.some(Number.isNaN)) loss.sums(logits, targets, layoutOf(given))
      return { value: (values ?? value[0]) as Reduced<R, Float32Array>, grad }
    },
  }
}

function layoutOf({ shape, classAxis, targetKind, weights, mask }: CallOptions): CallOptions {
  return { shape, classAxis, targetKind, weights, mask }
}

function checkMask({ formula }: LossConstants, per: Per | null): void {
  if (formula.perRow && per === 'element') throw outOfRange('maskPer', per, "'row', as kernels of WebGPU take no classes out of the rows of a softmax")
}

const callNames: ReadonlySet<string> = new Set(['shape', 'classAxis', 'targetKind', 'targetDtype', 'weightsPer', 'maskPer', 'normalizer', 'gradScale'])
const bufferNames: ReadonlySet<string> = new Set(['logits', 'targets', 'value', 'grad', 'weights', 'mask'])
const types = { float32: 'f32', int32: 'i32', uint32: 'u32' } as const

function ofBuffers(loss: LossConstants, reduction: Reduction, buffers: WebgpuBuffers, call: WebgpuCall): GpuProblem {
  checkRecord('buffers', buffers)
  checkNames(buffers, bufferNames, 'valueAndGrad()')
  checkRecord('call options', call)
  checkNames(call, callNames, 'valueAndGrad()')
  if (loss.positionTargets) throw wrongType('targets', buffers.targets, 'positions in an array of the host, which valueAndGradAsync() takes')
  const { classAxis } = call
  if (!Array.isArray(call.shape)) throw wrongType('shape', call.shape, 'an array of at least one integer >= 0')
  const shape = call.shape as readonly number[]
  const kind = oneOf('targetKind', call.targetKind, targetKinds)
  const length = shape.reduce((a, b) => a * b, 1)
  const { outer, classes, inner } = layoutOfLogits(loss, length, { shape, classAxis })
  checkClassCount(loss, classes, { shape })
  if (length === 0) throw outOfRange('shape', shape, 'sizes above 0')
  const targetDtype = oneOf('targetDtype', call.targetDtype ?? (kind === 'labels' ? 'float32' : 'int32'), ['float32', 'int32', 'uint32'])
  const rows = outer * inner
  const lengthOf = (per: Per) => (per === 'row' ? rows : length)
  const { weights, mask, grad } = buffers
  const weightsPer = oneOf<Per>('weightsPer', call.weightsPer ?? 'row', loss.formula.perRow ? ['row'] : ['row', 'element'])
  const maskPer = oneOf<Per>('maskPer', call.maskPer ?? 'row', ['row', 'element'])
  checkMask(loss, maskPer)
  const arrays = {
    logits: numbers('logits', buffers.logits, length),
    targets: { ...numbers('targets', buffers.targets, kind === 'labels' ? length : rows), type: types[targetDtype] },
    ...(weights && { weights: numbers('weights', weights, lengthOf(weightsPer)) }),
    ...(mask && { mask: numbers('mask', mask, lengthOf(maskPer)) }),
  }
  return {
    loss, reduction, kind, outer, classes, inner, arrays,
    weights: weights ? weightsPer : null,
    mask: mask ? maskPer : null,
    normalizer: call.normalizer === undefined ? NaN : positiveNumber('normalizer', call.normalizer),
    gradScale: call.gradScale === undefined ? 1 : positiveNumber('gradScale', call.gradScale),
    value: numbers('value', buffers.value, reduction !== 'none' ? 1 : loss.formula.perRow ? rows : length),
    grad: grad === undefined ? null : numbers('grad', grad, length),
  }
}

function numbers(name: string, buffer: GpuBuffer, length: number): Numbers {
  const { size, usage: usages } = Object(buffer) as Partial<GpuBuffer>
  if (typeof size !== 'number' || typeof usages !== 'number') throw wrongType(name, buffer, 'a GPUBuffer')
  if (size < 4 * length) throw new RangeError(`${name} has ${size} bytes; expected at least ${4 * length}, ${length} numbers of 4 bytes`)
  if ((usages & usage.storage) === 0) throw new RangeError(`${name} has usage ${show(usages)}; expected GPUBufferUsage.STORAGE among it`)
  return { buffer, type: 'f32', offset: 0, length }
}
