/** Checks one call and describes it as a problem. Nothing is written before all is checked. */
import { number, positiveNumber } from '../arguments.js'
import { checkAnyLogits, checkNumbers } from '../arrays/check.js'
import { type DeviceArray, deviceArrayOf } from '../arrays/device_array.js'
import { tagOf } from '../arrays/intrinsics.js'
import { type AnyArray, type AnyLogits, dtypeOf, dtypeOfDerivative, dtypeOfLogits, isHalf, newLike, onHost } from '../arrays/logits.js'
import { checkedLength } from '../arrays/memory.js'
import { outOfRange, wrongType } from '../errors.js'
import { labelsOfPositions } from './bins.js'
import type { CallOptions } from './call.js'
import type { LossConstants } from './constants.js'
import type { Reduction } from './options.js'
import { type AnyProblem, arrayNames, type Per } from './problem.js'
import { checkBackground, checkClassCount, checkIndexedClasses, inferLayout, layoutOfPositions, readShape } from './shape.js'
import { checkIndices, checkTakesLabels, leastLabel, readTargets } from './targets.js'

/** Outputs: `false` for none, `true` for a new array, or the caller's. */
export interface Outputs {
  readonly values: unknown
  readonly grad: unknown
  readonly hess: unknown
}

export function describe(
  loss: LossConstants,
  reduction: Reduction,
  givenLogits: unknown,
  givenTargets: unknown,
  call: CallOptions & { normalizer?: number; gradScale?: number; clampHess?: number },
  outputs: Outputs,
  sumBefore = 0,
): AnyProblem {
  const logits = checkAnyLogits(givenLogits, call.dtype)
  // Plain arrays are read before any length is asked for: a getter among their elements may take another array's memory away
  const weights = call.weights === undefined ? null : checkNumbers('weights', call.weights)
  const mask = call.mask === undefined ? null : checkNumbers('mask', call.mask)
  const given = readTargets(givenTargets)
  const elements = checkedLength('logits', logits)
  const layout = loss.positionTargets ? layoutOfPositions(loss, elements, given, call) : call.shape === undefined ? inferLayout(loss, elements, given, call) : readShape(loss, elements, given, call)
  const { outer, classes, inner, targetsKind } = layout
  if (targetsKind === 'class-index') checkIndices(loss, given, call.targetKind, elements)
  if (targetsKind === 'labels' && elements > 0) checkTakesLabels(loss, 'targets', givenTargets)
  checkClassCount(loss, classes, call)
  checkBackground(loss, targetsKind, classes)

  const rows = outer * inner
  const dtype = dtypeOfLogits(logits, call.dtype)
  if (targetsKind === 'class-index') checkIndexedClasses(classes, dtype === 1)
  const bins = loss.positionTargets ? labelsOfPositions(loss, given, layout, dtype === 1) : null
  const targets = bins === null ? given.array : bins.labels
  const targetsDtype = bins === null ? given.dtype : dtypeOf(bins.labels)
  const grad = derivative('grad', outputs.grad, logits, dtype, elements)
  const hess = derivative('hess', outputs.hess, logits, dtype, elements)
  return {
    loss,
    logits,
    dtype,
    gradDtype: dtypeOfDerivative(grad, dtype),
    hessDtype: dtypeOfDerivative(hess, dtype),
    targets,
    targetsDtype,
    positions: bins === null ? null : bins.positions,
    targetsKind,
    outer,
    classes,
    inner,
    background: loss.background === 'num-classes' ? classes : loss.background,
    // Every row that has a position is a positive
    reduction: bins !== null && reduction === 'mean-positives' ? 'mean' : reduction,
    positiveFrom: loss.positiveFrom === loss.formula.positiveFrom ? loss.positiveFrom : leastLabel(targetsDtype, loss.positiveFrom),
    oneFrom: loss.oneFrom === 1 ? 1 : leastLabel(targetsDtype, loss.oneFrom),
    normalizer: call.normalizer === undefined ? NaN : positiveNumber('normalizer', call.normalizer),
    weights,
    weightsPer: per('weights', weights, rows, elements, !loss.formula.perRow),
    mask,
    maskPer: per('mask', mask, rows, elements, true),
    values: output('out', outputs.values, logits, loss.formula.perRow ? rows : elements),
    grad,
    hess,
    gradScale: call.gradScale === undefined ? 1 : positiveNumber('gradScale', call.gradScale),
    leastHess: call.clampHess === undefined ? -Infinity : number('clampHess', call.clampHess, -Infinity, Infinity),
    sumBefore,
    device: deviceOf(logits, targets, weights, mask),
  } as AnyProblem
}

