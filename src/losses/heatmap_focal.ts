/** Heatmap focal loss: keypoints and object centres as peaks of a map, with less blame for what lies near a peak. */
import { heatmapFocal } from '../formulas/heatmap_focal.js'
import { type LossOptions, numberOption, type OptionRules, type Reduction } from '../problem/options.js'
import { ElementwiseLoss } from './elementwise.js'

/** What {@link HeatmapFocalLoss} takes. `undefined` means the default. */
export interface HeatmapFocalOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Focusing, a finite number >= 0 (the papers' alpha). Default 2. */
  gamma?: number
  /** How fast the blame fades near a peak, a finite number >= 0: negatives weigh `(1 - y)^beta`. Default 4. */
  beta?: number
}

/** The options of its own, defaults filled in. */
export type HeatmapFocalResolved = Readonly<Required<Omit<HeatmapFocalOptions, keyof LossOptions>>>

const heatmapFocalRules: OptionRules<HeatmapFocalResolved> = {
  loss: 'HeatmapFocalLoss',
  own: { gamma: numberOption('gamma', 2), beta: numberOption('beta', 4) },
  parameters: ({ gamma, beta }) => ({ gamma, beta }),
}

/**
 * `(1 - p)^gamma (-log p)` where y = 1 and `(1 - y)^beta p^gamma (-log(1 - p))` elsewhere, `p = sigmoid(x)`: Law and Deng,
 * "CornerNet", 2018, arXiv:1808.01244, equation 1; Zhou et al., "Objects as Points", 2019, arXiv:1904.07850.
 * The papers divide by the number of peaks: `reduction: 'mean-positives'`, which counts only targets of exactly 1.
 *
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one number from 0 to 1 per logit, usually
 * Gaussians around the peaks, or one class index per row.
 */
export class HeatmapFocalLoss<R extends Reduction = 'mean'> extends ElementwiseLoss<R, HeatmapFocalResolved> {
  /** Throws a TypeError or RangeError that names the option, what was expected and what came. */
  constructor(options: HeatmapFocalOptions<R> = {}) {
    super(options, heatmapFocalRules, heatmapFocal)
  }
}
