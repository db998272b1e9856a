/** The losses by name; of pages, too, which have no modules of Node.js. */

export const elementwiseNames = [
  'SigmoidFocalLoss',
  'FocalStarLoss',
  'QualityFocalLoss',
  'VarifocalLoss',
  'HeatmapFocalLoss',
  'AsymmetricLoss',
] as const

export type ElementwiseName = (typeof elementwiseNames)[number]
export type LossName = ElementwiseName | 'SoftmaxFocalLoss'

export const lossNames: readonly LossName[] = [...elementwiseNames, 'SoftmaxFocalLoss']
