/** Sigmoid focal loss: each logit is a binary classification (Lin et al. 2017, arXiv:1708.02002). */
import { oneOf } from '../arguments.js'
import type { ElementFormula, SoftTargets } from '../formulas/formula.js'
import { sigmoidFocal } from '../formulas/sigmoid_focal.js'
import { sigmoidGeneral } from '../formulas/sigmoid_general.js'
import { type FocalOptions, type FocalResolved, focalRules, optional, type OptionRules, perClass, type PerClass, type Reduction } from '../problem/options.js'
import { ElementwiseLoss } from './elementwise.js'
import { outOfRange, surplus } from '../errors.js'

/** Options of {@link SigmoidFocalLoss}. `undefined` means the default. */
export interface SigmoidFocalOptions<R extends Reduction = Reduction> extends FocalOptions<R> {
  /** Alpha balancing, from 0 to 1: multiplies positives by `alpha` and negatives by `1 - alpha`. Default 0.25; `null` switches it off. */
  alpha?: FocalOptions['alpha']
  /**
   * Multiplies the loss of positives: a weight >= 0, or one per class, in addition to `alpha` and `classWeights`. Default `null`:
   * none. With `gamma: 0, alpha: null` it is the `pos_weight` of PyTorch's
   * `BCEWithLogitsLoss`; for labels between 0 and 1 that is `softTargets: 'mixture'`.
   */
  posWeight?: PerClass | null | undefined
  /**
   * How the loss of a label y between 0 and 1 is defined. 'linear' (default; torchvision, Optax, Keras, Paddle): cross entropy times
   * `(1 - p_t)^gamma` with `1 - p_t = y (1 - p) + (1 - y) p`. 'mixture' (Kornia): `y L(1) + (1 - y) L(0)`.
   */
  softTargets?: SoftTargets | undefined
  /**
   * What `labelSmoothing` applies to. 'target' (default): the target, before everything else. 'cross-entropy' (NVIDIA apex): only the
   * target of the cross entropy; the modulating factor and alpha use the original target.
   */
  labelSmoothingOf?: 'target' | 'cross-entropy' | undefined
}

/** Its own options, with defaults filled in. */
export interface SigmoidFocalResolved extends FocalResolved {
  /** See {@link SigmoidFocalOptions.posWeight}. An array is a copy, and frozen. */
  readonly posWeight: number | readonly number[] | null
  /** See {@link SigmoidFocalOptions.softTargets}. */
  readonly softTargets: SoftTargets
  /** See {@link SigmoidFocalOptions.labelSmoothingOf}. */
  readonly labelSmoothingOf: 'target' | 'cross-entropy'
}

export const sigmoidFocalRules: OptionRules<SigmoidFocalResolved> = {
  loss: 'SigmoidFocalLoss',
  own: { ...focalRules(0.25, 1), posWeight: optional(null, (given) => perClass('posWeight', given, Infinity)), softTargets: optional('linear', (given) => oneOf('softTargets', given, ['linear', 'mixture'])), labelSmoothingOf: optional('target', (given) => oneOf('labelSmoothingOf', given, ['target', 'cross-entropy'])) },
  balance: (alpha) => [alpha, 1 - alpha],
  parameters: ({ gamma, alpha, posWeight, labelSmoothing, softTargets, labelSmoothingOf }) => ({
    gamma,
    alpha,
    posWeight,
    softTargets,
    ...(labelSmoothingOf === 'target' ? { labelSmoothing } : { beta: labelSmoothing }),
  }),
}

/** Options are checked by the base. */
function formulaFor(options: SigmoidFocalOptions): ElementFormula {
  const { gamma, labelSmoothing = 0, labelSmoothingOf } = { ...options }
  return typeof gamma === 'object' || (labelSmoothingOf === 'cross-entropy' && labelSmoothing !== 0) ? sigmoidGeneral : sigmoidFocal
}

export interface SigmoidFocalLoss<R extends Reduction = Reduction> extends ElementwiseLoss<R, SigmoidFocalResolved> {}

/**
 * The focal loss on logits, `alpha_t (1 - p_t)^gamma (-log p_t)` with `p = sigmoid(x)`: equations 4 and 5 of Lin et al.,
 * "Focal Loss for Dense Object Detection", 2017, arXiv:1708.02002. `gamma: 0, alpha: null` is binary cross entropy.
 *
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one label from 0 to 1 per logit, or one
 * class index per row, which makes that class's logit positive and the other logits of the row negative.
 *
 * @example
 * ```js
 * import { SigmoidFocalLoss } from 'focal-loss'
 *
 * const loss = new SigmoidFocalLoss({ gamma: 2, alpha: 0.25 })
 * const { value, grad } = loss.valueAndGrad(new Float32Array([2.2, -1.4, 0.3, -3.1]), [1, 0, 1, 0])
 * console.log(value, grad[1]) // 0.00797 and 0.00405
 * ```
 *
 * @class
 */
export const SigmoidFocalLoss: {
  /** Throws a TypeError or RangeError that names the option, the expected value and the actual value. */
  new <R extends Reduction = 'mean'>(options?: SigmoidFocalOptions<R>): SigmoidFocalLoss<R>
  readonly prototype: SigmoidFocalLoss
} = class SigmoidFocalLoss<R extends Reduction> extends ElementwiseLoss<R, SigmoidFocalResolved> {
  constructor(options: SigmoidFocalOptions<R> = {}) {
    if (arguments.length > 1) throw surplus('new SigmoidFocalLoss()', 1, arguments.length)
    super(options, sigmoidFocalRules, formulaFor(options))
    const { gamma, softTargets, labelSmoothingOf } = this.options
    if (softTargets === 'linear' || (typeof gamma === 'number' && labelSmoothingOf === 'target')) return
    throw outOfRange('softTargets', softTargets, "'linear', as gamma is one per class or labelSmoothingOf is 'cross-entropy'")
  }
}
