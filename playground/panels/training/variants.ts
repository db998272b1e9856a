/** The losses that are trained side by side, and the columns that their results are shown in. */
import { type BackendName, presets, SigmoidFocalLoss, type SigmoidFocalOptions } from 'focal-loss'
import { type Look, looks } from '../../chart/series.js'
import { priorOf } from './data.js'

/** What is trained. */
export const trained = ['crossEntropy', 'weighted', 'focal'] as const
export type Trained = (typeof trained)[number]

export interface Column {
  readonly id: 'crossEntropy' | 'tuned' | 'weighted' | 'focal'
  readonly name: string
  /** For the head of a table. */
  readonly short: string
  readonly look: Look
  readonly of: Trained
  /** Whether the threshold is chosen on validation data; else it is a score of 0.5. */
  readonly tuned: boolean
}

/** A tuned threshold needs no training of its own. */
export const columns: readonly Column[] = [
  { id: 'crossEntropy', name: 'Cross entropy', short: 'Cross entropy', look: looks.crossEntropy, of: 'crossEntropy', tuned: false },
  { id: 'tuned', name: 'Cross entropy, tuned threshold', short: 'Tuned threshold', look: looks.tuned, of: 'crossEntropy', tuned: true },
  { id: 'weighted', name: 'Weighted cross entropy', short: 'Weighted', look: looks.weighted, of: 'weighted', tuned: false },
  { id: 'focal', name: 'Focal loss', short: 'Focal', look: looks.focal, of: 'focal', tuned: false },
]

/** What the losses are made from. */
export interface LossSettings {
  /** Negatives to each positive. */
  readonly ratio: number
  readonly gamma: number
  readonly alpha: number | null
  readonly backend: BackendName
}

/** Weighted cross entropy gives both sides the same total weight. */
export function optionsOf({ ratio, gamma, alpha }: LossSettings): Record<Trained, SigmoidFocalOptions> {
  return {
    crossEntropy: { ...presets.crossEntropy },
    weighted: presets.weightedCrossEntropy(1 - priorOf(ratio)),
    focal: { gamma, alpha },
  }
}

export function lossesOf(settings: LossSettings): Record<Trained, SigmoidFocalLoss> {
  const { crossEntropy, weighted, focal } = optionsOf(settings)
  const loss = (options: SigmoidFocalOptions) => new SigmoidFocalLoss({ ...options, reduction: 'mean', backend: settings.backend })
  return { crossEntropy: loss(crossEntropy), weighted: loss(weighted), focal: loss(focal) }
}
