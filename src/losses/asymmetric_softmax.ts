/** Asymmetric loss over a softmax: one class of several, the true one and the others focused apart. */
import { outOfRange, surplus } from '../errors.js'
import { asymmetricSoftmax } from '../formulas/asymmetric_softmax.js'
import { type LossOptions, numberOption, type OptionRules, type Reduction } from '../problem/options.js'
import { FocalLossBase } from './base.js'

/** What {@link AsymmetricSoftmaxLoss} takes. `undefined` means the default. */
export interface AsymmetricSoftmaxOptions<R extends Reduction = Reduction> extends Omit<LossOptions<R>, 'inputs'> {
  /** Focusing of the row's class, a finite number >= 0. Default 0. */
  gammaPositive?: number | undefined
  /** Focusing of the other classes, a finite number >= 0. They cost something where there is label smoothing. Default 4. */
  gammaNegative?: number | undefined
  /** From 0 to 1: label smoothing factor of the cross entropy; the modulating factors keep the class. Default 0.1. */
  labelSmoothing?: number | undefined
}

/** The options of its own, defaults filled in. */
export interface AsymmetricSoftmaxResolved {
  /** See {@link AsymmetricSoftmaxOptions.gammaPositive}. */
  readonly gammaPositive: number
  /** See {@link AsymmetricSoftmaxOptions.gammaNegative}. */
  readonly gammaNegative: number
  /** See {@link AsymmetricSoftmaxOptions.labelSmoothing}. */
  readonly labelSmoothing: number
}

const asymmetricSoftmaxRules: OptionRules<AsymmetricSoftmaxResolved> = {
  loss: 'AsymmetricSoftmaxLoss',
  own: {
    gammaPositive: numberOption('gammaPositive', 0),
    gammaNegative: numberOption('gammaNegative', 4),
    labelSmoothing: numberOption('labelSmoothing', 0.1, 1),
  },
  parameters: ({ gammaPositive: gamma, gammaNegative, labelSmoothing }) => ({ gamma, gammaNegative, labelSmoothing }),
}

export interface AsymmetricSoftmaxLoss<R extends Reduction = Reduction> extends FocalLossBase<R, AsymmetricSoftmaxResolved> {}

/**
 * Over the softmax p of a row of class t, `(1 - e + e / C) (1 - p_t)^gammaPositive (-log p_t)` and for each other class
 * `(e / C) p_c^gammaNegative (-log p_c)`, with e the label smoothing: the `ASLSingleLabel` of the authors of Ridnik et al., "Asymmetric
 * Loss For Multi-Label Classification", 2021, arXiv:2009.14119.
 *
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one class index per row. What rows are, `weights`, `mask`,
 * `background` and reductions are those of {@link SoftmaxFocalLoss}. `toProbability` and `priorBias` need a label smoothing of 0. It runs at
 * the speed of the plain backend.
 *
 * @class
 */
export const AsymmetricSoftmaxLoss: {
  /** Throws a TypeError or RangeError that names the option, what was expected and what came. */
  new <R extends Reduction = 'mean'>(options?: AsymmetricSoftmaxOptions<R>): AsymmetricSoftmaxLoss<R>
  readonly prototype: AsymmetricSoftmaxLoss
} = class AsymmetricSoftmaxLoss<R extends Reduction> extends FocalLossBase<R, AsymmetricSoftmaxResolved> {
  constructor(options: AsymmetricSoftmaxOptions<R> = {}) {
    if (arguments.length > 1) throw surplus('new AsymmetricSoftmaxLoss()', 1, arguments.length)
    super(options, asymmetricSoftmaxRules, asymmetricSoftmax)
    const { inputs } = this.options
    if (inputs !== 'logits') throw outOfRange('inputs', inputs, "'logits', as an asymmetric loss over a softmax takes no probabilities")
  }
}
