/** Varifocal loss: for a score that ranks detections. Positives are weighted by their quality, negatives have a modulating factor. */
import { varifocal } from '../formulas/varifocal.js'
import {
  alphaOption,
  flagOption,
  type FocalResolved,
  type LossOptions,
  numberOption,
  type OptionRules,
  type PerClass,
  type Reduction,
} from '../problem/options.js'
import { ElementwiseLoss } from './elementwise.js'
import { surplus } from '../errors.js'

/** Options of {@link VarifocalLoss}. `undefined` means the default. */
export interface VarifocalOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Focusing parameter of negatives, a finite number >= 0. Default 2. */
  gamma?: number | undefined
  /** Weight >= 0 of negatives; the weight of a positive is its label. Default 0.75; `null` is 1. */
  alpha?: PerClass | null | undefined
  /**
   * Treat `p^gamma` as a constant in the gradient, as RT-DETR does, which uses a detached score as weight. The gradient is then not
   * that of the value. Default `false`.
   */
  constantModulator?: boolean | undefined
}

/** Its own options, with defaults filled in. */
export interface VarifocalResolved extends Pick<FocalResolved, 'alpha'> {
  /** See {@link VarifocalOptions.gamma}. */
  readonly gamma: number
  /** See {@link VarifocalOptions.constantModulator}. */
  readonly constantModulator: boolean
}

const varifocalRules: OptionRules<VarifocalResolved> = {
  loss: 'VarifocalLoss',
  own: { gamma: numberOption('gamma', 2), alpha: alphaOption(0.75, Infinity), constantModulator: flagOption('constantModulator') },
  balance: (alpha) => [1, alpha],
  parameters: ({ gamma, alpha, constantModulator }) => ({ gamma, alpha, constantModulator }),
}

export interface VarifocalLoss<R extends Reduction = Reduction> extends ElementwiseLoss<R, VarifocalResolved> {}

/**
 * `y` times the binary cross entropy of `p = sigmoid(x)` and y for a label y > 0, and `alpha p^gamma (-log(1 - p))` for
 * y = 0: Zhang et al., "VarifocalNet", 2021, arXiv:2008.13367, equation 2. 'mean-positives' counts labels above 0.
 *
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one label from 0 to 1 per logit, such as
 * the IoU of a predicted box, or one class index per row.
 *
 * @example
 * ```js
 * import { VarifocalLoss } from 'focal-loss'
 *
 * const loss = new VarifocalLoss({ alpha: 0.75, gamma: 2 })
 * const { value, grad } = loss.valueAndGrad(new Float32Array([2.2, -1.4, 0.3, -3.1]), [0.9, 0, 0.6, 0])
 * console.log(value, grad[2]) // 0.176 and -0.00383
 * ```
 *
 * @class
 */
export const VarifocalLoss: {
  /** Throws a TypeError or RangeError that names the option, the expected value and the actual value. */
  new <R extends Reduction = 'mean'>(options?: VarifocalOptions<R>): VarifocalLoss<R>
  readonly prototype: VarifocalLoss
} = class VarifocalLoss<R extends Reduction> extends ElementwiseLoss<R, VarifocalResolved> {
  constructor(options: VarifocalOptions<R> = {}) {
    if (arguments.length > 1) throw surplus('new VarifocalLoss()', 1, arguments.length)
    super(options, varifocalRules, varifocal)
  }
}
