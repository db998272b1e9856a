/** How logits lie in memory: which are a row, and what one target stands for. */
import { type AnyArray, isFloatArray } from '../arrays/logits.js'
import type { CallOptions } from './call.js'
import type { LossConstants } from './constants.js'
import { outOfRange, wrongType } from '../errors.js'

/** `logits[(o * classes + c) * inner + i]` is class c of row `o * inner + i`. */
export interface Layout {
  readonly outer: number
  readonly classes: number
  readonly inner: number
  readonly targetsKind: 'dense' | 'class-index'
}

/** The layout of `n` logits and `m` targets. */
export function inferLayout(loss: LossConstants, n: number, m: number, call: CallOptions): Layout {
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

export function readShape(loss: LossConstants, n: number, targets: AnyArray, m: number, call: CallOptions): Layout {
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

export function checkClassCount(loss: LossConstants, classes: number, call: CallOptions): void {
  const given = loss.classPositive?.length
  if (given === undefined || given === classes) return
  const hint = call.shape === undefined ? ' (shape tells how many there are)' : ''
  throw new RangeError(`alpha or classWeights has ${given} entries; expected one per class, ${classes}${hint}`)
}
