/** Focal star loss: cross entropy of a scaled and shifted logit, which is a focal loss without a modulating factor. */
import { number, positiveNumber } from '../arguments.js'
import { focalStar } from '../formulas/focal_star.js'
import { LEAST_STAR_GAMMA } from '../problem/constants.js'
import {
  alphaOption,
  type FocalResolved,
  type LossOptions,
  numberOption,
  optional,
  type OptionRules,
  type PerClass,
  type Reduction,
} from '../problem/options.js'
import { ElementwiseLoss } from './elementwise.js'
import { surplus } from '../errors.js'

/** Options of {@link FocalStarLoss}. `undefined` means the default. */
export interface FocalStarOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Steepness, a finite number >= 1e-20: the loss is divided by it. Default 2. */
  gamma?: number | undefined
  /** Shift, a finite number >= 0: larger values down-weight examples at smaller logits. Default 1. */
  beta?: number | undefined
  /** Alpha balancing, from 0 to 1: multiplies positives by `alpha` and negatives by `1 - alpha`. Default `null`: off. */
  alpha?: PerClass | null | undefined
  /** Label smoothing factor e, from 0 to 1: y becomes y (1 - e) + e / 2. Default 0. */
  labelSmoothing?: number | undefined
}

/** Its own options, with defaults filled in. */
export interface FocalStarResolved extends FocalResolved {
  /** See {@link FocalStarOptions.beta}. */
  readonly beta: number
}

const focalStarRules: OptionRules<FocalStarResolved> = {
  loss: 'FocalStarLoss',
  own: {
    gamma: optional(2, (given) => number('gamma', positiveNumber('gamma', given), LEAST_STAR_GAMMA, Infinity)),
    beta: numberOption('beta', 1),
    alpha: alphaOption(null, 1),
    labelSmoothing: numberOption('labelSmoothing', 0, 1),
  },
  balance: (alpha) => [alpha, 1 - alpha],
  parameters: ({ gamma, beta, alpha, labelSmoothing }) => ({ gamma, beta, alpha, labelSmoothing }),
}

export interface FocalStarLoss<R extends Reduction = Reduction> extends ElementwiseLoss<R, FocalStarResolved> {}

/**
 * FL*, `-log(sigmoid(gamma x_t + beta)) / gamma` with x_t = x for a positive and -x for a negative: Lin et al., "Focal
 * Loss for Dense Object Detection", 2017, arXiv:1708.02002, appendix A. `gamma: 1, beta: 0` is binary cross entropy. It is
 * convex: the second derivative is never negative.
 *
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one label from 0 to 1 per logit, soft labels
 * as `y L(1) + (1 - y) L(0)`, or one class index per row.
 *
 * @example
 * ```js
 * import { FocalStarLoss } from 'focal-loss'
 *
 * const loss = new FocalStarLoss({ gamma: 2, beta: 1 })
 * const { value, grad } = loss.valueAndGrad(new Float32Array([2.2, -1.4, 0.3, -3.1]), [1, 0, 1, 0])
 * console.log(value, grad[2]) // 0.0264 and -0.0420
 * ```
 *
 * @class
 */
export const FocalStarLoss: {
  /** Throws a TypeError or RangeError that names the option, the expected value and the actual value. */
  new <R extends Reduction = 'mean'>(options?: FocalStarOptions<R>): FocalStarLoss<R>
  readonly prototype: FocalStarLoss
} = class FocalStarLoss<R extends Reduction> extends ElementwiseLoss<R, FocalStarResolved> {
  constructor(options: FocalStarOptions<R> = {}) {
    if (arguments.length > 1) throw surplus('new FocalStarLoss()', 1, arguments.length)
    super(options, focalStarRules, focalStar)
  }
}
