/** Varifocal loss: for a score that ranks detections. Positives are weighted by their quality, negatives have a modulating factor. */
import { asNegative, crossEntropy, type ElementFormula, sigmoid } from './formula.js'
import { probabilityAsNegative, probabilityAsPositive, probabilityCrossEntropy } from './probability.js'

/** The definition, in double precision. */
export const varifocal: ElementFormula = {
  name: 'varifocal',
  code: 4,
  // The least number above 0 that float32 has
  positiveFrom: 2 ** -149,
  perRow: false,
  isModulated: false,
  element(x, y, positive, negative, { gamma, constantModulator }, to) {
    if (y === 0) {
      asNegative(x, negative, gamma, to, constantModulator ? 0 : gamma)
      return
    }
    const s = sigmoid(x)
    const c = sigmoid(-x)
    const weight = y * positive
    to.value = weight * crossEntropy(x, y)
    to.grad = weight * ((1 - y) * s - y * c)
    to.hess = weight * s * c
  },
  probability(p, y, positive, negative, { gamma, constantModulator }, to) {
    if (y === 0) probabilityAsNegative(p, 1 - p, negative, gamma, to, constantModulator ? 0 : gamma)
    else if (y === 1) probabilityAsPositive(p, 1 - p, positive, 0, to)
    else probabilityCrossEntropy(p, y, y * positive, to)
  },
}
