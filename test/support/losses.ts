/** Losses by name, and arrays by type, as the suites' tables have them. */
import { createHash } from 'node:crypto'
import { type FocalOptions, type Logits, type Reduction, SigmoidFocalLoss, type SoftTargets, SoftmaxFocalLoss } from 'focal-loss'

export type LossName = 'SigmoidFocalLoss' | 'SoftmaxFocalLoss'

export type AnyOptions<R extends Reduction = Reduction> = FocalOptions<R> & { softTargets?: SoftTargets }

export type AnyLoss<R extends Reduction = Reduction> = SigmoidFocalLoss<R> | SoftmaxFocalLoss<R>

export function lossOf<R extends Reduction = 'mean'>(name: LossName, options: AnyOptions<R>): AnyLoss<R> {
  return name === 'SigmoidFocalLoss' ? new SigmoidFocalLoss(options) : new SoftmaxFocalLoss(options)
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
