/** Heatmap focal loss: for keypoints and object centres as peaks of a map. Negatives near a peak are down-weighted. */
import { asNegative, asPositive, type ElementFormula } from './formula.js'
import { probabilityAsNegative, probabilityAsPositive } from './probability.js'

/** The definition, in double precision. */
export const heatmapFocal: ElementFormula = {
  name: 'heatmap-focal',
  code: 5,
  positiveFrom: 1,
  perRow: false,
  isModulated: false,
  element(x, y, positive, negative, { gamma, beta }, to) {
    if (y === 1) asPositive(x, positive, gamma, to)
    else asNegative(x, negative * fading(y, beta), gamma, to)
  },
  probability(p, y, positive, negative, { gamma, beta }, to) {
    if (y === 1) probabilityAsPositive(p, 1 - p, positive, gamma, to)
    else probabilityAsNegative(p, 1 - p, negative * fading(y, beta), gamma, to)
  },
}

/** What a negative weighs beside a peak; NaN to the power of 0 would be 1. */
function fading(y: number, beta: number): number {
  return Number.isNaN(y) ? NaN : Math.pow(1 - y, beta)
}
