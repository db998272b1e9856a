/** Distribution focal loss: a number between 0 and n, such as the distance to a side of a box, as a distribution over n + 1 bins. */
import { outOfRange, surplus } from '../errors.js'
import { distributionFocal } from '../formulas/distribution_focal.js'
import type { LossOptions, OptionRules, Reduction } from '../problem/options.js'
import { FocalLossBase } from './base.js'

/** Options of {@link DistributionFocalLoss}. `undefined` means the default. */
export interface DistributionFocalOptions<R extends Reduction = Reduction> extends Omit<LossOptions<R>, 'background'> {
  /** Positions with this value are ignored: an integer outside 0 to n, or NaN. Default `null`: none. */
  ignoreIndex?: number | null | undefined
}

const distributionFocalRules: OptionRules<object> = {
  loss: 'DistributionFocalLoss',
  own: {},
  parameters: () => ({ positionTargets: true }),
}

export interface DistributionFocalLoss<R extends Reduction = Reduction> extends FocalLossBase<R> {}

/**
 * The cross entropy of the softmax of a row with the two bins beside a position y, weighted by how near each is:
 * `-((i + 1 - y) log p_i + (y - i) log p_(i+1))` with `i = floor(y)`: Li et al., "Generalized Focal Loss", 2020,
 * arXiv:2006.04388, equation 6. At its minimum the row's mean, `sum_i i p_i`, is y, and no other bin has a share.
 *
 * Logits: rows of n + 1 bins. Targets: one position per row, a real number from 0 to n, in an array in host memory. Rows, `weights`,
 * `mask` and reductions are as in {@link SoftmaxFocalLoss}; `classWeights` are weights of bins, and every valid row counts as a positive. Positions
 * are converted to labels on the host, one number per logit. There is no `background` and no `targetKind`.
 *
 * @example
 * ```js
 * import { DistributionFocalLoss } from 'focal-loss'
 *
 * const loss = new DistributionFocalLoss()
 * const { value, grad } = loss.valueAndGrad(new Float32Array([0, 1, 2, 0, 1, 0.5, 0, 0]), [1.7, 0.2], { shape: [2, 4] })
 * console.log(value, grad[4]) // 0.872 and -0.187
 * ```
 *
 * @class
 */
export const DistributionFocalLoss: {
  /** Throws a TypeError or RangeError that names the option, the expected value and the actual value. */
  new <R extends Reduction = 'mean'>(options?: DistributionFocalOptions<R>): DistributionFocalLoss<R>
  readonly prototype: DistributionFocalLoss
} = class DistributionFocalLoss<R extends Reduction> extends FocalLossBase<R> {
  constructor(options: DistributionFocalOptions<R> = {}) {
    if (arguments.length > 1) throw surplus('new DistributionFocalLoss()', 1, arguments.length)
    super(options, distributionFocalRules, distributionFocal)
    const { background } = this.options
    if (background !== null) throw outOfRange('background', background, 'null, as every position is between two bins')
  }
}
