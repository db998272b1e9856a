/** Class weights from class sizes. */
import { checkNames, checkRecord, number } from '../arguments.js'
import { surplus, wrongType } from '../errors.js'

/** What {@link classBalancedWeights} takes beside the counts. */
export interface ClassBalancedOptions {
  /** From 0, with which all classes weigh the same, to 1, with which they weigh `1 / count`. Default 0.999. */
  beta?: number | undefined
}

const names: ReadonlySet<string> = new Set(['beta'])

/**
 * Weights that even out classes of different sizes, for `classWeights` (or `alpha` of a softmax): `(1 - beta) / (1 - beta^n)`
 * for a class of n samples, the inverse of its effective number, as n samples overlap the more the more there are. The weights
 * of the classes that have samples are scaled so that their mean is 1; a class without any weighs as if it had one. From Cui et
 * al., "Class-Balanced Loss Based on Effective Number of Samples", CVPR 2019, arXiv:1901.05555, equations 2 and 5.
 *
 * @param counts how many samples each class has: numbers >= 0, at least one above 0. They may be sums of weights.
 * @returns one weight > 0 per class. Throws a TypeError or RangeError that names the argument.
 *
 * @example
 * ```js
 * import { classBalancedWeights, SoftmaxFocalLoss } from 'focal-loss'
 *
 * const classWeights = classBalancedWeights([9000, 900, 100])
 * console.log(classWeights) // 0.228, 0.383 and 2.389
 * const loss = new SoftmaxFocalLoss({ classWeights })
 * ```
 */
export function classBalancedWeights(counts: ArrayLike<number>, options: ClassBalancedOptions = {}): Float64Array {
  if (arguments.length > 2) throw surplus('classBalancedWeights()', 2, arguments.length)
  checkRecord('options', options)
  checkNames(options, names, 'classBalancedWeights()')
  const beta = options.beta === undefined ? 0.999 : number('beta', options.beta, 0, 1)
  const checked = checkCounts(counts)
  const weights = checked.map((count) => 1 / effectiveNumber(count === 0 ? 1 : count, beta))
  const present = weights.filter((_, c) => checked[c] > 0)
  const mean = present.reduce((a, b) => a + b, 0) / present.length
  return weights.map((weight) => weight / mean)
}

/** Counts of classes as numbers, at least one of them above 0. */
export function checkCounts(counts: unknown): Float64Array {
  const isArray = Array.isArray(counts) || (ArrayBuffer.isView(counts) && !(counts instanceof DataView))
  if (!isArray) throw wrongType('counts', counts, 'an array of numbers, one per class')
  const checked = Float64Array.from(counts as ArrayLike<unknown>, (count, c) => number(`counts[${c}]`, count, 0, Infinity))
  if (!checked.some((count) => count > 0)) throw new RangeError(`counts ${checked.length === 0 ? 'is an empty array' : 'are all 0'}; expected a class with a sample`)
  return checked
}

/** `(1 - beta^n) / (1 - beta)`, to the last digits where beta is near 1; n where it is 1. */
function effectiveNumber(count: number, beta: number): number {
  return beta === 1 ? count : -Math.expm1(count * Math.log1p(beta - 1)) / (1 - beta)
}
