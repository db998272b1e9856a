/** Calls on the caller's buffers, checked and described. */
import { checkNames, checkRecord, number, oneOf, positiveNumber } from '../../arguments.js'
import { FLOAT32 } from '../../arrays/logits.js'
import { type GpuBuffer, usage } from '../../backends/webgpu/interface.js'
import type { Numbers } from '../../backends/webgpu/recorder.js'
import { checkClasses, type GpuProblem } from '../../backends/webgpu/steps.js'
import { counted, outOfRange, show, wrongType } from '../../errors.js'
import { type Scaled, type TargetKind, targetKinds } from '../../problem/call.js'
import type { LossConstants } from '../../problem/constants.js'
import type { Reduction } from '../../problem/options.js'
import type { Per } from '../../problem/problem.js'
import { checkBackground, checkClassCount, layoutOfLogits } from '../../problem/shape.js'
import { checkTakesLabels } from '../../problem/targets.js'

/** The buffers of a call, all of them with the usage STORAGE. What is written may not be given twice. */
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
  /** float32: 0 leaves a row, or an element, out; of a softmax's rows a class. */
  readonly mask?: GpuBuffer | undefined
}

/** Those of a call of second derivatives. */
export interface WebgpuHessBuffers extends WebgpuBuffers {
  /** Gets the second derivatives (of a softmax the diagonal), float32, as long as the logits. */
  readonly hess: GpuBuffer
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

/** The same, of second derivatives. */
export interface WebgpuHessCall extends WebgpuCall {
  /** The least that they may be, before `gradScale`. Default: no bound. */
  readonly clampHess?: number | undefined
}

const callNames = ['shape', 'classAxis', 'targetKind', 'targetDtype', 'weightsPer', 'maskPer', 'normalizer', 'gradScale']
const bufferNames = ['logits', 'targets', 'value', 'grad', 'weights', 'mask']
const known = {
  valueAndGrad: { buffers: new Set(bufferNames), call: new Set(callNames) },
  valueGradAndHess: { buffers: new Set([...bufferNames, 'hess']), call: new Set([...callNames, 'clampHess']) },
} as const
const types = { float32: 'f32', int32: 'i32', uint32: 'u32' } as const

/** A call of this method. Throws a TypeError or RangeError that names what is wrong with it. */
export function describeBuffers(
  loss: LossConstants,
  reduction: Reduction,
  method: keyof typeof known,
  buffers: WebgpuBuffers & Partial<WebgpuHessBuffers>,
  call: WebgpuCall & WebgpuHessCall,
): GpuProblem {
  checkRecord('buffers', buffers, 'an object with GPUBuffers')
  checkNames(buffers, known[method].buffers, `${method}()`)
  checkRecord('call options', call)
  checkNames(call, known[method].call, `${method}()`)
  if (loss.positionTargets) throw wrongType('targets', buffers.targets, `positions in an array of the host, which ${method}Async() takes`)
  const { classAxis, clampHess } = call
  if (!Array.isArray(call.shape)) throw wrongType('shape', call.shape, 'an array of at least one integer > 0')
  // An array's own getters may tell something else each time
  const shape = Array.from(call.shape as readonly number[])
  const kind = oneOf('targetKind', call.targetKind, targetKinds)
  if (kind === 'labels') checkTakesLabels(loss, 'targets', buffers.targets)
  const length = shape.reduce((a, b: unknown) => a * (typeof b === 'number' ? b : NaN), 1)
  const { outer, classes, inner } = layoutOfLogits(loss, length, { shape, classAxis })
  checkClassCount(loss, classes, { shape })
  checkBackground(loss, kind, classes)
  checkClasses(classes)
  const none = shape.indexOf(0)
  if (none >= 0) throw outOfRange(`shape[${none}]`, 0, 'an integer > 0')
  const targetDtype = oneOf('targetDtype', call.targetDtype ?? (kind === 'labels' ? 'float32' : 'int32'), ['float32', 'int32', 'uint32'])
  const rows = outer * inner
  const lengthOf = (per: Per) => (per === 'row' ? rows : length)
  const { weights, mask, grad, hess } = buffers
  const weightsPer = oneOf<Per>('weightsPer', call.weightsPer ?? 'row', loss.formula.perRow ? ['row'] : ['row', 'element'])
  const maskPer = oneOf<Per>('maskPer', call.maskPer ?? 'row', ['row', 'element'])
  const arrays = {
    logits: numbersOf('logits', buffers.logits, length),
    targets: { ...numbersOf('targets', buffers.targets, kind === 'labels' ? length : rows), type: types[targetDtype] },
    ...(weights != null && { weights: numbersOf('weights', weights, lengthOf(weightsPer)) }),
    ...(mask != null && { mask: numbersOf('mask', mask, lengthOf(maskPer)) }),
  }
  const written = {
    value: numbersOf('value', buffers.value, reduction !== 'none' ? 1 : loss.formula.perRow ? rows : length),
    ...(grad != null && { grad: numbersOf('grad', grad, length) }),
    ...((method === 'valueGradAndHess' || hess) && { hess: numbersOf('hess', hess, length) }),
  }
  checkApart(arrays, written)
  const gradScale = call.gradScale === undefined ? 1 : positiveNumber('gradScale', call.gradScale)
  const least = clampHess === undefined ? -Infinity : number('clampHess', clampHess, -Infinity, Infinity)
  return {
    loss, reduction, kind, dtype: FLOAT32, outer, classes, inner, arrays, gradScale,
    weights: weights ? weightsPer : null,
    mask: mask ? maskPer : null,
    normalizer: call.normalizer === undefined ? NaN : positiveNumber('normalizer', call.normalizer),
    value: written.value,
    grad: written.grad ?? null,
    hess: written.hess ? { numbers: written.hess, least: least * gradScale } : null,
  }
}

function numbersOf(name: string, buffer: GpuBuffer | undefined, length: number): Numbers {
  const { size, usage: usages, mapState } = Object(buffer) as Partial<GpuBuffer>
  if (buffer === undefined || typeof size !== 'number' || typeof usages !== 'number') throw wrongType(name, buffer, 'a GPUBuffer')
  if (size < 4 * length) throw new RangeError(`${name} has ${counted(size, 'byte')}; expected at least ${4 * length}, ${length} numbers of 4 bytes`)
  if ((usages & usage.storage) === 0) throw new RangeError(`${name} has usage ${show(usages)}; expected GPUBufferUsage.STORAGE among it`)
  if (mapState !== undefined && mapState !== 'unmapped') throw new RangeError(`${name} is ${mapState === 'mapped' ? 'mapped' : 'being mapped'}; expected a buffer after unmap(), as the GPU has no other`)
  return { buffer, type: 'f32', offset: 0, length }
}

/** A kernel has no buffer that is read and written, nor two results in one. */
function checkApart(arrays: Readonly<Record<string, Numbers>>, written: Readonly<Record<string, Numbers>>): void {
  const seen = Object.entries(arrays)
  for (const [name, { buffer }] of Object.entries(written)) {
    const other = seen.find(([, numbers]) => numbers.buffer === buffer)
    if (other !== undefined) throw new RangeError(`${name} is the buffer of ${other[0]}; expected a buffer of its own`)
    seen.push([name, { buffer, type: 'f32', offset: 0, length: 0 }])
  }
}
