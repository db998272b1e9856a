/** Focal star loss: cross entropy of a logit that is stretched and shifted, a focal loss without the modulating factor. */
import { positiveNumber } from '../arguments.js'
import { focalStar } from '../formulas/focal_star.js'
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

/** What {@link FocalStarLoss} takes. `undefined` means the default. */
export interface FocalStarOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Steepness, a finite number > 0. Default 2. */
  gamma?: number | undefined
  /** Shift, a finite number >= 0: how early an example counts as easy. Default 1. */
  beta?: number | undefined
  /** Balance, from 0 to 1: positives weigh `alpha`, negatives `1 - alpha`. Default `null`: off. */
  alpha?: PerClass | null | undefined
  /** From 0 to 1: moves every target that far towards 1/2. Default 0. */
  labelSmoothing?: number | undefined
}

/** The options of its own, defaults filled in. */
export interface FocalStarResolved extends FocalResolved {
  /** See {@link FocalStarOptions.beta}. */
  readonly beta: number
}

const focalStarRules: OptionRules<FocalStarResolved> = {
  loss: 'FocalStarLoss',
  own: {
    gamma: optional(2, (given) => positiveNumber('gamma', given)),
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
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one label from 0 to 1 per logit, soft ones
 * as `y L(1) + (1 - y) L(0)`, or one class index per row.
 *
 * @class
 */
export const FocalStarLoss: {
  /** Throws a TypeError or RangeError that names the option, what was expected and what came. */
  new <R extends Reduction = 'mean'>(options?: FocalStarOptions<R>): FocalStarLoss<R>
  readonly prototype: FocalStarLoss
} = class FocalStarLoss<R extends Reduction> extends ElementwiseLoss<R, FocalStarResolved> {
  constructor(options: FocalStarOptions<R> = {}) {
    if (arguments.length > 1) throw surplus('new FocalStarLoss()', 1, arguments.length)
    super(options, focalStarRules, focalStar)
  }
}
