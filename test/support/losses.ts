/** Losses by name, and arrays by type, as the suites' tables have them. */
import { createHash } from 'node:crypto'
import * as focal from 'focal-loss'
import type { ElementwiseLoss, FocalOptions, Logits, Reduction, SoftmaxFocalLoss, SoftTargets } from 'focal-loss'

export const elementwiseNames = [
  'SigmoidFocalLoss',
  'FocalStarLoss',
  'QualityFocalLoss',
  'VarifocalLoss',
  'HeatmapFocalLoss',
  'AsymmetricLoss',
] as const

export type ElementwiseName = (typeof elementwiseNames)[number]
export type LossName = ElementwiseName | 'SoftmaxFocalLoss'

export const lossNames: readonly LossName[] = [...elementwiseNames, 'SoftmaxFocalLoss']

/** What any loss of the family takes; a loss refuses those that are not its own. */
export type AnyOptions<R extends Reduction = Reduction> = FocalOptions<R> & {
  softTargets?: SoftTargets
  beta?: number
  gammaPositive?: number
  gammaNegative?: number
  margin?: number
  constantModulator?: boolean
}

export type AnyLoss<R extends Reduction = Reduction> = ElementwiseLoss<R> | SoftmaxFocalLoss<R>

export function elementwiseOf<R extends Reduction = 'mean'>(name: ElementwiseName, options: AnyOptions<R>): ElementwiseLoss<R> {
  return new focal[name](options)
}

export function lossOf<R extends Reduction = 'mean'>(name: LossName, options: AnyOptions<R>): AnyLoss<R> {
  return new focal[name](options)
}

export type Precision = 'float32' | 'float64'

export const precisions: readonly Precision[] = ['float32', 'float64']

/** Numbers as logits of a precision. */
export function logitsOf(precision: Precision, values: ArrayLike<number>): Logits {
  return precision === 'float32' ? Float32Array.from(values) : Float64Array.from(values)
}

/** The bits of an array as text, for comparisons that see NaN payloads and the sign of zero; long ones as a digest. */
export function bitsOf(array: ArrayBufferView): string {
  const bytes = Buffer.from(array.buffer, array.byteOffset, array.byteLength)
  return bytes.length <= 128 ? bytes.toString('hex') : createHash('sha256').update(bytes).digest('hex')
}

/** Arrays and numbers as one list of numbers. */
export function flat(value: number | ArrayLike<number>): readonly number[] {
  return typeof value === 'number' ? [value] : Array.from(value)
}

/** Nested lists of numbers, as JSON tables have them, in row-major order. */
export type Nested = number | readonly Nested[]

export function flatten(nested: Nested): number[] {
  return typeof nested === 'number' ? [nested] : nested.flatMap(flatten)
}
