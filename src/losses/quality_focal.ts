/** Quality focal loss: a score that is to equal a quality between 0 and 1, such as the IoU of a predicted box. */
import { ElementwiseLoss } from '../elementwise_loss.js'
import { type LossOptions, numberOption, type OptionRules, type Reduction } from '../options.js'
import { crossEntropy, type Derivatives, type ElementFormula, sigmoid, times } from './formula.js'
import { probabilityAsNegative, probabilityAsPositive, probabilityCrossEntropy } from './probability.js'

/** What {@link QualityFocalLoss} takes. `undefined` means the default. */
export interface QualityFocalOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Power of the distance between label and score, a finite number >= 0; 0 is cross entropy. Default 2. */
  beta?: number
}

/** The options of its own, defaults filled in. */
export type QualityFocalResolved = Readonly<Required<Omit<QualityFocalOptions, keyof LossOptions>>>

const qualityFocalRules: OptionRules<QualityFocalResolved> = {
  loss: 'QualityFocalLoss',
  own: { beta: numberOption('beta', 2) },
  parameters: ({ beta }) => ({ beta }),
}

/**
 * `|y - p|^beta` times the binary cross entropy of `p = sigmoid(x)` and a soft label y: Li et al., "Generalized Focal Loss",
 * 2020, arXiv:2006.04388, equation 2. It is least, and 0, where p = y.
 *
 * Below beta 1 the gradient has a pole at p = y, and at beta 1 a jump; there itself it is 0.
 *
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one label from 0 to 1 per logit, or one
 * class index per row. mmdetection's pair of class index and score is a dense target that has the score at the index.
 */
export class QualityFocalLoss<R extends Reduction = 'mean'> extends ElementwiseLoss<R, QualityFocalResolved> {
  /** Throws a TypeError or RangeError that names the option, what was expected and what came. */
  constructor(options: QualityFocalOptions<R> = {}) {
    super(options, qualityFocalRules, qualityFocal)
  }
}

/** So far below p (1 - p) a distance is nothing but rounding; its quotients are to be finite. */
const LEAST_RATIO = 2 ** -80

/** The definition, in double precision; r = p (1 - p) / |y - p|. */
const qualityFocal: ElementFormula = {
  name: 'quality-focal',
  code: 3,
  positiveFrom: 0.5,
  perRow: false,
  element(x, y, positive, negative, { beta }, to) {
    const s = sigmoid(x)
    const c = sigmoid(-x)
    const variance = s * c
    const d = y * c - (1 - y) * s
    const distance = Math.max(Math.abs(d), variance * LEAST_RATIO, Number.MIN_VALUE)
    const r = variance / distance
    const loss = crossEntropy(x, y)
    const modulated = (y * positive + (1 - y) * negative) * Math.pow(distance, beta)
    const pull = beta * (d / distance) * r
    to.value = times(modulated, loss)
    to.grad = -modulated * (times(pull, loss) + d)
    to.hess = modulated * (times(beta * (beta - 1) * r * r - pull * (c - s), loss) + (2 * beta + 1) * variance)
  },
  probability(p, y, positive, negative, { beta }, to) {
    if (y === 0) probabilityAsNegative(p, 1 - p, negative, beta, to)
    else if (y === 1) probabilityAsPositive(p, 1 - p, positive, beta, to)
    else probabilityOfQuality(p, y, y * positive + (1 - y) * negative, beta, to)
  },
}

/** A quality between 0 and 1, at p; derivatives are with respect to p. */
function probabilityOfQuality(p: number, y: number, weight: number, beta: number, to: Derivatives): void {
  const d = y - p
  const distance = Math.max(Math.abs(d), p * (1 - p) * LEAST_RATIO, Number.MIN_VALUE)
  probabilityCrossEntropy(p, y, weight * Math.pow(distance, beta), to)
  const { value, grad } = to
  const sign = d / distance
  const pull = (beta * value) / distance
  to.grad = grad - sign * pull
  to.hess += ((beta - 1) * pull - 2 * beta * sign * grad) / distance
}
