/** Losses by name, and arrays by type, as the suites' tables have them. */
import { createHash } from 'node:crypto'
import * as focal from 'focal-loss'
import type { ElementwiseLoss, FocalOptions, Logits, Reduction, SoftmaxFocalLoss, SoftTargets } from 'focal-loss'
import type { ElementwiseName, LossName } from './loss_names.js'

export * from './loss_names.js'

/** What any loss of the family takes; a loss refuses those that are not its own. */
export type AnyOptions<R extends Reduction = Reduction> = Omit<FocalOptions<R>, 'gamma'> & {
  gamma?: number
  softTargets?: SoftTargets
  beta?: number
  gammaPositive?: number
  gammaNegative?: number
  margin?: number
  constantModulator?: boolean
}

/** Those that leave the reduction open, to whoever spreads them. */
export type OwnOptions = Omit<AnyOptions, 'reduction'>

export type AnyLoss<R extends Reduction = Reduction> = ElementwiseLoss<R> | SoftmaxFocalLoss<R>

export function elementwiseOf<R extends Reduction = 'mean'>(name: ElementwiseName, options: AnyOptions<R>): ElementwiseLoss<R> {
  return new focal[name](options)
}

export function lossOf<R extends Reduction = 'mean'>(name: LossName, options: AnyOptions<R>): AnyLoss<R> {
  return new focal[name](options)
}

/** Options that give a loss's powers a size: one row a loss, for the suites that try several sizes. */
export const ofPower: Readonly<Record<LossName, (power: number) => OwnOptions>> = {
  SigmoidFocalLoss: (gamma) => ({ gamma }),
  // Its steepness is no power, and may not be 0
  FocalStarLoss: (power) => ({ gamma: power + 0.5, beta: power }),
  QualityFocalLoss: (beta) => ({ beta }),
  VarifocalLoss: (gamma) => ({ gamma }),
  HeatmapFocalLoss: (power) => ({ gamma: power, beta: power + 1 }),
  AsymmetricLoss: (power) => ({ gammaPositive: power / 2, gammaNegative: power }),
  SoftmaxFocalLoss: (gamma) => ({ gamma }),
}

/** The powers among a loss's options: what the numerics contract goes by. */
export function powersOf(name: LossName, { gamma, beta, gammaPositive, gammaNegative }: AnyOptions): number[] {
  return name === 'FocalStarLoss' ? [] : [gamma, beta, gammaPositive, gammaNegative].filter((power) => power !== undefined)
}

/** Whether a loss has all these options. */
export function hasOptions(name: LossName, options: AnyOptions): boolean {
  const own = lossOf(name, {}).options
  return Object.keys(options).every((option) => option in own)
}

/** Alpha off, where there is one. */
export function unbalanced(name: LossName): OwnOptions {
  return hasOptions(name, { alpha: null }) ? { alpha: null } : {}
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
