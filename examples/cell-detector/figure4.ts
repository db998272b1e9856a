import { SigmoidFocalLoss } from 'focal-loss'

export const GAMMAS = [0, 0.5, 1, 2, 5]

/** One point of a cumulative curve: the cells of smallest loss, as a share of all, and their share of the summed loss. */
export interface CumulativePoint {
  readonly gamma: number
  readonly cells: number
  readonly loss: number
}

/** Enough for a smooth line; they crowd towards the cells of greatest loss, where the curves bend. */
const POINTS = 240

/**
 * Figure 4 of the paper: the cells sorted by their loss, and how the summed loss builds up over them, for several gammas.
 * All gammas look at the same logits; `kind` picks the positives (1) or the negatives (0).
 */
export function cumulativeLoss(logits: Float32Array, targets: Uint8Array, kind: 0 | 1): CumulativePoint[] {
  const picked = logits.filter((_, i) => targets[i] === kind)
  const labels = new Uint8Array(picked.length).fill(kind)
  return GAMMAS.flatMap((gamma) => {
    const losses = new SigmoidFocalLoss({ gamma, alpha: null, reduction: 'none' }).value(picked, labels).sort()
    const sums = new Float64Array(losses.length + 1)
    losses.forEach((loss, i) => (sums[i + 1] = sums[i] + loss))
    const total = sums[losses.length]
    return ranks(losses.length).map((rank) => ({ gamma, cells: rank / losses.length, loss: sums[rank] / total }))
  })
}

function ranks(count: number): number[] {
  const spread = Array.from({ length: POINTS + 1 }, (_, i) => Math.round(count * (1 - (1 - i / POINTS) ** 3)))
  return [...new Set(spread)]
}
