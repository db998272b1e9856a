/** Focal star loss: cross entropy of a logit that is stretched and shifted, a focal loss without the modulating factor. */
import { ElementwiseLoss } from '../elementwise_loss.js'
import {
  alphaOption,
  type FocalResolved,
  type LossOptions,
  numberOption,
  optional,
  type OptionRules,
  type PerClass,
  positiveNumber,
  type Reduction,
} from '../options.js'
import { add, type Derivatives, type ElementFormula, sigmoid, softplus, times } from './formula.js'
import { minusLogOfRest } from './probability.js'

/** What {@link FocalStarLoss} takes. `undefined` means the default. */
export interface FocalStarOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Steepness, a finite number > 0. Default 2. */
  gamma?: number
  /** Shift, a finite number >= 0: how early an example counts as easy. Default 1. */
  beta?: number
  /** Balance, from 0 to 1: positives weigh `alpha`, negatives `1 - alpha`. Default `null`: off. */
  alpha?: PerClass | null
  /** From 0 to 1: moves every target that far towards 1/2. Default 0. */
  labelSmoothing?: number
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

/**
 * FL*, `-log(sigmoid(gamma x_t + beta)) / gamma` with x_t = x for a positive and -x for a negative: Lin et al., "Focal
 * Loss for Dense Object Detection", 2017, arXiv:1708.02002, appendix A. `gamma: 1, beta: 0` is binary cross entropy. It is
 * convex: the second derivative is never negative.
 *
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one label from 0 to 1 per logit, soft ones
 * as `y L(1) + (1 - y) L(0)`, or one class index per row.
 */
export class FocalStarLoss<R extends Reduction = 'mean'> extends ElementwiseLoss<R, FocalStarResolved> {
  /** Throws a TypeError or RangeError that names the option, what was expected and what came. */
  constructor(options: FocalStarOptions<R> = {}) {
    super(options, focalStarRules, focalStar)
  }
}

/** The definition, in double precision. */
const focalStar: ElementFormula = {
  name: 'focal-star',
  code: 2,
  positiveFrom: 0.5,
  perRow: false,
  element(x, y, positive, negative, { gamma, beta }, to) {
    asNegative(-x, y * positive, gamma, beta, to)
    const { value, grad, hess } = to
    asNegative(x, (1 - y) * negative, gamma, beta, to)
    add(to, value, -grad, hess)
  },
  probability(p, y, positive, negative, { gamma, beta }, to) {
    probabilityAsNegative(1 - p, p, y * positive, gamma, beta, to)
    const { value, grad, hess } = to
    probabilityAsNegative(p, 1 - p, (1 - y) * negative, gamma, beta, to)
    add(to, value, -grad, hess)
  },
}

/**
 * Target 0 at p with c = 1 - p: with z = gamma log(p / c) - beta and S = sigmoid(z) / p the derivatives are w S / c and
 * w ((gamma - 1) S / p + S (2 - gamma S)) / c^2. Near 0, S is e^-beta p^(gamma - 1) c^-gamma sigmoid(-z), which has a limit.
 */
function probabilityAsNegative(p: number, c: number, weight: number, gamma: number, beta: number, to: Derivatives): void {
  if (weight === 0) {
    to.value = to.grad = to.hess = p * 0
    return
  }
  const z = gamma * (minusLogOfRest(p, c) - minusLogOfRest(c, p)) - beta
  const isLow = p < 0.5
  const least = Math.exp(-beta) * Math.pow(c, -gamma) * sigmoid(-z)
  const s = isLow ? least * Math.pow(p, gamma - 1) : sigmoid(z) / p
  const bend = gamma === 1 ? 0 : (gamma - 1) * (isLow ? least * Math.pow(p, gamma - 2) : s / p)
  to.value = (weight * softplus(z)) / gamma
  to.grad = (weight * s) / c
  // Above 1/2 without the difference of 2 and gamma S
  const hess = (weight * (isLow ? bend + s * (2 - gamma * s) : (s / p) * (gamma * sigmoid(-z) + p - c))) / c / c
  // What a positive adds is larger still, and infinite before this is
  to.hess = p > 0 ? Math.max(-Number.MAX_VALUE, hess) : hess
}

/** Target 0: w softplus(z) / gamma with z = gamma x - beta. */
function asNegative(x: number, weight: number, gamma: number, beta: number, to: Derivatives): void {
  const z = gamma * x - beta
  const s = sigmoid(z)
  // Where gamma x leaves the range of numbers, the loss is x itself
  to.value = times(weight, z === Infinity ? x : softplus(z) / gamma)
  to.grad = weight * s
  to.hess = weight * gamma * s * sigmoid(-z)
}
