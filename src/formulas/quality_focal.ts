/** Quality focal loss: for a score that estimates a quality between 0 and 1, such as the IoU of a predicted box. */
import { crossEntropy, type Derivatives, type ElementFormula, modulatingFactor, sigmoid, times } from './formula.js'
import { probabilityAsNegative, probabilityAsPositive, probabilityCrossEntropy } from './probability.js'

/** So far below p (1 - p) a distance is nothing but rounding; its quotients are to be finite. */
const LEAST_RATIO = 2 ** -80

/** The definition, in double precision; r = p (1 - p) / |y - p|. */
export const qualityFocal: ElementFormula = {
  name: 'quality-focal',
  code: 3,
  positiveFrom: 0.5,
  perRow: false,
  isModulated: false,
  element(x, y, positive, negative, { beta, constantModulator }, to) {
    const slope = constantModulator ? 0 : beta
    const s = sigmoid(x)
    const c = sigmoid(-x)
    const variance = s * c
    const d = y * c - (1 - y) * s
    const distance = Math.max(Math.abs(d), variance * LEAST_RATIO, Number.MIN_VALUE)
    const r = variance / distance
    const loss = crossEntropy(x, y)
    const modulated = (y * positive + (1 - y) * negative) * modulatingFactor(distance, beta)
    const pull = slope * (d / distance) * r
    to.value = times(modulated, loss)
    to.grad = -modulated * (times(pull, loss) + d)
    to.hess = modulated * (times(slope * (slope - 1) * r * r - pull * (c - s), loss) + (2 * slope + 1) * variance)
  },
  probability(p, y, positive, negative, { beta, constantModulator }, to) {
    const slope = constantModulator ? 0 : beta
    if (y === 0) probabilityAsNegative(p, 1 - p, negative, beta, to, slope)
    else if (y === 1) probabilityAsPositive(p, 1 - p, positive, beta, to, slope)
    else probabilityOfQuality(p, y, y * positive + (1 - y) * negative, beta, slope, to)
  },
}

/** A quality between 0 and 1, at p; derivatives are with respect to p. */
function probabilityOfQuality(p: number, y: number, weight: number, beta: number, slope: number, to: Derivatives): void {
  const d = y - p
  const distance = Math.max(Math.abs(d), p * (1 - p) * LEAST_RATIO, Number.MIN_VALUE)
  probabilityCrossEntropy(p, y, weight * Math.pow(distance, beta), to)
  const { value, grad } = to
  const sign = d / distance
  const pull = (slope * value) / distance
  to.grad = grad - sign * pull
  to.hess += ((slope - 1) * pull - 2 * slope * sign * grad) / distance
}
