/** Varifocal loss: a score that ranks detections, its few positives weighed by their quality, its negatives focal. */
import { ElementwiseLoss } from '../elementwise_loss.js'
import {
  alphaOption,
  type FocalResolved,
  type LossOptions,
  numberOption,
  type OptionRules,
  type PerClass,
  type Reduction,
} from '../options.js'
import { asNegative, crossEntropy, type ElementFormula, sigmoid } from './formula.js'
import { probabilityAsNegative, probabilityAsPositive, probabilityCrossEntropy } from './probability.js'

/** What {@link VarifocalLoss} takes. `undefined` means the default. */
export interface VarifocalOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Focusing of negatives, a finite number >= 0. Default 2. */
  gamma?: number
  /** Weight >= 0 of negatives; positives weigh their label. Default 0.75; `null` is 1. */
  alpha?: PerClass | null
}

/** The options of its own, defaults filled in. */
export type VarifocalResolved = Pick<FocalResolved, 'gamma' | 'alpha'>

const varifocalRules: OptionRules<VarifocalResolved> = {
  loss: 'VarifocalLoss',
  own: { gamma: numberOption('gamma', 2), alpha: alphaOption(0.75, Infinity) },
  balance: (alpha) => [1, alpha],
  parameters: ({ gamma, alpha }) => ({ gamma, alpha }),
}

/**
 * `y` times the binary cross entropy of `p = sigmoid(x)` and y for a label y > 0, and `alpha p^gamma (-log(1 - p))` for
 * y = 0: Zhang et al., "VarifocalNet", 2021, arXiv:2008.13367, equation 2. 'mean-positives' counts labels above 0.
 *
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one label from 0 to 1 per logit, such as
 * the IoU of a predicted box, or one class index per row.
 */
export class VarifocalLoss<R extends Reduction = 'mean'> extends ElementwiseLoss<R, VarifocalResolved> {
  /** Throws a TypeError or RangeError that names the option, what was expected and what came. */
  constructor(options: VarifocalOptions<R> = {}) {
    super(options, varifocalRules, varifocal)
  }
}

/** The definition, in double precision. */
const varifocal: ElementFormula = {
  name: 'varifocal',
  code: 4,
  // The least number above 0 that float32 has
  positiveFrom: 2 ** -149,
  perRow: false,
  element(x, y, positive, negative, { gamma }, to) {
    if (y === 0) {
      asNegative(x, negative, gamma, to)
      return
    }
    const s = sigmoid(x)
    const c = sigmoid(-x)
    const weight = y * positive
    to.value = weight * crossEntropy(x, y)
    to.grad = weight * ((1 - y) * s - y * c)
    to.hess = weight * s * c
  },
  probability(p, y, positive, negative, { gamma }, to) {
    if (y === 0) probabilityAsNegative(p, 1 - p, negative, gamma, to)
    else if (y === 1) probabilityAsPositive(p, 1 - p, positive, 0, to)
    else probabilityCrossEntropy(p, y, y * positive, to)
  },
}
