/** Heatmap focal loss: for keypoints and object centres as peaks of a map. Negatives near a peak are down-weighted. */
import { heatmapFocal } from '../formulas/heatmap_focal.js'
import { number } from '../arguments.js'
import { outOfRange } from '../errors.js'
import { type LossOptions, numberOption, optional, type OptionRules, type Reduction } from '../problem/options.js'
import { ElementwiseLoss } from './elementwise.js'
import { surplus } from '../errors.js'

/** Options of {@link HeatmapFocalLoss}. `undefined` means the default. */
export interface HeatmapFocalOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Focusing parameter, a finite number >= 0 (the papers' alpha). Default 2. */
  gamma?: number | undefined
  /** Down-weighting near a peak, a finite number >= 0: multiplies negatives by `(1 - y)^beta`. Default 4. */
  beta?: number | undefined
  /**
   * The smallest target that is a peak, above 0 and at most 1; targets from there on count as 1. Default 1. Maps that were stored in
   * half precision, resized or mixed may have peaks such as 0.9995, which by default are negatives: then `sums(logits, targets).positives` is 0.
   */
  positiveFrom?: number | undefined
}

/** Its own options, with defaults filled in. */
export interface HeatmapFocalResolved {
  /** See {@link HeatmapFocalOptions.gamma}. */
  readonly gamma: number
  /** See {@link HeatmapFocalOptions.beta}. */
  readonly beta: number
  /** See {@link HeatmapFocalOptions.positiveFrom}. */
  readonly positiveFrom: number
}

/** Whatever the targets' type, more than 0 in it. */
const LEAST_PEAK = 1e-4

const heatmapFocalRules: OptionRules<HeatmapFocalResolved> = {
  loss: 'HeatmapFocalLoss',
  own: {
    gamma: numberOption('gamma', 2),
    beta: numberOption('beta', 4),
    positiveFrom: optional(1, (given) => {
      const least = number('positiveFrom', given, 0, 1)
      if (least < LEAST_PEAK) throw outOfRange('positiveFrom', given, `a number from ${LEAST_PEAK} to 1`)
      return least
    }),
  },
  parameters: ({ gamma, beta, positiveFrom }) => ({ gamma, beta, positiveFrom, oneFrom: positiveFrom }),
}

export interface HeatmapFocalLoss<R extends Reduction = Reduction> extends ElementwiseLoss<R, HeatmapFocalResolved> {}

/**
 * `(1 - p)^gamma (-log p)` where y = 1 and `(1 - y)^beta p^gamma (-log(1 - p))` elsewhere, `p = sigmoid(x)`: Law and Deng,
 * "CornerNet", 2018, arXiv:1808.01244, equation 1; Zhou et al., "Objects as Points", 2019, arXiv:1904.07850.
 * The papers divide by the number of peaks: `reduction: 'mean-positives'`, which counts targets of `positiveFrom` (by default of exactly 1) and above.
 *
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one number from 0 to 1 per logit, usually
 * Gaussians around the peaks, or one class index per row.
 *
 * @example
 * ```js
 * import { HeatmapFocalLoss } from 'focal-loss'
 *
 * const loss = new HeatmapFocalLoss({ reduction: 'mean-positives' })
 * const { value, grad } = loss.valueAndGrad(new Float32Array([2.2, -1.4, 0.3, -3.1]), [1, 0.6, 0.1, 0])
 * console.log(value, grad[2]) // 0.186 and 0.282
 * ```
 *
 * @class
 */
export const HeatmapFocalLoss: {
  /** Throws a TypeError or RangeError that names the option, the expected value and the actual value. */
  new <R extends Reduction = 'mean'>(options?: HeatmapFocalOptions<R>): HeatmapFocalLoss<R>
  readonly prototype: HeatmapFocalLoss
} = class HeatmapFocalLoss<R extends Reduction> extends ElementwiseLoss<R, HeatmapFocalResolved> {
  constructor(options: HeatmapFocalOptions<R> = {}) {
    if (arguments.length > 1) throw surplus('new HeatmapFocalLoss()', 1, arguments.length)
    super(options, heatmapFocalRules, heatmapFocal)
  }
}
