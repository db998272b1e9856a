/** The call options of each method of a loss, and their checks. */
import type { DerivativeOutput, DeviceLogits, Logits, Output, SameKind } from '../arrays/logits.js'
import type { Numbers } from '../arrays/numeric_array.js'
import type { DevicePointer } from '../arrays/device_array.js'
import { pollutedOption, unknownOption, wrongType } from '../errors.js'
import type { HalfDtype } from '../arrays/half.js'
import { checkRecord, oneOf } from '../arguments.js'

/** The element type of a call's arrays, if their class does not determine it. */
export interface StorageOptions {
  /**
   * The type of the bits in a Uint16Array of logits, gradients or losses. They are read exactly, computed in float32 or better, and
   * rounded to nearest even; sums are in double precision. A Uint16Array of targets holds integers.
   */
  dtype?: HalfDtype | undefined
}

/** How targets are read; see {@link CallOptions.targetKind}. */
export type TargetKind = 'labels' | 'class-index'

export const targetKinds: readonly TargetKind[] = ['labels', 'class-index']

/** The layout of a call's arrays, weights and masks. */
export interface CallOptions extends StorageOptions {
  /** The logits' shape. Without it: one target per logit, or rows of `logits.length / targets.length` classes. */
  shape?: readonly number[] | undefined
  /** The axis of `shape` that runs over the classes, negative from the end. Default -1. */
  classAxis?: number | undefined
  /**
   * How targets are read: 'labels', numbers from 0 to 1, one per logit; or 'class-index', integers, one per row, in any array of
   * numbers. By default, as many targets as logits are labels, and fewer are class indices, which without `shape` must be an
   * integer typed array. With one class both are possible: then integers are class indices if the loss has a `background`, and
   * labels otherwise; floats and booleans are labels, and so is a plain array without `shape`.
   */
  targetKind?: TargetKind | undefined
  /**
   * Multiplies loss and gradient, never a denominator: one per row, or (element-wise losses) one per element. Infinite and NaN weights
   * give NaN.
   */
  weights?: Numbers | DevicePointer | undefined
  /**
   * 0 (or false) drops a row or an element: no loss, no gradient, not valid. Any other number keeps it, also NaN and -Infinity. An
   * additive mask of 0 and -Infinity is the other way round: pass `mask.map((x) => (x === 0 ? 1 : 0))`. One per row or one per logit. A logit
   * dropped from a softmax is a class that its row does not have: it has probability 0 and no share of the label smoothing. The true
   * class, or a class with a label above 0, must not be dropped; a row without any class is not valid.
   */
  mask?: Numbers | DevicePointer | undefined
}

/** The options of every call that writes a gradient. */
export interface Scaled {
  /**
   * A finite number > 0 that multiplies gradient and second derivative before they are rounded to the type of their arrays, and
   * never the loss or the sums: loss scaling, for half precision. Default 1.
   */
  gradScale?: number | undefined
}

/** The options of a call of `value`. */
export interface ValueCall<A extends Logits | DeviceLogits> extends CallOptions {
  /** A number > 0 that replaces the reduction's denominator. */
  normalizer?: number | undefined
  /** With reduction 'none': where to write the losses, one per element (softmax: per row). */
  out?: Output<A> | undefined
}

/** The options of a call of `valueAndGrad`. */
export interface GradCall<A extends Logits | DeviceLogits, G extends A | DerivativeOutput<A> = DerivativeOutput<A>> extends ValueCall<A>, Scaled {
  /** Where to write the gradient, as long as the logits; may be the logits themselves. For half precision also in float32. */
  grad?: G | undefined
}

/** The part of an AbortSignal that is used. The type works without the DOM's or Node's types. */
export interface AbortSignalLike {
  /** Whether it is aborted. */
  readonly aborted: boolean
  /** Throws the reason if it is aborted. */
  throwIfAborted(): void
  /** Calls `listener` when it is aborted. */
  addEventListener(type: 'abort', listener: () => void, options?: { once: boolean }): void
  /** Stops calling `listener`. */
  removeEventListener(type: 'abort', listener: () => void): void
}

/** The additional option of an asynchronous call. */
export interface Abortable {
  /** Stops the call when it is aborted: the promise rejects with the signal's reason. */
  signal?: AbortSignalLike | undefined
}

/** Which second derivative: at the targets, or its mean over the posterior; see {@link HessCall.curvature}. */
export type Curvature = 'exact' | 'expected'

/** The options of a call of `valueGradAndHess`. */
export interface HessCall<
  A extends Logits | DeviceLogits,
  G extends A | DerivativeOutput<A> = DerivativeOutput<A>,
  H extends A | DerivativeOutput<A> = DerivativeOutput<A>,
> extends GradCall<A, G> {
  /** Where to write the diagonal second derivative, as long as the logits. For half precision also in float32. */
  hess?: H | undefined
  /** A finite number, the lower bound of `hess` before `gradScale`; masked and ignored entries stay 0. Default: none. */
  clampHess?: number | undefined
  /**
   * 'exact': the second derivative at the targets, which may be negative. 'expected': its mean over the posterior of the logits
   * (`toProbability`), which does not depend on the targets and is at least 0; `p (1 - p)` for cross entropy. 'expected' takes
   * another pass over the data, and works on arrays in host memory only. Default 'exact'.
   */
  curvature?: Curvature | undefined
  /**
   * A finite number > 0: the longest Newton step. `hess` is raised where `|grad| / hess` would be larger. Arrays in host memory only.
   * Default: none.
   */
  maxStep?: number | undefined
}

