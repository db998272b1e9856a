/** Asymmetric loss over a softmax: one class of several, with separate focusing parameters for the true class and the others. */
import { outOfRange, surplus } from '../errors.js'
import { asymmetricSoftmax } from '../formulas/asymmetric_softmax.js'
import { type LossOptions, numberOption, type OptionRules, type Reduction } from '../problem/options.js'
import { FocalLossBase } from './base.js'

/** Options of {@link AsymmetricSoftmaxLoss}. `undefined` means the default. */
export interface AsymmetricSoftmaxOptions<R extends Reduction = Reduction> extends Omit<LossOptions<R>, 'inputs'> {
  /** Focusing parameter of the true class, a finite number >= 0. Default 0. */
  gammaPositive?: number | undefined
  /** Focusing parameter of the other classes, a finite number >= 0. They have a loss only with label smoothing. Default 4. */
  gammaNegative?: number | undefined
  /** From 0 to 1: label smoothing factor of the cross entropy; the modulating factors use the hard label. Default 0.1. */
  labelSmoothing?: number | undefined
}

/** Its own options, with defaults filled in. */
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
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one class index per row. Rows, `weights`, `mask`,
 * `background` and reductions are as in {@link SoftmaxFocalLoss}. `toProbability` and `priorBias` need a label smoothing of 0.
 *
 * @example
 * ```js
 * import { AsymmetricSoftmaxLoss } from 'focal-loss'
 *
 * const loss = new AsymmetricSoftmaxLoss({ labelSmoothing: 0.1 })
 * const { value, grad } = loss.valueAndGrad(new Float32Array([2, 0.5, -1, 0, 0.3, 1]), Int32Array.of(0, 1), { shape: [2, 3] })
 * console.log(value, grad[4]) // 0.731 and -0.343
 * ```
 *
 * @class
 */
export const AsymmetricSoftmaxLoss: {
  /** Throws a TypeError or RangeError that names the option, the expected value and the actual value. */
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
