/** Sigmoid focal loss: every logit is a yes-or-no question of its own (Lin et al. 2017, arXiv:1708.02002). */
import type { Logits, SameKind, Targets } from '../arrays.js'
import { FocalLossBase, type Reduced } from '../loss.js'
import type { FocalOptions, OptionRules, Reduction, SoftTargets } from '../options.js'
import { type HessCall, methods } from '../problem.js'
import { type Derivatives, type ElementFormula, sigmoid, softplus } from './formula.js'

export interface SigmoidFocalOptions<R extends Reduction = Reduction> extends FocalOptions<R> {
  /** Balance, from 0 to 1: positives weigh `alpha`, negatives `1 - alpha`. Default 0.25; `null` switches it off. */
  alpha?: FocalOptions['alpha']
  /**
   * How a label y between 0 and 1 enters. 'linear' (default; torchvision, Optax, Keras, Paddle): cross entropy times
   * `(1 - p_t)^gamma` with `1 - p_t = y (1 - p) + (1 - y) p`. 'mixture' (Kornia): `y L(1) + (1 - y) L(0)`.
   */
  softTargets?: SoftTargets
}

export const sigmoidFocalRules: OptionRules = {
  loss: 'SigmoidFocalLoss',
  defaultAlpha: 0.25,
  largestAlpha: 1,
  softTargets: true,
}

/**
 * The focal loss on logits, `alpha_t (1 - p_t)^gamma (-log p_t)` with `p = sigmoid(x)`: equations 4 and 5 of Lin et al.,
 * "Focal Loss for Dense Object Detection", 2017, arXiv:1708.02002. `gamma: 0, alpha: null` is binary cross entropy.
 *
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one label from 0 to 1 per logit, or one
 * class index per row, which makes that class's logit positive and the row's others negative.
 */
export class SigmoidFocalLoss<R extends Reduction = 'mean'> extends FocalLossBase<R> {
  /** Throws a TypeError or RangeError that names the option, what was expected and what came. */
  constructor(options: SigmoidFocalOptions<R> = {}) {
    super(options, sigmoidFocalRules, sigmoidFocal)
  }

  /**
   * Loss, gradient and the diagonal of the Hessian of the reduced loss (with 'none': of the sum), in one pass. The
   * second derivative is exact, and negative for badly wrong elements.
   *
   * @returns `grad` and `hess`, as long as the logits: `call.grad` and `call.hess`, or new arrays.
   */
  valueGradAndHess<A extends Logits>(
    logits: A,
    targets: Targets,
    call: HessCall<A> = {},
  ): { value: Reduced<R, A>; grad: SameKind<A>; hess: SameKind<A> } {
    const { value, grad, hess } = this.compute(methods.valueGradAndHess, logits, targets, call)
    return { value: value as Reduced<R, A>, grad: grad as SameKind<A>, hess: hess as SameKind<A> }
  }
}

/** The definition, in double precision. */
const sigmoidFocal: ElementFormula = {
  name: 'sigmoid',
  code: 0,
  perRow: false,
  element(x, y, positive, negative, options, to) {
    if (y === 0) asNegative(x, negative, options.gamma, to)
    else if (y === 1) asPositive(x, positive, options.gamma, to)
    else if (options.softTargets === 'mixture') mixture(x, y, positive, negative, options.gamma, to)
    else linear(x, y, positive, negative, options.gamma, to)
  },
}

/** Target 0: s = sigmoid(x) = 1 - p_t, and the loss is w s^gamma softplus(x). */
function asNegative(x: number, weight: number, gamma: number, to: Derivatives): void {
  const s = sigmoid(x)
  const c = sigmoid(-x)
  const crossEntropy = softplus(x)
  const modulated = weight * Math.pow(s, gamma)
  const gain = gamma * times(c, crossEntropy)
  to.value = times(modulated, crossEntropy)
  to.grad = modulated * (gain + s)
  to.hess = modulated * (gain * (gamma * c - s) + (2 * gamma + 1) * s * c)
}

/** Target 1 is target 0 seen in the mirror. */
function asPositive(x: number, weight: number, gamma: number, to: Derivatives): void {
  asNegative(-x, weight, gamma, to)
  to.grad = -to.grad
}

function mixture(x: number, y: number, positive: number, negative: number, gamma: number, to: Derivatives): void {
  asPositive(x, y * positive, gamma, to)
  const { value, grad, hess } = to
  asNegative(x, (1 - y) * negative, gamma, to)
  to.value += value
  to.grad += grad
  to.hess += hess
}

/** q = 1 - p_t = y (1 - p) + (1 - y) p, and the loss is w q^gamma times cross entropy; r = q' / q. */
function linear(x: number, y: number, positive: number, negative: number, gamma: number, to: Derivatives): void {
  const s = sigmoid(x)
  const c = sigmoid(-x)
  const q = y * c + (1 - y) * s
  const crossEntropy = y * softplus(-x) + (1 - y) * softplus(x)
  const slope = (1 - y) * s - y * c
  const r = ((1 - 2 * y) * s * c) / q
  const gain = gamma * times(r, crossEntropy)
  const modulated = (y * positive + (1 - y) * negative) * Math.pow(q, gamma)
  to.value = times(modulated, crossEntropy)
  to.grad = modulated * (gain + slope)
  to.hess = modulated * (gain * ((gamma - 1) * r + c - s) + 2 * gamma * r * slope + s * c)
}

/** A product in which zero wins over infinity: factors vanish faster than cross entropy grows. */
function times(factor: number, crossEntropy: number): number {
  return factor === 0 && crossEntropy === Infinity ? 0 : factor * crossEntropy
}
