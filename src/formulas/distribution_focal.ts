/** Distribution focal loss: the cross entropy of a softmax with two neighbouring bins as labels. It uses the softmax kernel. */
import type { RowFormula } from './formula.js'
import { softmaxFocal } from './softmax_focal.js'

/** The definition, in double precision: a softmax with gamma 0. src/problem/bins.ts makes the labels. */
export const distributionFocal: RowFormula = { ...softmaxFocal, name: 'distribution-focal' }
