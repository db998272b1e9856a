/** Asymmetric loss: positives and negatives focused apart, and negatives below a margin for free. */
import { ElementwiseLoss } from '../elementwise_loss.js'
import { wrongType } from '../errors.js'
import { type LossOptions, number, numberOption, optional, type OptionRules, type Reduction } from '../options.js'
import { add, asPositive, type Derivatives, type ElementFormula, type Parameters, sigmoid, softplus, times } from './formula.js'
import { probabilityAsNegative, probabilityAsPositive } from './probability.js'

/** What {@link AsymmetricLoss} takes. `undefined` means the default. */
export interface AsymmetricOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Focusing of positives, a finite number >= 0. Default 1. */
  gammaPositive?: number
  /** Focusing of negatives, a finite number >= 0. Default 4. */
  gammaNegative?: number
  /** Negatives of a probability up to this cost nothing: from 0 to 0.99. Default 0.05. */
  margin?: number
  /**
   * Differentiate as if the modulating factors were constants, as the authors' `disable_torch_grad_focal_loss` does: the
   * gradient is then not that of the value. Default `false`.
   */
  constantModulator?: boolean
  /** From 0 to 1: moves every target that far towards 1/2. Default 0. */
  labelSmoothing?: number
}

/** The options of its own, defaults filled in. */
export type AsymmetricResolved = Readonly<Required<Omit<AsymmetricOptions, keyof LossOptions>>>

const asymmetricRules: OptionRules<AsymmetricResolved> = {
  loss: 'AsymmetricLoss',
  own: {
    gammaPositive: numberOption('gammaPositive', 1),
    gammaNegative: numberOption('gammaNegative', 4),
    margin: optional(0.05, (given) => number('margin', given, 0, 0.99)),
    constantModulator: optional(false, (given) => {
      if (typeof given !== 'boolean') throw wrongType('constantModulator', given, 'true or false')
      return given
    }),
    labelSmoothing: numberOption('labelSmoothing', 0, 1),
  },
  parameters: ({ gammaPositive: gamma, ...others }) => ({
    gamma,
    gammaNegative: others.gammaNegative,
    margin: others.margin,
    constantModulator: others.constantModulator,
    labelSmoothing: others.labelSmoothing,
  }),
}

/**
 * `(1 - p)^gammaPositive (-log p)` for a positive; `p_m^gammaNegative (-log(1 - p_m))` with `p_m = max(p - margin, 0)` for a
 * negative; `p = sigmoid(x)`: Ridnik et al., "Asymmetric Loss For Multi-Label Classification", 2021, arXiv:2009.14119,
 * equations 4 to 7. The authors add the losses up: `reduction: 'sum'`.
 *
 * Logits: any finite values, and +-Infinity and NaN with their limits. Targets: one label from 0 to 1 per logit, soft ones
 * as `y L(1) + (1 - y) L(0)`, or one class index per row.
 */
export class AsymmetricLoss<R extends Reduction = 'mean'> extends ElementwiseLoss<R, AsymmetricResolved> {
  /** Throws a TypeError or RangeError that names the option, what was expected and what came. */
  constructor(options: AsymmetricOptions<R> = {}) {
    super(options, asymmetricRules, asymmetric)
  }
}

/** The definition, in double precision. */
const asymmetric: ElementFormula = {
  name: 'asymmetric',
  code: 6,
  positiveFrom: 0.5,
  perRow: false,
  element(x, y, positive, negative, parameters, to) {
    const { gamma, constantModulator } = parameters
    asPositive(x, y * positive, gamma, to, constantModulator ? 0 : gamma)
    const { value, grad, hess } = to
    asNegative(x, (1 - y) * negative, parameters, to)
    add(to, value, grad, hess)
  },
  probability(p, y, positive, negative, { gamma, gammaNegative, margin, constantModulator }, to) {
    probabilityAsPositive(p, 1 - p, y * positive, gamma, to, constantModulator ? 0 : gamma)
    const { value, grad, hess } = to
    // A negative of p - margin, where that is above 0
    const weight = margin > 0 && p <= margin ? 0 : (1 - y) * negative
    probabilityAsNegative(p - margin, 1 - p + margin, weight, gammaNegative, to, constantModulator ? 0 : gammaNegative)
    add(to, value, grad, hess)
  },
}

/** The inverse of anything smaller is infinite. */
const SMALLEST_NORMAL = 2 ** -1022

/** Target 0: w t^g t k with t = p - margin, k = -log(1 - t) / t, and h = (1 - p) / (1 - t). */
function asNegative(x: number, weight: number, { gammaNegative, margin, constantModulator }: Parameters, to: Derivatives): void {
  const s = sigmoid(x)
  const c = sigmoid(-x)
  const above = excess(x, s, margin)
  if (above <= 0) {
    to.value = to.grad = to.hess = 0
    return
  }
  const t = Math.max(above, SMALLEST_NORMAL)
  const g = constantModulator ? 0 : gammaNegative
  // 1 - t, which t has lost where it is near 1
  const rest = c + margin
  const loss = margin === 0 ? softplus(x) : t < 0.5 ? -Math.log1p(-t) : -Math.log(rest)
  const h = margin === 0 ? 1 : c / rest
  const modulated = weight * Math.pow(t, gammaNegative)
  const spread = times(c, loss) / t
  const pull = g * spread + h
  const bend = ((g * modulated) / t) * ((g - 1) * spread + 2 * h)
  to.value = times(modulated, loss)
  to.grad = modulated * s * pull
  to.hess = s * (modulated * ((c - s) * pull + s * h * h) + s * c * bend)
}

/** sigmoid(x) - margin. Near 0, where the subtraction would lose its digits, from the distance to the margin's logit. */
function excess(x: number, s: number, margin: number): number {
  const above = x - Math.log(margin / (1 - margin))
  if (margin === 0 || above > 1) return s - margin
  const e = Math.expm1(above)
  return (margin * (1 - margin) * e) / (1 + margin * e)
}
