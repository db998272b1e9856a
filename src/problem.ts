/** Checks one call and describes it as plain data: what every backend receives. Nothing is written before all is checked. */
import {
  checkedLength,
  checkLogits,
  checkNumbers,
  checkTargets,
  dtypeOfLogits,
  isFloatArray,
  type Logits,
  newLike,
  type Numbers,
  type NumericArray,
  overlap,
  sameMemory,
  type SameKind,
} from './arrays.js'
import { outOfRange, wrongType } from './errors.js'
import type { HalfDtype } from './half.js'
import { tagOf } from './intrinsics.js'
import type { Formula, Parameters } from './losses/formula.js'
import { checkNames, checkRecord, type ClassWeighting, type Inputs, number, positiveNumber, type Reduction } from './options.js'

/** What a call's arrays hold, where their kind does not tell. */
export interface StorageOptions {
  /**
   * What the bits of logits, gradients and losses are that come as Uint16Array. They are read exactly, computed with in
   * float32 at least, and rounded to nearest even; sums are double. Targets of that kind stay integers.
   */
  dtype?: HalfDtype
}

/** How a call lays out its arrays and what it leaves out. */
export interface CallOptions extends StorageOptions {
  /** The logits' shape. Without it: one target per logit, or rows of `logits.length / targets.length` classes. */
  shape?: readonly number[]
  /** The axis of `shape` that runs over the classes, negative from the end. Default -1. */
  classAxis?: number
  /** Scales loss and gradient, never a denominator: one per row, or (element-wise losses) one per element. */
  weights?: Numbers
  /** Zero (or false) leaves a row or an element out: no loss, no gradient, not counted. */
  mask?: Numbers
}

/** The options of a call of `value`. */
export interface ValueCall<A extends Logits> extends CallOptions {
  /** A number > 0 that replaces the reduction's denominator. */
  normalizer?: number
  /** With reduction 'none': where to write the losses, one per element (softmax: per row). */
  out?: SameKind<A>
}

/** The options of a call of `valueAndGrad`. */
export interface GradCall<A extends Logits> extends ValueCall<A> {
  /** Where to write the gradient, as long as the logits; may be the logits themselves. */
  grad?: SameKind<A>
}

/** What an asynchronous call takes beside what the synchronous one takes. */
export interface Abortable {
  /** Stops the call when it is aborted: the promise rejects with the signal's reason. */
  signal?: AbortSignal
}

/** The options of a call of `valueGradAndHess`. */
export interface HessCall<A extends Logits> extends GradCall<A> {
  /** Where to write the diagonal second derivative, as long as the logits. */
  hess?: SameKind<A>
  /** A finite number that no entry of `hess` falls below; those that do not count stay 0. Default: none. */
  clampHess?: number
}

/** The options of a call of `toProbability`. */
export interface ProbabilityCall<A extends Logits> extends StorageOptions {
  /** The logits' shape. Without it: one class, or as many as `alpha` or `classWeights` has entries. */
  shape?: readonly number[]
  /** The axis of `shape` that runs over the classes, negative from the end. Default -1. */
  classAxis?: number
  /** Where to write the probabilities, as long as the logits; may be the logits themselves. */
  out?: SameKind<A>
}

/** The options of a call of `sums`. */
export interface SumsCall<A extends Logits> extends CallOptions {
  /** Where to write the gradient of the sum; `true` allocates. */
  grad?: SameKind<A> | true
  /** Where to write the losses, one per element (softmax: per row); `true` allocates. */
  out?: SameKind<A> | true
}

/** The unreduced result of a call: what several machines add up before they divide. */
export interface Sums {
  /** Of the losses. */
  readonly sum: number
  /** Elements that count. */
  readonly elements: number
  /** Rows that count: those with at least one element that does. */
  readonly rows: number
  /**
   * Counting elements whose target is at least 0.5 (heatmap: 1, a peak; varifocal: above 0); with class indices, counting
   * rows that have a class.
   */
  readonly positives: number
}

