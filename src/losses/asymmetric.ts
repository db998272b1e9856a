/** Asymmetric loss: separate focusing parameters for positives and negatives, and no loss for negatives below a margin. */
import { number } from '../arguments.js'
import { surplus } from '../errors.js'
import { asymmetric } from '../formulas/asymmetric.js'
import { flagOption, type LossOptions, numberOption, optional, type OptionRules, type Reduction } from '../problem/options.js'
import { ElementwiseLoss } from './elementwise.js'

/** Options of {@link AsymmetricLoss}. `undefined` means the default. */
export interface AsymmetricOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Focusing parameter of positives, a finite number >= 0. Default 1. */
  gammaPositive?: number | undefined
  /** Focusing parameter of negatives, a finite number >= 0. Default 4. */
  gammaNegative?: number | undefined
  /** Negatives with a probability up to this have no loss: from 0 to 0.99. Default 0.05. */
  margin?: number | undefined
  /**
   * Treat the modulating factors as constants in the gradient, as the authors' `disable_torch_grad_focal_loss` does. The
   * gradient is then not that of the value. Default `false`.
   */
  constantModulator?: boolean | undefined
  /** Label smoothing factor e, from 0 to 1: y becomes y (1 - e) + e / 2. Default 0. */
  labelSmoothing?: number | undefined
}

/** Its own options, with defaults filled in. */
export interface AsymmetricResolved {
  /** See {@link AsymmetricOptions.gammaPositive}. */
  readonly gammaPositive: number
  /** See {@link AsymmetricOptions.gammaNegative}. */
  readonly gammaNegative: number
  /** See {@link AsymmetricOptions.margin}. */
  readonly margin: number
  /** See {@link AsymmetricOptions.constantModulator}. */
  readonly constantModulator: boolean
  /** See {@link AsymmetricOptions.labelSmoothing}. */
  readonly labelSmoothing: number
}

const asymmetricRules: OptionRules<AsymmetricResolved> = {
  loss: 'AsymmetricLoss',
  own: {
    gammaPositive: numberOption('gammaPositive', 1),
    gammaNegative: numberOption('gammaNegative', 4),
    margin: optional(0.05, (given) => number('margin', given, 0, 0.99)),
    constantModulator: flagOption('constantModulator'),
    labelSmoothing: numberOption('labelSmoothing', 0, 1),
  },
  parameters: ({ gammaPositive: gamma, ...others }) => ({
    gamma,
    gammaNegative: others.gammaNegative,
    margin: others.margin,
    constantModulator: others.constantModulator,
    labelSmoothing: others.labelSmoothing,
  }),
}

export interface AsymmetricLoss<R extends Reduction = Reduction> extends ElementwiseLoss<R, AsymmetricResolved> {}

/**
 * `(1 - p)^gammaPositive (-log p)` for a positive; `p_m^gammaNegative (-log(1 - p_m))` with `p_m = max(p - margin, 0)` for a
 * negative; `p = sigmoid(x)`: Ridnik et al., "Asymmetric Loss For Multi-Label Classification", 2021, arXiv:2009.14119,
 * equations 4 to 7. The authors sum the losses: `reduction: 'sum'`.
 *
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one label from 0 to 1 per logit, soft labels
 * as `y L(1) + (1 - y) L(0)`, or one class index per row.
 *
 * @example
 * ```js
 * import { AsymmetricLoss } from 'focal-loss'
 *
 * const loss = new AsymmetricLoss({ gammaPositive: 1, gammaNegative: 4 })
 * const { value, grad } = loss.valueAndGrad(new Float32Array([2.2, -1.4, 0.3, -3.1]), [1, 0, 1, 0])
 * console.log(value, grad[2]) // 0.0616 and -0.0792
 * ```
 *
 * @class
 */
export const AsymmetricLoss: {
  /** Throws a TypeError or RangeError that names the option, the expected value and the actual value. */
  new <R extends Reduction = 'mean'>(options?: AsymmetricOptions<R>): AsymmetricLoss<R>
  readonly prototype: AsymmetricLoss
} = class AsymmetricLoss<R extends Reduction> extends ElementwiseLoss<R, AsymmetricResolved> {
  constructor(options: AsymmetricOptions<R> = {}) {
    if (arguments.length > 1) throw surplus('new AsymmetricLoss()', 1, arguments.length)
    super(options, asymmetricRules, asymmetric)
  }
}
