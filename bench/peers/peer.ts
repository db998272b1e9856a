/** The interface of other libraries on the same problem. */
import type { BenchProblem } from '../../src/cli/bench/cases.js'
import type { Contestant } from '../contestants.js'

export interface Peer {
  /** The loss it is timed on, float32, gamma 2, alpha 0.25: with labels per logit where it knows no class indices. */
  readonly loss: 'sigmoid' | 'dense-hard'
  /** More logits would take minutes. */
  readonly largest: number
  /** Of the sum, and of the largest gradient. These compute in float32 throughout, without this package's care. */
  readonly tolerance: number
  contestant(problem: BenchProblem): Contestant | Promise<Contestant>
  /** When all is done. */
  close?(): void
}

/** A peer that cannot run here: one sentence that says why and what to do. */
export interface Missing {
  readonly missing: string
}

export type PeerLoader = () => Promise<readonly Peer[] | Missing>
