/** Focal star loss: cross entropy of a scaled and shifted logit, which is a focal loss without a modulating factor. */
import { add, type Derivatives, type ElementFormula, sigmoid, softplus, times } from './formula.js'
import { minusLogOfRest } from './probability.js'

/** The definition, in double precision. */
export const focalStar: ElementFormula = {
  name: 'focal-star',
  code: 2,
  positiveFrom: 0.5,
  perRow: false,
  isModulated: false,
  element(x, y, positive, negative, { gamma, beta }, to) {
    asNegative(-x, y * positive, gamma, beta, to)
    const { value, grad, hess } = to
    asNegative(x, (1 - y) * negative, gamma, beta, to)
    add(to, value, -grad, hess)
  },
  probability(p, y, positive, negative, { gamma, beta }, to) {
    probabilityAsNegative(1 - p, p, y * positive, gamma, beta, to)
    const { value, grad, hess } = to
    probabilityAsNegative(p, 1 - p, (1 - y) * negative, gamma, beta, to)
    add(to, value, -grad, hess)
  },
}

/**
 * Target 0 at p with c = 1 - p: with z = gamma log(p / c) - beta and S = sigmoid(z) / p the derivatives are w S / c and
 * w ((gamma - 1) S / p + S (2 - gamma S)) / c^2. Near 0, S is e^-beta p^(gamma - 1) c^-gamma sigmoid(-z), which has a limit.
 */
function probabilityAsNegative(p: number, c: number, weight: number, gamma: number, beta: number, to: Derivatives): void {
  if (weight === 0) {
    to.value = to.grad = to.hess = p * 0
    return
  }
  const z = gamma * (minusLogOfRest(p, c) - minusLogOfRest(c, p)) - beta
  const isLow = p < 0.5
  const least = Math.exp(-beta) * Math.pow(c, -gamma) * sigmoid(-z)
  const s = isLow ? least * Math.pow(p, gamma - 1) : sigmoid(z) / p
  const bend = gamma === 1 ? 0 : (gamma - 1) * (isLow ? least * Math.pow(p, gamma - 2) : s / p)
  to.value = (weight * softplus(z)) / gamma
  to.grad = (weight * s) / c
  // Above 1/2 without the difference of 2 and gamma S
  const hess = (weight * (isLow ? bend + s * (2 - gamma * s) : (s / p) * (gamma * sigmoid(-z) + p - c))) / c / c
  // What a positive adds is larger still, and infinite before this is
  to.hess = p > 0 ? Math.max(-Number.MAX_VALUE, hess) : hess
}

/** Target 0: w softplus(z) / gamma with z = gamma x - beta. */
function asNegative(x: number, weight: number, gamma: number, beta: number, to: Derivatives): void {
  const z = gamma * x - beta
  const s = sigmoid(z)
  // Where gamma x leaves the range of numbers, the loss is x itself
  to.value = times(weight, z === Infinity ? x : softplus(z) / gamma)
  to.grad = weight * s
  to.hess = weight * gamma * s * sigmoid(-z)
}
