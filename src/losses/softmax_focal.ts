/** Softmax focal loss: each row belongs to one of several classes. */
import { softmaxFocal } from '../formulas/softmax_focal.js'
import { flagOption, type FocalOptions, type FocalResolved, focalRules, type OptionRules, type Reduction } from '../problem/options.js'
import { FocalLossBase } from './base.js'
import { surplus } from '../errors.js'

/** Options of {@link SoftmaxFocalLoss}. `undefined` means the default. */
export interface SoftmaxFocalOptions<R extends Reduction = Reduction> extends FocalOptions<R> {
  /** Multiplies the loss of each class, >= 0: one number or one per class. There is no `1 - alpha` here. Default `null`: off. */
  alpha?: FocalOptions['alpha']
  /**
   * Whether rows of probabilities (`inputs: 'probabilities'`) are divided by their sums, as in Keras; the gradient includes the
   * division. Then a sum of 0 is a RangeError; otherwise a sum that differs from 1 by more than 1e-3 is. Default false.
   */
  renormalize?: boolean | undefined
}

/** Its own options, with defaults filled in. */
export interface SoftmaxFocalResolved extends FocalResolved {
  /** See {@link SoftmaxFocalOptions.renormalize}. */
  readonly renormalize: boolean
}

export const softmaxFocalRules: OptionRules<SoftmaxFocalResolved> = {
  loss: 'SoftmaxFocalLoss',
  own: { ...focalRules(null, Infinity), renormalize: flagOption('renormalize') },
  balance: (alpha) => [alpha, 1],
  parameters: ({ gamma, alpha, labelSmoothing, renormalize }) => ({ gamma, alpha, labelSmoothing, renormalize }),
}

export interface SoftmaxFocalLoss<R extends Reduction = Reduction> extends FocalLossBase<R, SoftmaxFocalResolved> {}

/**
 * The focal loss over the softmax of a row, `sum_c w_c y_c (1 - p_c)^gamma (-log p_c)`: Lin et al., "Focal Loss for
 * Dense Object Detection", 2017, arXiv:1708.02002, with p_t the softmax of the true class. `gamma: 0` is categorical
 * cross entropy. With reduction 'none' there is one loss per row, and 'mean' divides by the valid rows.
 *
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one class index per row, or one label
 * from 0 to 1 per logit (this needs `shape`). A row whose index is `background` has no loss, but counts. A `mask` with one
 * entry per logit removes classes from rows: docs/semantics.md.
 *
 * @example
 * ```js
 * import { SoftmaxFocalLoss } from 'focal-loss'
 *
 * const loss = new SoftmaxFocalLoss({ gamma: 2 })
 * const { value, grad } = loss.valueAndGrad(new Float32Array([2, 0.5, -1, 0, 0.3, 1]), Int32Array.of(0, 1), { shape: [2, 3] })
 * console.log(value, grad[4]) // 0.362 and -0.387
 * ```
 *
 * @class
 */
export const SoftmaxFocalLoss: {
  /** Throws a TypeError or RangeError that names the option, the expected value and the actual value. */
  new <R extends Reduction = 'mean'>(options?: SoftmaxFocalOptions<R>): SoftmaxFocalLoss<R>
  readonly prototype: SoftmaxFocalLoss
} = class SoftmaxFocalLoss<R extends Reduction> extends FocalLossBase<R, SoftmaxFocalResolved> {
  constructor(options: SoftmaxFocalOptions<R> = {}) {
    if (arguments.length > 1) throw surplus('new SoftmaxFocalLoss()', 1, arguments.length)
    super(options, softmaxFocalRules, softmaxFocal)
  }
}