/** What stays the same from call to call of one loss object. */
export interface LossConstants extends ClassWeighting, Parameters {
  readonly formula: Formula
  readonly inputs: Inputs
  readonly labelSmoothing: number
  /** NaN: none. */
  readonly background: number | 'num-classes'
  /** NaN: none. */
  readonly ignoreIndex: number
}

export type Per = 'row' | 'element'

/** `logits[(o * classes + c) * inner + i]` is class c of row `o * inner + i`. */
export interface Problem {
  readonly loss: LossConstants
  readonly logits: Logits
  /** Of logits, values, grad and hess: the number in cpp/problem.h (enum FocalDtype). */
  readonly dtype: number
  readonly targets: NumericArray
  readonly targetsKind: 'dense' | 'class-index'
  readonly outer: number
  readonly classes: number
  readonly inner: number
  /** NaN: none. */
  readonly background: number
  readonly reduction: Reduction
  /** NaN: none. Replaces the reduction's denominator. */
  readonly normalizer: number
  readonly weights: NumericArray | null
  readonly weightsPer: Per
  readonly mask: NumericArray | null
  readonly maskPer: Per
  /** Losses, per element (per row for softmax), divided by the normalizer only. */
  readonly values: Logits | null
  readonly grad: Logits | null
  readonly hess: Logits | null
  /** What `hess` never falls below; -Infinity: no bound. */
  readonly leastHess: number
  /** What the sum goes on from: 0, or the sum of the chunks before. */
  readonly sumBefore: number
}

/** Outputs: `false` for none, `true` for a new array, or the caller's. */
export interface Outputs {
  readonly values: unknown
  readonly grad: unknown
  readonly hess: unknown
}

/** The caller's array as an output, or what `otherwise` says. */
export function theirsOr(otherwise: boolean, name: string, given: unknown): unknown {
  if (given === undefined) return otherwise
  if (typeof given === 'boolean') throw wrongType(name, given, 'a Float32Array or a Float64Array')
  return given
}

/** The denominator of a reduction, at least 1 so that an empty batch has loss 0. */
export function denominatorOf(reduction: Reduction, formula: Formula, sums: Sums): number {
  if (reduction === 'mean') return Math.max(1, formula.perRow ? sums.rows : sums.elements)
  if (reduction === 'mean-rows') return Math.max(1, sums.rows)
  return reduction === 'mean-positives' ? Math.max(1, sums.positives) : 1
}

/** What a problem's sum and gradient are divided by. */
export function divisorOf(problem: Problem, sums: Sums): number {
  if (!Number.isNaN(problem.normalizer)) return problem.normalizer
  return denominatorOf(problem.reduction, problem.loss.formula, sums)
}

export function describe(
  loss: LossConstants,
  reduction: Reduction,
  givenLogits: unknown,
  givenTargets: unknown,
  call: CallOptions & { normalizer?: number; clampHess?: number },
  outputs: Outputs,
  sumBefore = 0,
): Problem {
  const logits = checkLogits('logits', givenLogits, call.dtype)
  const targets = checkTargets('targets', givenTargets)
  const elements = checkedLength('logits', logits)
  const targetsLength = checkedLength('targets', targets)
  const layout =
    call.shape === undefined
      ? inferLayout(loss, elements, targetsLength, call)
      : readShape(loss, elements, targets, targetsLength, call)
  const { outer, classes, inner, targetsKind } = layout
  if (targetsKind === 'class-index' && isFloatArray(targets)) throw noIndices(targets, givenTargets, elements)
  checkClassCount(loss, classes, call)

  const rows = outer * inner
  const weights = call.weights === undefined ? null : checkNumbers('weights', call.weights)
  const mask = call.mask === undefined ? null : checkNumbers('mask', call.mask)
  const problem: Problem = {
    loss,
    logits,
    dtype: dtypeOfLogits(logits, call.dtype),
    targets,
    targetsKind,
    outer,
    classes,
    inner,
    background: loss.background === 'num-classes' ? classes : loss.background,
    reduction,
    normalizer: call.normalizer === undefined ? NaN : positiveNumber('normalizer', call.normalizer),
    weights,
    weightsPer: per('weights', weights, loss.formula, rows, elements),
    mask,
    maskPer: per('mask', mask, loss.formula, rows, elements),
    values: output('out', outputs.values, logits, call.dtype, loss.formula.perRow ? rows : elements),
    grad: output('grad', outputs.grad, logits, call.dtype, elements),
    hess: output('hess', outputs.hess, logits, call.dtype, elements),
    leastHess: call.clampHess === undefined ? -Infinity : number('clampHess', call.clampHess, -Infinity, Infinity),
    sumBefore,
  }
  checkBackground(problem)
  return problem
}