/** Where a call's arrays lie: its outputs lie where its logits do. */
function deviceOf(logits: AnyLogits, targets: AnyArray, weights: AnyArray | null, mask: AnyArray | null): number | null {
  if (onHost(logits) && onHost(targets) && weights === null && mask === null) return null
  const inputs = [logits, targets, weights, mask]
  let first: number | null = null
  for (let i = 0; i < inputs.length; i++) {
    const array = inputs[i]
    if (array === null || onHost(array)) continue
    first ??= array.device
    if (array.device !== first) throw outOfRange(`${arrayNames[i]}.device`, array.device, `${first}, as arrays of a call lie on one GPU`)
  }
  return first
}

/** Of a softmax, elements are classes of a row: these may be masked, but have no weights of their own. */
function per(name: string, array: AnyArray | null, rows: number, elements: number, mayBePerElement: boolean): Per {
  if (array === null) return 'row'
  const length = checkedLength(name, array)
  if (mayBePerElement && length === elements) return 'element'
  if (length === rows) return 'row'
  const expected = mayBePerElement ? `${elements} (one per logit) or ${rows} (one per row)` : `${rows}, one per row`
  throw new RangeError(`${name} has length ${length}; expected ${expected}`)
}

/** An output: none, a new array, or the caller's, which is of the logits' kind. */
export function output<A extends AnyLogits>(name: string, given: unknown, logits: A, length: number): A | null {
  if (given === false) return null
  if (given === true) return newLike(logits, length)
  const array = ArrayBuffer.isView(given) ? given : deviceArrayOf(name, given)
  if (array === undefined || !sameKind(array, logits)) throw wrongType(name, given, `${kindOf(logits)}, as logits is`)
  return checkedOutput(name, array as A, length)
}

/** As {@link output}, for a derivative: of logits of half precision it may be float32, where they are. */
function derivative(name: string, given: unknown, logits: AnyLogits, dtype: number, length: number): AnyLogits | null {
  if (typeof given === 'boolean' || !isHalf(dtype)) return output(name, given, logits, length)
  const array = ArrayBuffer.isView(given) ? given : deviceArrayOf(name, given)
  if (array === undefined || !(sameKind(array, logits) || isSingleBeside(array, logits))) {
    throw wrongType(name, given, `${kindOf(logits)}, as logits is, or ${onHost(logits) ? 'a Float32Array' : 'a float32 array there'}`)
  }
  return checkedOutput(name, array as AnyLogits, length)
}

function checkedOutput<A extends AnyLogits>(name: string, array: A, length: number): A {
  const came = checkedLength(name, array)
  if (came !== length) throw new RangeError(`${name} has length ${came}; expected ${length}`)
  return array
}

/** Whether an array is float32, and lies where the logits do. */
function isSingleBeside(array: ArrayBufferView | DeviceArray, logits: AnyLogits): boolean {
  if (onHost(array)) return onHost(logits) && tagOf(array) === 'Float32Array'
  return !onHost(logits) && array.dtype === 'float32' && array.device === logits.device
}

/** What an output must have in common with the logits: the type, and where they lie. */
function sameKind(array: ArrayBufferView | DeviceArray, logits: AnyLogits): array is AnyLogits {
  if (onHost(array)) return onHost(logits) && tagOf(array) === tagOf(logits)
  return !onHost(logits) && array.dtype === logits.dtype && array.device === logits.device
}

function kindOf(array: AnyLogits): string {
  return onHost(array) ? `a ${tagOf(array)}` : `a ${array.dtype} array on GPU ${array.device}`
}
