/** Asymmetric loss: separate focusing parameters for positives and negatives, and no loss for negatives below a margin. */
import { add, asPositive, type Derivatives, type ElementFormula, modulatingFactor, type Parameters, sigmoid, softplus, times } from './formula.js'
import { probabilityAsNegative, probabilityAsPositive } from './probability.js'

/** The definition, in double precision. */
export const asymmetric: ElementFormula = {
  name: 'asymmetric',
  code: 6,
  positiveFrom: 0.5,
  perRow: false,
  isModulated: false,
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
  const lost = margin === 0 ? 0 : margin / rest  // 1 - h
  const h = margin === 0 ? 1 : c / rest
  const modulated = weight * modulatingFactor(t, gammaNegative)
  const spread = times(c, loss) / t
  const pull = g * spread + h
  const bend = ((g * modulated) / t) * ((g - 1) * spread + 2 * h)
  to.value = times(modulated, loss)
  to.grad = modulated * s * pull
  // (c - s) h + s h^2 is h (c - s (1 - h)), where 1 - h is 0 without a margin
  to.hess = s * (modulated * ((c - s) * g * spread + h * (c - s * lost)) + s * c * bend)
}

/** sigmoid(x) - margin. Near 0, where the subtraction would lose its digits, from the distance to the margin's logit. */
function excess(x: number, s: number, margin: number): number {
  const above = x - Math.log(margin / (1 - margin))
  if (margin === 0 || above > 1) return s - margin
  const e = Math.expm1(above)
  return (margin * (1 - margin) * e) / (1 + margin * e)
}
