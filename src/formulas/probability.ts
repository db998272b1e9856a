/** What losses of probabilities are made of, with derivatives with respect to p, in double precision. */
import { type Derivatives, times } from './formula.js'

/**
 * As asNegative of formula.ts, of a probability p with c = 1 - p: with k = -log(c) / p the derivatives are
 * w p^g (g k + 1 / c) and w (p^g / c^2 + p^(g - 1) g ((g - 1) k + 2 / c)).
 */
export function probabilityAsNegative(p: number, c: number, weight: number, gamma: number, to: Derivatives, slope = gamma): void {
  if (weight === 0) {
    // Nothing times infinity would not be nothing; NaN comes through
    to.value = to.grad = to.hess = p * 0
    return
  }
  const loss = minusLogOfRest(p, c)
  const k = p === 0 ? 1 : loss / p
  const modulator = Math.pow(p, gamma)
  to.value = weight * times(modulator, loss)
  to.grad = weight * modulator * (slope * k + 1 / c)
  const bend = slope === 0 ? 0 : Math.pow(p, gamma - 1) * slope * ((slope - 1) * k + 2 / c)
  to.hess = weight * (modulator / c / c + bend)
}

/** A positive at p is a negative at 1 - p, seen in the mirror. */
export function probabilityAsPositive(p: number, c: number, weight: number, gamma: number, to: Derivatives, slope = gamma): void {
  probabilityAsNegative(c, p, weight, gamma, to, slope)
  to.grad = -to.grad
}

/** -log(1 - p), from whichever of p and c = 1 - p has its digits. */
export function minusLogOfRest(p: number, c: number): number {
  return p < 0.5 ? -Math.log1p(-p) : -Math.log(c)
}

/** y (-log p) + (1 - y) (-log(1 - p)) for a label between 0 and 1, times `weight`, and its derivatives with respect to p. */
export function probabilityCrossEntropy(p: number, y: number, weight: number, to: Derivatives): void {
  const c = 1 - p
  const up = (weight * y) / p
  const down = (weight * (1 - y)) / c
  to.value = weight * (y * minusLogOfRest(c, p) + (1 - y) * minusLogOfRest(p, c))
  to.grad = down - up
  to.hess = down / c + up / p
}
