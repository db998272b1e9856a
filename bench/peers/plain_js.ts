/** A careful plain loop, as one would write it by hand: numerically stable, no allocation, class indices. */
import type { BenchProblem } from '../../src/cli/bench/cases.js'
import type { Contestant } from '../contestants.js'
import type { Peer } from './peer.js'

const ALPHA = 0.25

/** Sum of the sigmoid focal loss with gamma 2, and its gradient. Rows of class -1 are background. */
export function plainFocalLoss(logits: Float32Array, targets: Int32Array, classes: number, grad: Float32Array): number {
  let sum = 0
  for (let row = 0, i = 0; row < targets.length; row++) {
    const target = targets[row]
    for (let c = 0; c < classes; c++, i++) {
      const positive = c === target
      const z = positive ? -logits[i] : logits[i]
      const weight = positive ? ALPHA : 1 - ALPHA
      // e^-|z| neither overflows nor loses digits
      const e = Math.exp(z < 0 ? z : -z)
      const wrong = z < 0 ? e / (1 + e) : 1 / (1 + e)
      const right = z < 0 ? 1 / (1 + e) : e / (1 + e)
      const crossEntropy = (z < 0 ? 0 : z) + Math.log1p(e)
      const modulated = weight * wrong * wrong
      sum += modulated * crossEntropy
      const slope = modulated * (2 * right * crossEntropy + wrong)
      grad[i] = positive ? -slope : slope
    }
  }
  return sum
}

export const plainJs: Peer = {
  loss: 'sigmoid',
  largest: Infinity,
  tolerance: 1e-5,
  contestant({ logits, targets, case: { classes } }: BenchProblem): Contestant {
    if (!(logits instanceof Float32Array) || !(targets instanceof Int32Array)) throw new TypeError('expected float32 and class indices')
    const grad = new Float32Array(logits.length)
    const call = () => plainFocalLoss(logits, targets, classes, grad)
    return {
      who: 'plain JavaScript loop',
      threads: 1,
      role: 'peer',
      outcome: () => ({ sum: call(), grad }),
      work: { kind: 'sync', call },
    }
  },
}
