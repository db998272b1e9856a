/** The messages between the page and the worker. */
import type { DataName } from './data_sets.js'
import type { Measured } from './measures.js'
import type { LossSettings, OfEach } from './variants.js'

export interface Settings extends LossSettings {
  readonly data: DataName
  readonly seed: number
  /** Where the learning rate starts; it falls to 0 in a straight line. */
  readonly rate: number
  /** Whether the last layer starts at each loss's own bias for the prior, rather than at 0. */
  readonly startAtPrior: boolean
}

/** Steps a second, or as many as the machine manages. */
export type Speed = number | 'fastest'

export type Command =
  | { readonly kind: 'reset'; readonly settings: Settings }
  | { readonly kind: 'run'; readonly speed: Speed }
  | { readonly kind: 'pause' }
  | { readonly kind: 'step' }

/** Logits of one network over the square, row by row from the top. */
export type Surface = Float32Array<ArrayBuffer>

export interface Snapshot {
  readonly step: number
  readonly running: boolean
  readonly surfaces: OfEach<Surface>
  readonly measured: OfEach<Measured>
  /** Points of the test set, some of the negatives, to be drawn. */
  readonly shown: { readonly places: Float32Array; readonly positives: number }
  /** What share of the test set is positive, and how many these are. */
  readonly prevalence: number
  readonly positives: number
}

/** Places along a side of a surface. */
export const GRID = 49
export const LAST_STEP = 1500
