/** Sigmoid focal loss: each logit is a binary classification (Lin et al. 2017, arXiv:1708.02002). */
import { add, asNegative, asPositive, crossEntropy, type Derivatives, type ElementFormula, modulatingFactor, sigmoid, times } from './formula.js'
import { probabilityAsNegative, probabilityAsPositive, probabilityCrossEntropy } from './probability.js'

/** The definition, in double precision. */
export const sigmoidFocal: ElementFormula = {
  name: 'sigmoid',
  code: 0,
  positiveFrom: 0.5,
  perRow: false,
  isModulated: true,
  element(x, y, positive, negative, { gamma, softTargets }, to) {
    if (y === 0) asNegative(x, negative, gamma, to)
    else if (y === 1) asPositive(x, positive, gamma, to)
    else if (softTargets === 'linear') linear(x, y, positive, negative, gamma, to)
    else mixture(x, y, positive, negative, gamma, to)
  },
  probability(p, y, positive, negative, { gamma, softTargets }, to) {
    if (y === 0) probabilityAsNegative(p, 1 - p, negative, gamma, to)
    else if (y === 1) probabilityAsPositive(p, 1 - p, positive, gamma, to)
    else if (softTargets === 'linear') linearOfProbability(p, y, positive, negative, gamma, to)
    else mixtureOfProbability(p, y, positive, negative, gamma, to)
  },
}

function mixtureOfProbability(p: number, y: number, positive: number, negative: number, gamma: number, to: Derivatives): void {
  probabilityAsPositive(p, 1 - p, y * positive, gamma, to)
  const { value, grad, hess } = to
  probabilityAsNegative(p, 1 - p, (1 - y) * negative, gamma, to)
  add(to, value, grad, hess)
}

/** With q = y (1 - p) + (1 - y) p, the derivatives of w q^gamma times cross entropy with respect to p. */
function linearOfProbability(p: number, y: number, positive: number, negative: number, gamma: number, to: Derivatives): void {
  const q = y * (1 - p) + (1 - y) * p
  probabilityCrossEntropy(p, y, (y * positive + (1 - y) * negative) * Math.pow(q, gamma), to)
  const { value, grad } = to
  const r = (1 - 2 * y) / q
  to.grad = grad + gamma * r * value
  to.hess += gamma * r * ((gamma - 1) * r * value + 2 * grad)
}

/** y L(1) + (1 - y) L(0). */
function mixture(x: number, y: number, positive: number, negative: number, gamma: number, to: Derivatives): void {
  asPositive(x, y * positive, gamma, to)
  const { value, grad, hess } = to
  asNegative(x, (1 - y) * negative, gamma, to)
  add(to, value, grad, hess)
}

/** q = 1 - p_t = y (1 - p) + (1 - y) p, and the loss is w q^gamma times cross entropy; r = q' / q. */
function linear(x: number, y: number, positive: number, negative: number, gamma: number, to: Derivatives): void {
  const s = sigmoid(x)
  const c = sigmoid(-x)
  const q = y * c + (1 - y) * s
  const loss = crossEntropy(x, y)
  const slope = (1 - y) * s - y * c
  const r = ((1 - 2 * y) * s * c) / q
  const gain = gamma * times(r, loss)
  const modulated = (y * positive + (1 - y) * negative) * modulatingFactor(q, gamma)
  to.value = times(modulated, loss)
  to.grad = modulated * (gain + slope)
  to.hess = modulated * (gain * ((gamma - 1) * r + c - s) + 2 * gamma * r * slope + s * c)
}
