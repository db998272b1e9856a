/** The memory layout of logits: rows, classes, and the extent of a target. */
import { counted, outOfRange, wrongType } from '../errors.js'
import type { CallOptions, TargetKind } from './call.js'
import type { LossConstants } from './constants.js'
import { type GivenTargets, kindOfOneClass, noIndices, tellIndices } from './targets.js'

/** `logits[(o * classes + c) * inner + i]` is class c of row `o * inner + i`. */
export interface Layout {
  readonly outer: number
  readonly classes: number
  readonly inner: number
  readonly targetsKind: TargetKind
}

/** The layout of `n` logits and their targets, where no shape is given. */
export function inferLayout(loss: LossConstants, n: number, targets: GivenTargets, call: CallOptions): Layout {
  if (call.classAxis !== undefined) throw new TypeError('classAxis is given without shape; expected both')
  const { length: m } = targets
  if (n === 0 && m === 0) {
    // Nothing says how many classes nothing has.
    return { outer: 0, classes: loss.classPositive?.length ?? (loss.formula.perRow ? 0 : 1), inner: 1, targetsKind: 'labels' }
  }
  if (m !== n && (call.targetKind === 'labels' || m === 0 || n % m !== 0)) {
    const expected = call.targetKind === 'labels' ? lengthsOf(n, n, 'labels') : `${n}, as many as logits, or one class index per row`
    throw new RangeError(`targets has length ${m}; expected ${expected}`)
  }
  if (m === n && kindOfOneClass(loss, tellIndices(targets), call.targetKind) === 'labels') {
    if (!loss.formula.perRow) return { outer: n, classes: 1, inner: 1, targetsKind: 'labels' }
    throw new TypeError(`shape is undefined; expected [rows, classes], as targets has one entry per logit (${n}; SigmoidFocalLoss is the loss of one logit per row)`)
  }
  if (m !== n && call.targetKind === undefined && !tellIndices(targets)) throw noIndices(targets.given, n)
  return { outer: m, classes: n / m, inner: 1, targetsKind: 'class-index' }
}

export function readShape(loss: LossConstants, n: number, targets: GivenTargets, call: CallOptions): Layout {
  const { outer, classes, inner } = split(loss, sizesOf(call.shape, n), call.classAxis)
  const { length: m } = targets
  const elements = n
  const rows = outer * inner
  const perLogit = m === elements && call.targetKind !== 'class-index'
  const perRow = m === rows && call.targetKind !== 'labels'
  if (!perLogit && !perRow) throw new RangeError(`targets has length ${m}; expected ${lengthsOf(elements, rows, call.targetKind)}`)
  const targetsKind = rows === elements ? kindOfOneClass(loss, targets.areIntegers, call.targetKind) : perLogit ? 'labels' : 'class-index'
  return { outer, classes, inner, targetsKind }
}

/** The layout of `n` logits and their positions, one per row; the labels that are made of these are one per logit. */
export function layoutOfPositions(loss: LossConstants, n: number, { length: m }: GivenTargets, call: CallOptions): Layout {
  if (call.targetKind !== undefined) throw new TypeError(`targetKind is '${call.targetKind}'; expected undefined, as targets are positions`)
  const rowsOf = (rows: number) => new RangeError(`targets has length ${m}; expected ${rows}, one position per row`)
  if (call.shape !== undefined) {
    const layout = split(loss, sizesOf(call.shape, n), call.classAxis)
    if (m !== layout.outer * layout.inner) throw rowsOf(layout.outer * layout.inner)
    return { ...layout, targetsKind: 'labels' }
  }
  if (call.classAxis !== undefined) throw new TypeError('classAxis is given without shape; expected both')
  if (n > 0 && m > 0 && n % m === 0) return { outer: m, classes: n / m, inner: 1, targetsKind: 'labels' }
  if (n !== m) throw new RangeError(`targets has length ${m}; expected a divisor of ${n}, one position per row`)
  return { outer: 0, classes: loss.classPositive?.length ?? 0, inner: 1, targetsKind: 'labels' }
}

/** How many targets there may be. */
function lengthsOf(elements: number, rows: number, kind: TargetKind | undefined): string {
  const which = kind === undefined ? '' : `, as targetKind is '${kind}'`
  if (kind === 'labels') return `${elements} (one per logit)${which}`
  if (kind === 'class-index') return `${rows} (one class index per row)${which}`
  return rows === elements ? `${elements}` : `${elements} (one per logit) or ${rows} (one class index per row)`
}

