/** The call options of a loss at the end of a jax-js model. */
import type { CallOptions, Scaled } from '../problem/call.js'

/** Which logits are a row's classes is the model's affair: those of the last axis, unless `classAxis` says otherwise. */
export interface JaxCall extends Omit<CallOptions, 'shape' | 'dtype'>, Scaled {
  /** A number > 0 that replaces the reduction's denominator. */
  normalizer?: number | undefined
}
