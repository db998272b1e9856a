/** The methods of a loss: what their calls take, and which names they know. */
import type { DerivativeOutput, DeviceLogits, Logits, Output, SameKind } from '../arrays/logits.js'
import type { Numbers } from '../arrays/numeric_array.js'
import type { DevicePointer } from '../arrays/device_array.js'
import { unknownOption, wrongType } from '../errors.js'
import type { HalfDtype } from '../arrays/half.js'
import { checkRecord, oneOf } from '../arguments.js'

/** What a call's arrays hold, where their kind does not tell. */
export interface StorageOptions {
  /**
   * What the bits of logits, gradients and losses are that come as Uint16Array. They are read exactly, computed with in
   * float32 at least, and rounded to nearest even; sums are double. Targets of that kind stay integers.
   */
  dtype?: HalfDtype | undefined
}

/** What targets are; see {@link CallOptions.targetKind}. */
export type TargetKind = 'labels' | 'class-index'

export const targetKinds: readonly TargetKind[] = ['labels', 'class-index']

/** How a call lays out its arrays and what it leaves out. */
export interface CallOptions extends StorageOptions {
  /** The logits' shape. Without it: one target per logit, or rows of `logits.length / targets.length` classes. */
  shape?: readonly number[] | undefined
  /** The axis of `shape` that runs over the classes, negative from the end. Default -1. */
  classAxis?: number | undefined
  /**
   * What targets are: 'labels', numbers from 0 to 1, one per logit; or 'class-index', integers, one per row, in any array of
   * numbers. By default as many targets as logits are labels, and fewer are class indices, which without `shape` must come in an
   * integer typed array. With one class there are as many of both: integers are then class indices where the loss has a
   * `background`, and labels where it has none; floats and booleans are labels, and so is a plain array without `shape`.
   */
  targetKind?: TargetKind | undefined
  /**
   * Multiplies loss and gradient, never a denominator: one per row, or (element-wise losses) one per element. What is infinite is no
   * weight, as little as NaN is: what it multiplies is NaN.
   */
  weights?: Numbers | DevicePointer | undefined
  /**
   * Zero (or false) leaves a row or an element out: no loss, no gradient, not valid; 1 keeps it. One per row or one per logit. A
   * logit that is left out of a softmax is a class that its row does not have: of probability 0, without a share in label
   * smoothing. The true class, or one with a label above 0, must not be left out; a row without any class is not valid.
   */
  mask?: Numbers | DevicePointer | undefined
}

/** What every call takes that writes a gradient. */
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

/** What is used of an AbortSignal. Every runtime's is one; its own name is declared only where the compiler has the DOM's types, or Node's. */
export interface AbortSignalLike {
  /** Whether it is aborted. */
  readonly aborted: boolean
  /** Throws the reason where it is. */
  throwIfAborted(): void
  /** Calls `listener` when it is aborted. */
  addEventListener(type: 'abort', listener: () => void, options?: { once: boolean }): void
  /** Calls it no more. */
  removeEventListener(type: 'abort', listener: () => void): void
}

/** What an asynchronous call takes beside what the synchronous one takes. */
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
   * 'exact', the second derivative at the targets, which may be negative; or 'expected', its mean over the posterior that the
   * logits stand for (`toProbability`), which does not depend on the targets and is at least 0: `p (1 - p)` for cross entropy. That
   * takes a pass more over the data, and arrays of the host. Default 'exact'.
   */
  curvature?: Curvature | undefined
  /**
   * A finite number > 0: `hess` is raised where `|grad| / hess` would be more, so that no Newton step is longer. Arrays of the host only.
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

/** A method of a loss: its call options (anything else is an error that suggests the near one), and the derivatives it always computes. */
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
  toProbability: { name: 'toProbability()', options: new Set(['dtype', 'shape', 'classAxis', 'out']), grad: false, hess: false },
  explainerAdd: { name: 'add()', options: new Set(layoutOptions), grad: false, hess: false },
} as const satisfies Record<string, Method>

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
  for (const name in call) {
    if (!method.options.has(name)) throw unknownOption(method.name, name, [...method.options])
    read[name as keyof typeof read] = call[name]
  }
  if (read.targetKind !== undefined) oneOf('targetKind', read.targetKind, targetKinds)
  return read as C
}

/** The caller's array as an output, or what `otherwise` says. */
export function givenOrNew(otherwise: boolean, name: string, given: unknown): unknown {
  if (given === undefined) return otherwise
  if (typeof given === 'boolean') throw wrongType(name, given, 'a Float32Array or a Float64Array')
  return given
}
