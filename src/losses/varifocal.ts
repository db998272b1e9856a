/** Varifocal loss: a score that ranks detections, its few positives weighed by their quality, its negatives focal. */
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

/** What {@link VarifocalLoss} takes. `undefined` means the default. */
export interface VarifocalOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Focusing of negatives, a finite number >= 0. Default 2. */
  gamma?: number | undefined
  /** Weight >= 0 of negatives; positives weigh their label. Default 0.75; `null` is 1. */
  alpha?: PerClass | null | undefined
  /**
   * Differentiate as if `p^gamma` were a constant, as RT-DETR does, which weighs by a detached score: the gradient is then not
   * that of the value. Default `false`.
   */
  constantModulator?: boolean | undefined
}

/** The options of its own, defaults filled in. */
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
 * @class
 */
export const VarifocalLoss: {
  /** Throws a TypeError or RangeError that names the option, what was expected and what came. */
  new <R extends Reduction = 'mean'>(options?: VarifocalOptions<R>): VarifocalLoss<R>
  readonly prototype: VarifocalLoss
} = class VarifocalLoss<R extends Reduction> extends ElementwiseLoss<R, VarifocalResolved> {
  constructor(options: VarifocalOptions<R> = {}) {
    if (arguments.length > 1) throw surplus('new VarifocalLoss()', 1, arguments.length)
    super(options, varifocalRules, varifocal)
  }
}