/** The rows of logits without targets. */
export function layoutOfLogits(loss: LossConstants, n: number, call: CallOptions): Omit<Layout, 'targetsKind'> {
  if (call.shape !== undefined) return split(loss, sizesOf(call.shape, n), call.classAxis)
  if (call.classAxis !== undefined) throw new TypeError('classAxis is given without shape; expected both')
  const classes = loss.classPositive?.length ?? (loss.formula.perRow ? undefined : 1)
  if (classes === undefined) throw new TypeError('shape is undefined; expected [rows, classes]')
  if (n % classes !== 0) throw new RangeError(`logits has length ${n}; expected a multiple of ${classes}, as ${loss.perClassOption} has so many`)
  return { outer: n / classes, classes, inner: 1 }
}

/** `shape`, checked: as many elements as logits. */
function sizesOf(shape: unknown, n: number): readonly number[] {
  if (!Array.isArray(shape) || shape.length === 0) throw wrongType('shape', shape, 'an array of at least one integer >= 0')
  // Holes are read, too
  for (let axis = 0; axis < shape.length; axis++) {
    const size: unknown = shape[axis]
    if (typeof size !== 'number') throw wrongType(`shape[${axis}]`, size, 'an integer >= 0')
    if (!Number.isSafeInteger(size) || size < 0) throw outOfRange(`shape[${axis}]`, size, 'an integer >= 0')
  }
  const sizes = shape as readonly number[]
  const elements = product(sizes, 0, sizes.length)
  if (elements !== n) {
    throw new RangeError(`shape [${sizes.join(', ')}] has ${counted(elements, 'element')}; expected ${n}, as many as logits`)
  }
  return sizes
}

/** Of the axes `from` to `to - 1`. */
function product(sizes: readonly number[], from: number, to: number): number {
  let elements = 1
  for (let axis = from; axis < to; axis++) elements *= sizes[axis]
  return elements
}

function split(loss: LossConstants, shape: readonly number[], classAxis: unknown) {
  const rank = shape.length
  if (classAxis === undefined && rank === 1 && !loss.formula.perRow) return { outer: shape[0], classes: 1, inner: 1 }
  const given = classAxis ?? -1
  if (typeof given !== 'number') throw wrongType('classAxis', given, axesOf(rank))
  if (!Number.isInteger(given) || given < -rank || given >= rank) throw outOfRange('classAxis', given, axesOf(rank))
  const axis = given < 0 ? given + rank : given
  return { outer: product(shape, 0, axis), classes: shape[axis], inner: product(shape, axis + 1, rank) }
}

function axesOf(rank: number): string {
  return `an integer from ${-rank} to ${rank - 1}`
}

/** In float32, in which kernels compare class indices, larger integers are no longer all different. */
const mostIndexed = 2 ** 24

/** Throws where kernels could not tell class indices from each other. */
export function checkIndexedClasses(classes: number, areDouble: boolean): void {
  if (areDouble || classes <= mostIndexed) return
  throw new RangeError(`logits has ${classes} classes; expected at most ${mostIndexed} where targets are class indices (a Float64Array of logits takes more)`)
}

/** Throws where a loss cannot have so many classes. */
export function checkClassCount(loss: LossConstants, classes: number, call: CallOptions): void {
  if (classes === 1 && loss.formula.perRow) {
    throw new RangeError('a softmax has 1 class; expected 2 or more, as over one class its loss is always 0 (SigmoidFocalLoss is the loss of one class)')
  }
  const given = loss.classPositive?.length
  if (given === undefined || given === classes) return
  const hints = [
    ...(call.shape === undefined ? ['shape tells how many there are'] : []),
    // As others have it: one for positives, one for negatives
    ...(classes === 1 && given === 2 && loss.perClassOption === 'alpha' ? ['one alpha is the weight of positives, and negatives have 1 - alpha'] : []),
  ]
  throw new RangeError(`${loss.perClassOption} has ${counted(given, 'entry', 'entries')}; expected one per class, ${classes}${hints.length > 0 ? ` (${hints.join('; ')})` : ''}`)
}

/** Throws where the background of class indices is a class of a softmax, which has no other place for it. */
export function checkBackground({ formula, background }: LossConstants, kind: TargetKind, classes: number): void {
  if (!formula.perRow || kind === 'labels' || background === 'num-classes') return
  if (background >= 0 && background < classes) {
    throw outOfRange('background', background, `an integer outside the classes 0..${classes - 1} of a softmax`)
  }
}
