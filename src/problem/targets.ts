/** Decides how a call's targets are read: labels, one per logit, or class indices, one per row. */
import { checkTargets } from '../arrays/check.js'
import { fromBits, toBits } from '../arrays/half.js'
import { type AnyArray, dtypeOf, isInteger, onHost } from '../arrays/logits.js'
import { checkedLength } from '../arrays/memory.js'
import { outOfRange, wrongType } from '../errors.js'
import type { TargetKind } from './call.js'
import type { LossConstants } from './constants.js'

/** A call's targets, checked, and what their array says of them. */
export interface GivenTargets {
  readonly array: AnyArray
  readonly length: number
  /** As the caller gave them: a plain array has been copied. */
  readonly given: unknown
  /** The number of the array's element type in cpp/problem.h. */
  readonly dtype: number
  /** Numbers of an integer type, or a plain array of integers. */
  readonly areIntegers: boolean
}

export function readTargets(given: unknown): GivenTargets {
  const array = checkTargets('targets', given)
  const dtype = dtypeOf(array)
  return { array, length: checkedLength('targets', array), given, dtype, areIntegers: isInteger(dtype) && !areBooleans(given) }
}

/** Throws a TypeError for labels that a loss over classes does not take. */
export function checkTakesLabels({ formula }: LossConstants, name: string, given: unknown): void {
  if (formula.perRow && formula.indicesOnly === true) throw wrongType(name, given, 'class indices, one per row')
}

/** Where there is one class, a target stands for a logit and for a row alike. */
export function kindOfOneClass(loss: LossConstants, mayBeIndices: boolean, stated: TargetKind | undefined): TargetKind {
  if (stated !== undefined) return stated
  return mayBeIndices && !loss.formula.perRow && !Number.isNaN(loss.background) ? 'class-index' : 'labels'
}

/** Without a shape, only a type that cannot hold labels between 0 and 1 tells that targets are class indices. */
export function tellIndices({ given, areIntegers }: GivenTargets): boolean {
  return areIntegers && !Array.isArray(given)
}

/** A least label as a number of the targets' type, in which a float32 of 0.9 is at least 0.9. */
export function leastLabel(dtype: number, least: number): number {
  if (dtype === 0) return Math.fround(least)
  const bits = new Uint16Array(1)
  const half = dtype === 8 ? 'float16' : dtype === 9 ? 'bfloat16' : undefined
  if (half === undefined) return least
  toBits(Float64Array.of(least), half, bits)
  return fromBits(bits, half)[0]
}

/** Throws where targets that must be class indices are no integers. */
export function checkIndices(loss: LossConstants, { array, given, areIntegers }: GivenTargets, stated: TargetKind | undefined, elements: number): void {
  if (areIntegers) return
  if (areBooleans(given)) throw wrongType('targets[0]', given[0], 'an integer, the index of a class')
  if (!onHost(array) || !(Array.isArray(given) || stated === 'class-index')) throw noIndices(given, elements)
  const nanIsIgnored = Number.isNaN(loss.ignoreIndex)
  const at = array.findIndex((value) => (value | 0) !== value && !(nanIsIgnored && Number.isNaN(value)))
  if (at >= 0) throw outOfRange(`targets[${at}]`, array[at], 'an integer, the index of a class')
}

/** The error for targets that are too few for labels, and may not be class indices. */
export function noIndices(given: unknown, elements: number): TypeError {
  const isOnHost = Array.isArray(given) || ArrayBuffer.isView(given)
  const hint = isOnHost ? " (with targetKind: 'class-index', in an array of any type)" : ''
  return wrongType('targets', given, `${elements} labels, one per logit, or class indices, one per row, in an integer typed array${hint}`)
}

function areBooleans(given: unknown): given is readonly boolean[] {
  return Array.isArray(given) && typeof given[0] === 'boolean'
}