/** The options of a call of `toProbability`. */
export interface ProbabilityCall<A extends Logits> extends StorageOptions {
  /** The logits' shape. Without it: one class, or as many as `alpha` or `classWeights` has entries. */
  shape?: readonly number[] | undefined
  /** The axis of `shape` that runs over the classes, negative from the end. Default -1. */
  classAxis?: number | undefined
  /** Where to write the probabilities, as long as the logits; may be the logits themselves. */
  out?: SameKind<A> | undefined
}

/** The options of a call of `sums`. */
export interface SumsCall<A extends Logits | DeviceLogits> extends CallOptions, Scaled {
  /** Where to write the gradient of the sum; `true` allocates. For half precision also in float32. */
  grad?: DerivativeOutput<A> | true | undefined
  /** Where to write the losses, one per element (softmax: per row); `true` allocates. */
  out?: Output<A> | true | undefined
}

/** A method of a loss: its call options (an unknown name is an error that suggests a similar one), and the derivatives that it always computes. */
export interface Method {
  readonly name: string
  readonly options: ReadonlySet<string>
  readonly grad: boolean
  readonly hess: boolean
}

const layoutOptions = ['dtype', 'shape', 'classAxis', 'targetKind', 'weights', 'mask']
const valueOptions = [...layoutOptions, 'normalizer', 'out']
const gradOptions = [...valueOptions, 'grad', 'gradScale']
const hessOptions = [...gradOptions, 'hess', 'clampHess', 'curvature', 'maxStep']

export const methods = {
  value: { name: 'value()', options: new Set(valueOptions), grad: false, hess: false },
  valueAndGrad: { name: 'valueAndGrad()', options: new Set(gradOptions), grad: true, hess: false },
  valueAndGradAsync: { name: 'valueAndGradAsync()', options: new Set([...gradOptions, 'signal']), grad: true, hess: false },
  valueGradAndHess: { name: 'valueGradAndHess()', options: new Set(hessOptions), grad: true, hess: true },
  valueGradAndHessAsync: { name: 'valueGradAndHessAsync()', options: new Set([...hessOptions, 'signal']), grad: true, hess: true },
  sums: { name: 'sums()', options: new Set([...layoutOptions, 'grad', 'gradScale', 'out']), grad: false, hess: false },
  accumulatorAdd: { name: 'add()', options: new Set([...layoutOptions, 'grad', 'gradScale', 'out']), grad: false, hess: false },
  parallelStep: { name: 'valueAndGrad() of a parallel step', options: new Set([...layoutOptions, 'grad', 'gradScale']), grad: true, hess: false },
  parallelAdd: { name: 'add() of a parallel batch', options: new Set([...layoutOptions, 'grad', 'gradScale']), grad: true, hess: false },
  jaxStep: { name: 'the function of jaxValueAndGrad()', options: new Set(['classAxis', 'targetKind', 'weights', 'mask', 'normalizer', 'gradScale']), grad: true, hess: false },
  toProbability: { name: 'toProbability()', options: new Set(['dtype', 'shape', 'classAxis', 'out']), grad: false, hess: false },
  explainerAdd: { name: 'add()', options: new Set(layoutOptions), grad: false, hess: false },
} as const satisfies Record<string, Method>

/** What is a property of this is one of every object. Asked once a call: `checkNames`, which asks for each option, takes longer. */
const nothingOfItsOwn: object = {}

/**
 * A call's options, checked for unknown names, in an object with the same fields for all calls: the engine finds those at once,
 * however many kinds of calls have come by. Getters are asked once.
 */
export function readCall<C extends object>(method: Method, call: C): C {
  checkRecord('call options', call)
  const read: { [K in keyof Required<HessCall<Logits> & Abortable>]: unknown } = {
    dtype: undefined,
    shape: undefined,
    classAxis: undefined,
    targetKind: undefined,
    weights: undefined,
    mask: undefined,
    normalizer: undefined,
    out: undefined,
    grad: undefined,
    gradScale: undefined,
    hess: undefined,
    clampHess: undefined,
    curvature: undefined,
    maxStep: undefined,
    signal: undefined,
  }
  for (const name in nothingOfItsOwn) throw pollutedOption(name)
  for (const name in call) {
    if (!method.options.has(name)) throw unknownOption(method.name, name, [...method.options])
    read[name as keyof typeof read] = call[name]
  }
  if (Array.isArray(read.shape)) read.shape = copyOf(read.shape)
  if (read.targetKind !== undefined) oneOf('targetKind', read.targetKind, targetKinds)
  return read as C
}

/**
 * A getter among a shape's elements may take an array's memory away, so they are read before any length is asked for, and once. Not by their
 * iterator, which a program may have replaced.
 */
function copyOf(shape: readonly unknown[]): unknown[] {
  const copy: unknown[] = []
  for (let axis = 0; axis < shape.length; axis++) copy[axis] = shape[axis]
  return copy
}

/** The caller's array as an output, or what `otherwise` says. */
export function givenOrNew(otherwise: boolean, name: string, given: unknown): unknown {
  if (given === undefined) return otherwise
  if (typeof given === 'boolean') throw wrongType(name, given, 'a Float32Array or a Float64Array')
  return given
}