/** The error for a class index that is none; every backend throws this one. */
export function badClass(problem: Problem, index: number, value: number): RangeError {
  const others: string[] = []
  if (!Number.isNaN(problem.background)) others.push(`background ${problem.background}`)
  if (!Number.isNaN(problem.loss.ignoreIndex)) others.push(`ignoreIndex ${problem.loss.ignoreIndex}`)
  const allowed = others.length > 0 ? `, ${others.join(' or ')}` : ' (set background or ignoreIndex to allow others)'
  return outOfRange(`targets[${index}]`, value, `a class in 0..${problem.classes - 1}${allowed}`)
}

/** The error for a dense target that is no label; every backend throws this one. */
export function badTarget(problem: Problem, index: number, value: number): RangeError {
  const { formula, ignoreIndex } = problem.loss
  const ignored = formula.perRow || Number.isNaN(ignoreIndex) ? '' : ` or ignoreIndex ${ignoreIndex}`
  return outOfRange(`targets[${index}]`, value, `a number from 0 to 1${ignored}`)
}

/** The error for a probability that is none; every backend throws this one. */
export function badProbability(index: number, value: number): RangeError {
  return outOfRange(`logits[${index}]`, value, "a number from 0 to 1, as inputs is 'probabilities'")
}

interface Layout {
  readonly outer: number
  readonly classes: number
  readonly inner: number
  readonly targetsKind: 'dense' | 'class-index'
}

/** The layout of `n` logits and `m` targets. */
function inferLayout(loss: LossConstants, n: number, m: number, call: CallOptions): Layout {
  if (call.classAxis !== undefined) throw new TypeError('classAxis is given without shape; expected both')
  if (m > 0 && m < n && n % m === 0) return { outer: m, classes: n / m, inner: 1, targetsKind: 'class-index' }
  if (n === 0 && m === 0) {
    // Nothing says how many classes nothing has.
    return { outer: 0, classes: loss.classPositive?.length ?? 1, inner: 1, targetsKind: 'dense' }
  }
  if (m !== n) {
    throw new RangeError(`targets has length ${m}; expected ${n}, as many as logits, or one class index per row`)
  }
  if (!loss.formula.perRow) return { outer: n, classes: 1, inner: 1, targetsKind: 'dense' }
  throw new TypeError(`shape is undefined; expected [rows, classes], as targets has one entry per logit (${n})`)
}

function readShape(loss: LossConstants, n: number, targets: NumericArray, m: number, call: CallOptions): Layout {
  const { outer, classes, inner } = split(loss, sizesOf(call.shape, n), call.classAxis)
  const elements = n
  const rows = outer * inner
  if (m !== elements && m !== rows) {
    const expected = rows === elements ? elements : `${elements} (one per logit) or ${rows} (one class index per row)`
    throw new RangeError(`targets has length ${m}; expected ${expected}`)
  }
  const ambiguous = rows === elements
  const dense = ambiguous ? !loss.formula.perRow || isFloatArray(targets) : m === elements
  return { outer, classes, inner, targetsKind: dense ? 'dense' : 'class-index' }
}

