/** Heatmap focal loss: keypoints and object centres as peaks of a map, with less blame for what lies near a peak. */
import { ElementwiseLoss } from '../elementwise_loss.js'
import { type LossOptions, numberOption, type OptionRules, type Reduction } from '../options.js'
import { asNegative, asPositive, type ElementFormula } from './formula.js'
import { probabilityAsNegative, probabilityAsPositive } from './probability.js'

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

/** The definition, in double precision. */
const heatmapFocal: ElementFormula = {
  name: 'heatmap-focal',
  code: 5,
  positiveFrom: 1,
  perRow: false,
  element(x, y, positive, negative, { gamma, beta }, to) {
    if (y === 1) asPositive(x, positive, gamma, to)
    else asNegative(x, negative * fading(y, beta), gamma, to)
  },
  probability(p, y, positive, negative, { gamma, beta }, to) {
    if (y === 1) probabilityAsPositive(p, 1 - p, positive, gamma, to)
    else probabilityAsNegative(p, 1 - p, negative * fading(y, beta), gamma, to)
  },
}

/** What a negative weighs beside a peak; NaN to the power of 0 would be 1. */
function fading(y: number, beta: number): number {
  return Number.isNaN(y) ? NaN : Math.pow(1 - y, beta)
}
