/** Compares the gradient of a loss with finite differences, for custom losses. */
import type { Targets } from '../arrays/numeric_array.js'
import { surplus } from '../errors.js'
import { checkLossMethods, checkNames, checkRecord, number } from '../arguments.js'

/** What is asked of a loss; every loss of this package has it. */
export interface Differentiable {
  /** The loss; of an array of losses the sum is taken. */
  value(logits: Float64Array, targets: Targets, call: object): number | ArrayLike<number>
  /** The gradient of the loss, as long as the logits. */
  valueAndGrad(logits: Float64Array, targets: Targets, call: object): { readonly grad: ArrayLike<number> }
}

/** Where {@link gradcheck} looks, and what it lets pass. */
export interface GradcheckOptions {
  /** Options of the call, passed on: `shape`, `weights` and so on. */
  call?: object | undefined
  /** How far a gradient may be from the difference quotient, relative to the larger of the two. Default 1e-6. */
  tolerance?: number | undefined
  /**
   * How far logits are moved. Default 1e-3: fourth-order differences are good to about 1e-11 then. Probabilities of a softmax take less
   * (1e-4), as a row whose sum is off by more than 1e-3 is refused.
   */
  step?: number | undefined
  /** At most so many logits are checked, spread evenly; each takes four values of the loss. Default 100. */
  most?: number | undefined
}

/** One logit: its gradient as the loss gives it, and as differences of the loss say it should be. */
export interface GradcheckEntry {
  /** Of the logit. */
  readonly index: number
  /** What `valueAndGrad` gives. */
  readonly grad: number
  /** What the differences of `value` say. */
  readonly numeric: number
  /** Relative to the larger of the two; differences that rounding explains count as 0. */
  readonly error: number
}

/** What {@link gradcheck} found. */
export interface GradcheckResult {
  /** Whether every error is within the tolerance. */
  readonly passed: boolean
  /** The entry with the largest error; `null` where there are no logits. */
  readonly worst: GradcheckEntry | null
  /** One for each logit that was checked, by index. */
  readonly entries: readonly GradcheckEntry[]
}

const names = new Set(['call', 'tolerance', 'step', 'most'])

/**
 * Compares `loss.valueAndGrad(...).grad` with central differences of `loss.value(...)`, in double precision, of fourth order
 * (two step sizes, Richardson extrapolation). Unreduced losses are added up, as their gradient is that of the sum.
 *
 * @param logits where to look: any finite numbers. Kinks (a margin, an absolute value) are no place for differences.
 *
 * @example
 * ```js
 * import { gradcheck, SigmoidFocalLoss } from 'focal-loss'
 *
 * console.log(gradcheck(new SigmoidFocalLoss(), new Float32Array([2.2, -1.4, 0.3]), [1, 0, 1]).passed) // true
 * ```
 */
export function gradcheck(
  loss: Differentiable,
  logits: ArrayLike<number>,
  targets: Targets,
  options: GradcheckOptions = {},
): GradcheckResult {
  if (arguments.length > 4) throw surplus('gradcheck()', 4, arguments.length)
  checkLossMethods(loss, ['value', 'valueAndGrad'])
  checkRecord('options', options)
  checkNames(options, names, 'gradcheck()')
  const { call = {} } = options
  const tolerance = number('tolerance', options.tolerance ?? 1e-6, 0, Infinity)
  const step = number('step', options.step ?? 1e-3, Number.MIN_VALUE, Infinity)
  const most = number('most', options.most ?? 100, 1, Infinity)

  const at = Float64Array.from(logits)
  const valueAt = (index: number, distance: number): number => {
    const moved = at.slice()
    moved[index] += distance
    const value = loss.value(moved, targets, call)
    return typeof value === 'number' ? value : Array.from(value).reduce((sum, each) => sum + each, 0)
  }
  const { grad } = loss.valueAndGrad(at.slice(), targets, call)
  if (grad.length !== at.length) {
    throw new RangeError(`grad has length ${grad.length}; expected ${at.length}, as many as logits`)
  }
  const count = Math.min(at.length, Math.floor(most))
  const entries = Array.from({ length: count }, (_, place): GradcheckEntry => {
    const index = Math.floor((place * at.length) / count)
    const quotient = (h: number) => (valueAt(index, h) - valueAt(index, -h)) / (2 * h)
    const numeric = (4 * quotient(step / 2) - quotient(step)) / 3
    // What rounding of the values makes of the quotient
    const noise = (16 * Number.EPSILON * Math.abs(valueAt(index, 0))) / step
    const difference = Math.max(0, Math.abs(grad[index] - numeric) - noise)
    const error = difference === 0 ? 0 : difference / Math.max(Math.abs(grad[index]), Math.abs(numeric))
    return { index, grad: grad[index], numeric, error }
  })
  // NaN is the worst
  const isWorse = (a: GradcheckEntry, b: GradcheckEntry) => Number.isNaN(a.error) || a.error > b.error
  const worst = entries.reduce<GradcheckEntry | null>((a, b) => (a === null || isWorse(b, a) ? b : a), null)
  return { passed: worst === null || worst.error <= tolerance, worst, entries }
}
