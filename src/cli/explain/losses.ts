/** The losses that can be explained, and the default gammas and alphas. */
import { AsymmetricLoss, FocalStarLoss, HeatmapFocalLoss, QualityFocalLoss, SigmoidFocalLoss, SoftmaxFocalLoss, VarifocalLoss } from 'focal-loss'

const classes = {
  sigmoid: SigmoidFocalLoss,
  softmax: SoftmaxFocalLoss,
  'focal-star': FocalStarLoss,
  quality: QualityFocalLoss,
  varifocal: VarifocalLoss,
  heatmap: HeatmapFocalLoss,
  asymmetric: AsymmetricLoss,
}

export type LossName = keyof typeof classes

export const lossNames = Object.keys(classes) as LossName[]

export interface ExplainedOptions {
  readonly background: number | 'num-classes' | null
  readonly ignoreIndex: number | null
  /** Of a heatmap alone. */
  readonly positiveFrom?: number
  /** Of those that have them. */
  readonly gamma?: number
  readonly alpha?: number | null
}

export function makeLoss(name: LossName, { positiveFrom, ...options }: ExplainedOptions) {
  return name === 'heatmap' ? new HeatmapFocalLoss({ ...options, positiveFrom }) : new classes[name](options)
}

/** Gammas and alphas, every pair of them; a loss's own where there are none. */
export interface Compared {
  readonly gammas?: readonly number[]
  readonly alphas?: readonly (number | null)[]
}

/** The focal losses show what gamma does, from cross entropy on; the others are compared as they are. */
export function comparedOf(name: LossName): Compared {
  return name === 'sigmoid' || name === 'softmax' ? { gammas: [0, 0.5, 1, 2, 5], alphas: [null] } : {}
}