/** The rows of logits without targets. */
export function layoutOfLogits(loss: LossConstants, n: number, call: CallOptions): Omit<Layout, 'targetsKind'> {
  if (call.shape !== undefined) return split(loss, sizesOf(call.shape, n), call.classAxis)
  if (call.classAxis !== undefined) throw new TypeError('classAxis is given without shape; expected both')
  const classes = loss.classPositive?.length ?? (loss.formula.perRow ? undefined : 1)
  if (classes === undefined) throw new TypeError('shape is undefined; expected [rows, classes]')
  if (n % classes !== 0) throw new RangeError(`logits has length ${n}; expected a multiple of ${classes}, as alpha or classWeights has so many`)
  return { outer: n / classes, classes, inner: 1 }
}

/** `shape`, checked: as many elements as logits. */
function sizesOf(shape: unknown, n: number): number[] {
  if (!Array.isArray(shape) || shape.length === 0) throw wrongType('shape', shape, 'an array of at least one integer >= 0')
  let elements = 1
  shape.forEach((size: unknown, axis) => {
    const name = `shape[${axis}]`
    if (typeof size !== 'number') throw wrongType(name, size, 'an integer >= 0')
    if (!Number.isSafeInteger(size) || size < 0) throw outOfRange(name, size, 'an integer >= 0')
    elements *= size
  })
  const sizes = shape as number[]
  if (elements !== n) {
    throw new RangeError(`shape [${sizes.join(', ')}] has ${elements} elements; expected ${n}, as many as logits`)
  }
  return sizes
}

function split(loss: LossConstants, shape: readonly number[], classAxis: unknown) {
  const rank = shape.length
  if (classAxis === undefined && rank === 1 && !loss.formula.perRow) return { outer: shape[0], classes: 1, inner: 1 }
  const given = classAxis ?? -1
  const expected = `an integer from ${-rank} to ${rank - 1}`
  if (typeof given !== 'number') throw wrongType('classAxis', given, expected)
  if (!Number.isInteger(given) || given < -rank || given >= rank) throw outOfRange('classAxis', given, expected)
  const axis = given < 0 ? given + rank : given
  const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)
  return { outer: product(shape.slice(0, axis)), classes: shape[axis], inner: product(shape.slice(axis + 1)) }
}

/** The error for targets that must be class indices and are no integers. */
function noIndices(targets: NumericArray, given: unknown, elements: number): Error {
  const at = Array.isArray(given) ? targets.findIndex((value) => (value | 0) !== value) : -1
  if (at >= 0) return outOfRange(`targets[${at}]`, targets[at], 'an integer, the index of a class')
  const hint = `an integer array of class indices, one per row, or ${elements} targets, one per logit`
  return wrongType('targets', given, hint)
}

export function checkClassCount(loss: LossConstants, classes: number, call: CallOptions): void {
  const given = loss.classPositive?.length
  if (given === undefined || given === classes) return
  const hint = call.shape === undefined ? ' (shape tells how many there are)' : ''
  throw new RangeError(`alpha or classWeights has ${given} entries; expected one per class, ${classes}${hint}`)
}

function per(name: string, array: NumericArray | null, formula: Formula, rows: number, elements: number): Per {
  if (array === null) return 'row'
  const length = checkedLength(name, array)
  if (!formula.perRow && length === elements) return 'element'
  if (length === rows) return 'row'
  const expected = formula.perRow ? `${rows}, one per row` : `${elements} (one per logit) or ${rows} (one per row)`
  throw new RangeError(`${name} has length ${length}; expected ${expected}`)
}

