/**
 * Sigmoid focal loss with rarely used options: gamma per class (equalized focal loss, Li et al. 2022, arXiv:2201.02593), and label
 * smoothing of which only the cross entropy knows (NVIDIA apex), while modulating factor and alpha keep the label as it is.
 */
import { crossEntropy, type Derivatives, type ElementFormula, modulatingFactor, sigmoid, softplus, times } from './formula.js'
import { probabilityCrossEntropy } from './probability.js'
import { sigmoidFocal } from './sigmoid_focal.js'

/** The definition, in double precision; `beta` is the smoothing. With q = 1 - p_t the loss is w q^gamma times the cross entropy of the smoothed label. */
export const sigmoidGeneral: ElementFormula = {
  name: 'sigmoid-general',
  code: 7,
  positiveFrom: 0.5,
  perRow: false,
  isModulated: false,
  element(x, y, positive, negative, { gamma, beta }, to) {
    const s = sigmoid(x)
    const c = sigmoid(-x)
    const smoothed = y * (1 - beta) + beta / 2
    const modulated = (y * positive + (1 - y) * negative) * factor(x, y, missing(y, s, c), gamma)
    if (modulated === 0) {
      // Less than nothing is left of an infinite cross entropy; NaN comes through
      to.value = to.grad = to.hess = 0 * s
      return
    }
    const loss = crossEntropy(x, smoothed)
    const slope = (1 - smoothed) * s - smoothed * c
    // q' / q, without a quotient of what may vanish
    const r = y === 0 ? c : y === 1 ? -s : ((1 - 2 * y) * s * c) / missing(y, s, c)
    const gain = gamma === 0 || r === 0 ? 0 : gamma * r * loss
    to.value = times(modulated, loss)
    to.grad = modulated * (gain + slope)
    to.hess = modulated * (gain * ((gamma - 1) * r + c - s) + 2 * gamma * r * slope + s * c)
  },
  probability(p, y, positive, negative, parameters, to) {
    const { gamma, beta } = parameters
    if (beta === 0) sigmoidFocal.probability(p, y, positive, negative, parameters, to)
    else if (missing(y, p, 1 - p) === 0) atEnd(y * positive + (1 - y) * negative, gamma, to)
    else ofProbability(p, y, y * positive + (1 - y) * negative, gamma, y * (1 - beta) + beta / 2, to)
  },
}

/** q^gamma. Of a small gamma it may be a normal number where q itself is none. */
function factor(x: number, y: number, q: number, gamma: number): number {
  return gamma > 0 && q < 1e-290 && (y === 0 || y === 1) ? Math.exp(-gamma * softplus(y === 0 ? -x : x)) : modulatingFactor(q, gamma)
}

/** q = 1 - p_t for a label y. */
function missing(y: number, p: number, rest: number): number {
  return y === 0 ? p : y === 1 ? rest : y * rest + (1 - y) * p
}

/** Where a label is right for certain: its factor vanishes, as fast as gamma says, and the smoothed cross entropy is infinite. */
function atEnd(weight: number, gamma: number, to: Derivatives): void {
  to.value = weight * (gamma > 0 ? 0 : Infinity)
  to.grad = weight * (gamma > 1 ? 0 : Infinity)
  to.hess = weight * (gamma > 2 ? 0 : Infinity)
}

function ofProbability(p: number, y: number, weight: number, gamma: number, smoothed: number, to: Derivatives): void {
  const q = missing(y, p, 1 - p)
  probabilityCrossEntropy(p, smoothed, weight * modulatingFactor(q, gamma), to)
  const { value, grad } = to
  const r = (1 - 2 * y) / q
  to.grad = grad + gamma * r * value
  to.hess += gamma * r * ((gamma - 1) * r * value + 2 * grad)
}
