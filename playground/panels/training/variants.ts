/** The losses that are trained side by side. */
import { type BackendName, presets, SigmoidFocalLoss, type SigmoidFocalOptions } from 'focal-loss'
import { type Look, looks } from '../../chart/series.js'
import { priorOf } from './data.js'

export const trained = ['crossEntropy', 'weighted', 'smoothed', 'focal'] as const
export type Trained = (typeof trained)[number]

/** What there is of each loss. */
export type OfEach<T> = Readonly<Record<Trained, T>>

export interface Variant {
  readonly id: Trained
  readonly name: string
  /** For the head of a table. */
  readonly short: string
  readonly look: Look
}

export const variants: readonly Variant[] = [
  { id: 'crossEntropy', name: 'Cross entropy', short: 'Cross entropy', look: looks.crossEntropy },
  { id: 'weighted', name: 'Weighted cross entropy', short: 'Weighted', look: looks.weighted },
  { id: 'smoothed', name: 'Label smoothing 0.01', short: 'Label smoothing', look: looks.smoothed },
  { id: 'focal', name: 'Focal loss', short: 'Focal', look: looks.focal },
]

/** What the losses are made from. */
export interface LossSettings {
  /** Negatives to each positive. */
  readonly ratio: number
  readonly gamma: number
  readonly alpha: number | null
  readonly backend: BackendName
}

/** Weighted cross entropy gives both classes the same total weight. */
export function optionsOf({ ratio, gamma, alpha }: Omit<LossSettings, 'backend'>): OfEach<SigmoidFocalOptions> {
  return {
    crossEntropy: { ...presets.crossEntropy },
    weighted: presets.weightedCrossEntropy(1 - priorOf(ratio)),
    smoothed: { ...presets.crossEntropy, labelSmoothing: 0.01 },
    focal: { gamma, alpha },
  }
}

export function lossesOf(settings: LossSettings): OfEach<SigmoidFocalLoss> {
  const options = optionsOf(settings)
  return ofEach((id) => new SigmoidFocalLoss({ ...options[id], reduction: 'mean', backend: settings.backend }))
}

export function ofEach<T>(make: (id: Trained) => T): OfEach<T> {
  return { crossEntropy: make('crossEntropy'), weighted: make('weighted'), smoothed: make('smoothed'), focal: make('focal') }
}
