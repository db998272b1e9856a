/** Quality focal loss: for a score that estimates a quality between 0 and 1, such as the IoU of a predicted box. */
import { qualityFocal } from '../formulas/quality_focal.js'
import { flagOption, type LossOptions, numberOption, type OptionRules, type Reduction } from '../problem/options.js'
import { ElementwiseLoss } from './elementwise.js'
import { surplus } from '../errors.js'

/** Options of {@link QualityFocalLoss}. `undefined` means the default. */
export interface QualityFocalOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Power of the distance between label and score, a finite number >= 0; 0 is cross entropy. Default 2. */
  beta?: number | undefined
  /**
   * Treat the modulating factor as a constant in the gradient, as a weight that is detached. The gradient is then not that of
   * the value. Default `false`.
   */
  constantModulator?: boolean | undefined
}

/** Its own options, with defaults filled in. */
export interface QualityFocalResolved {
  /** See {@link QualityFocalOptions.beta}. */
  readonly beta: number
  /** See {@link QualityFocalOptions.constantModulator}. */
  readonly constantModulator: boolean
}

const qualityFocalRules: OptionRules<QualityFocalResolved> = {
  loss: 'QualityFocalLoss',
  own: { beta: numberOption('beta', 2), constantModulator: flagOption('constantModulator') },
  parameters: ({ beta, constantModulator }) => ({ beta, constantModulator }),
}

export interface QualityFocalLoss<R extends Reduction = Reduction> extends ElementwiseLoss<R, QualityFocalResolved> {}

/**
 * `|y - p|^beta` times the binary cross entropy of `p = sigmoid(x)` and a soft label y: Li et al., "Generalized Focal Loss",
 * 2020, arXiv:2006.04388, equation 2. Its minimum is 0, at p = y.
 *
 * Below beta 1 the gradient has a pole at p = y, and at beta 1 a jump; there itself it is 0.
 *
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one label from 0 to 1 per logit, or one
 * class index per row. mmdetection's pair of class index and score is a dense target that has the score at the index.
 *
 * @example
 * ```js
 * import { QualityFocalLoss } from 'focal-loss'
 *
 * const loss = new QualityFocalLoss({ beta: 2 })
 * const { value, grad } = loss.valueAndGrad(new Float32Array([2.2, -1.4, 0.3, -3.1]), [0.9, 0, 0.6, 0])
 * console.log(value, grad[2]) // 0.00229 and -0.00211
 * ```
 *
 * @class
 */
export const QualityFocalLoss: {
  /** Throws a TypeError or RangeError that names the option, the expected value and the actual value. */
  new <R extends Reduction = 'mean'>(options?: QualityFocalOptions<R>): QualityFocalLoss<R>
  readonly prototype: QualityFocalLoss
} = class QualityFocalLoss<R extends Reduction> extends ElementwiseLoss<R, QualityFocalResolved> {
  constructor(options: QualityFocalOptions<R> = {}) {
    if (arguments.length > 1) throw surplus('new QualityFocalLoss()', 1, arguments.length)
    super(options, qualityFocalRules, qualityFocal)
  }
}
