/** Distribution focal loss: a number between 0 and n, such as the distance to a side of a box, as a distribution over n + 1 bins. */
import { outOfRange, surplus } from '../errors.js'
import { distributionFocal } from '../formulas/distribution_focal.js'
import type { LossOptions, OptionRules, Reduction } from '../problem/options.js'
import { FocalLossBase } from './base.js'

/** What {@link DistributionFocalLoss} takes. `undefined` means the default. */
export interface DistributionFocalOptions<R extends Reduction = Reduction> extends Omit<LossOptions<R>, 'background'> {
  /** Positions with this value are ignored: an integer outside of 0 to n, or NaN. Default `null`: none. */
  ignoreIndex?: number | null | undefined
}

const distributionFocalRules: OptionRules<object> = {
  loss: 'DistributionFocalLoss',
  own: {},
  parameters: () => ({ positionTargets: true }),
}

export interface DistributionFocalLoss<R extends Reduction = Reduction> extends FocalLossBase<R> {}

/**
 * The cross entropy of the softmax of a row with the two bins beside a position y, weighed by how near each is:
 * `-((i + 1 - y) log p_i + (y - i) log p_(i+1))` with `i = floor(y)`: Li et al., "Generalized Focal Loss", 2020,
 * arXiv:2006.04388, equation 6. It is least where the row's mean, `sum_i i p_i`, is y and no other bin has a share.
 *
 * Logits: rows of n + 1 bins. Targets: one position per row, a real number from 0 to n, in any array of the host. What rows are, `weights`,
 * `mask` and reductions are those of {@link SoftmaxFocalLoss}; `classWeights` are weights of bins, and every valid row counts as a positive. Labels
 * are made of positions on the host, one number per logit. There is no `background`, and no `targetKind`.
 *
 * @class
 */
export const DistributionFocalLoss: {
  /** Throws a TypeError or RangeError that names the option, what was expected and what came. */
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