export function output(name: string, given: unknown, logits: Logits, dtype: HalfDtype | undefined, length: number): Logits | null {
  if (given === false) return null
  if (given === true) return newLike(logits, length)
  const array = checkLogits(name, given, dtype)
  if (tagOf(array) !== tagOf(logits)) throw wrongType(name, given, `a ${tagOf(logits)}, as logits is`)
  const came = checkedLength(name, array)
  if (came !== length) throw new RangeError(`${name} has length ${came}; expected ${length}`)
  return array
}

function checkBackground({ loss, targetsKind, background, classes }: Problem): void {
  if (!loss.formula.perRow || targetsKind === 'dense') return
  if (background >= 0 && background < classes) {
    throw outOfRange('background', background, `an integer outside the classes 0..${classes - 1} of a softmax`)
  }
}

/** The names of a problem's arrays. */
export const arrayNames = ['logits', 'targets', 'weights', 'mask', 'out', 'grad', 'hess'] as const

/** A call's arrays, in the order of {@link arrayNames}. */
export function arraysOf(problem: Problem): (NumericArray | null)[] {
  const { logits, targets, weights, mask, values, grad, hess } = problem
  return [logits, targets, weights, mask, values, grad, hess]
}

/**
 * No output may lie in the memory of another array, except the gradient exactly on the logits. Every backend refuses
 * the others before it writes: through this, or, where it knows addresses, faster.
 */
export function checkOverlaps(problem: Problem): void {
  const { logits, grad } = problem
  const arrays = arraysOf(problem)
  for (let i = 4; i < arrays.length; i++) {
    const written = arrays[i]
    if (written === null) continue
    for (let j = 0; j < arrays.length; j++) {
      const other = arrays[j]
      if (j === i || other === null || !overlap(written, other)) continue
      const onLogits = written === grad && other === logits
      if (onLogits && sameMemory(written, other)) continue
      const excepted = onLogits ? ' (or exactly the logits)' : ''
      const names = `${arrayNames[i]} overlaps ${arrayNames[j]}`
      throw new RangeError(`${names} in memory; expected memory of its own${excepted}`)
    }
  }
}

/** A method of a loss: its call options (anything else is an error that suggests the near one), and the derivatives it always computes. */
export interface Method {
  readonly name: string
  readonly options: ReadonlySet<string>
  readonly grad: boolean
  readonly hess: boolean
}

const layoutOptions = ['dtype', 'shape', 'classAxis', 'weights', 'mask']
const valueOptions = [...layoutOptions, 'normalizer', 'out']
const hessOptions = [...valueOptions, 'grad', 'hess', 'clampHess']

export const methods = {
  value: { name: 'value()', options: new Set(valueOptions), grad: false, hess: false },
  valueAndGrad: { name: 'valueAndGrad()', options: new Set([...valueOptions, 'grad']), grad: true, hess: false },
  valueAndGradAsync: { name: 'valueAndGradAsync()', options: new Set([...valueOptions, 'grad', 'signal']), grad: true, hess: false },
  valueGradAndHess: { name: 'valueGradAndHess()', options: new Set(hessOptions), grad: true, hess: true },
  valueGradAndHessAsync: { name: 'valueGradAndHessAsync()', options: new Set([...hessOptions, 'signal']), grad: true, hess: true },
  sums: { name: 'sums()', options: new Set([...layoutOptions, 'grad', 'out']), grad: false, hess: false },
  accumulatorAdd: { name: 'add()', options: new Set([...layoutOptions, 'grad', 'out']), grad: false, hess: false },
  toProbability: { name: 'toProbability()', options: new Set(['dtype', 'shape', 'classAxis', 'out']), grad: false, hess: false },
  priorBias: { name: 'priorBias()', options: new Set(['prior', 'rule']), grad: false, hess: false },
  explainerAdd: { name: 'add()', options: new Set(layoutOptions), grad: false, hess: false },
} as const satisfies Record<string, Method>

export function checkCall(method: Method, call: object): void {
  checkRecord('call options', call)
  checkNames(call, method.options, method.name)
}
