/** Heatmap focal loss: keypoints and object centres as peaks of a map, with less blame for what lies near a peak. */
import { heatmapFocal } from '../formulas/heatmap_focal.js'
import { number } from '../arguments.js'
import { outOfRange } from '../errors.js'
import { type LossOptions, numberOption, optional, type OptionRules, type Reduction } from '../problem/options.js'
import { ElementwiseLoss } from './elementwise.js'
import { surplus } from '../errors.js'

/** What {@link HeatmapFocalLoss} takes. `undefined` means the default. */
export interface HeatmapFocalOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Focusing, a finite number >= 0 (the papers' alpha). Default 2. */
  gamma?: number | undefined
  /** How fast the blame fades near a peak, a finite number >= 0: negatives weigh `(1 - y)^beta`. Default 4. */
  beta?: number | undefined
  /**
   * The least target that is a peak, above 0 and at most 1; it and those above count as 1. Default 1. Maps that were stored in half
   * precision, resized or mixed have peaks of 0.9995, say, which by default are negatives: `sums(logits, targets).positives` is 0 then.
   */
  positiveFrom?: number | undefined
}

/** The options of its own, defaults filled in. */
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
 * @class
 */
export const HeatmapFocalLoss: {
  /** Throws a TypeError or RangeError that names the option, what was expected and what came. */
  new <R extends Reduction = 'mean'>(options?: HeatmapFocalOptions<R>): HeatmapFocalLoss<R>
  readonly prototype: HeatmapFocalLoss
} = class HeatmapFocalLoss<R extends Reduction> extends ElementwiseLoss<R, HeatmapFocalResolved> {
  constructor(options: HeatmapFocalOptions<R> = {}) {
    if (arguments.length > 1) throw surplus('new HeatmapFocalLoss()', 1, arguments.length)
    super(options, heatmapFocalRules, heatmapFocal)
  }
}
