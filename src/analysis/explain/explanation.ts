/** The result of `explain`: plain data, ready for JSON. */

/**
 * Which examples have the loss and the gradient. An example is an element (one logit) of an element-wise loss, or a row of a
 * softmax. Ignored and masked examples are left out.
 */
export interface Explanation {
  /** What an example is. */
  readonly example: 'element' | 'row'
  /** One for each pair of alpha and gamma, alphas outermost. */
  readonly losses: readonly ExplainedLoss[]
}

/** The report of one loss. */
export interface ExplainedLoss {
  /** Where the loss has it, the same for all classes. */
  readonly gamma?: number
  /** Where the loss has it; `null` switches it off. */
  readonly alpha?: number | readonly number[] | null
  /** All examples: positives and negatives. */
  readonly all: Total
  /** Elements whose target is at least 0.5 (heatmap: 1, a peak; varifocal: above 0); rows that have a class. */
  readonly positives: Total
  /** The other elements; rows without a class (background), which have no p_t and so are in no bin. */
  readonly negatives: Total
  /** With `perClass`: what the examples of each class have. Of a softmax an example is of its true class, and negatives are of none. */
  readonly classes?: readonly ClassTotals[]
  /** By p_t, ascending: 1 is right and sure, 0 is wrong and sure. */
  readonly bins: readonly Bin[]
  /**
   * Cumulative distributions of the normalised loss: figure 4 of Lin et al. 2017, arXiv:1708.02002. Every point is exact;
   * between two neighbours lies at most 1/200 of the examples and of the loss, or a single step of losses within 3 %
   * of each other. Empty where there are no examples.
   */
  readonly curves: { readonly positives: readonly CurvePoint[]; readonly negatives: readonly CurvePoint[] }
  /** The examples of greatest loss, the greatest first; of equal ones the first in memory. Only losses above 0. */
  readonly hardest: readonly HardExample[]
}

/** Sums over a group of examples. */
export interface Portion {
  /** How many they are. */
  readonly count: number
  /** The sum of their losses. */
  readonly loss: number
  /** What share of the sum over all examples that is: 0 to 1, and 0 of nothing. */
  readonly lossShare: number
  /** The sum of the absolute values of their gradients, which are of the sum of the losses. */
  readonly gradient: number
  /** What share of the sum over all examples that is: 0 to 1, and 0 of nothing. */
  readonly gradientShare: number
}

export interface Total extends Portion {
  /**
   * How many examples of equal loss would weigh as much: `(sum l)^2 / sum l^2` over the losses l, from 1 to `count`, and 0
   * where there is no loss. The effective sample size of Kish, "Survey Sampling", Wiley 1965, with losses as weights.
   */
  readonly effectiveCount: number
}

/** The sums of one class; shares are of the sums over all classes. */
export interface ClassTotals {
  /** All of them. */
  readonly all: Total
  /** Those that are positives. */
  readonly positives: Total
  /** The others. */
  readonly negatives: Total
}

/** The examples with `from <= p_t < to`; the last bin includes p_t = 1. */
export interface Bin {
  /** The least p_t in it. */
  readonly from: number
  /** The least p_t above it. */
  readonly to: number
  /** The positives in it. */
  readonly positives: Portion
  /** The negatives in it. */
  readonly negatives: Portion
}

/** A point of a curve over a group, positives or negatives, sorted by loss. */
export interface CurvePoint {
  /** A share of the group, 0 to 1: the examples of least loss. */
  readonly examples: number
  /** What share of the group's loss they have, 0 to 1. */
  readonly loss: number
}

/** One of the examples with the largest loss. */
export interface HardExample {
  /** Counted over all chunks, in the order of the logits. */
  readonly row: number
  /** Of the logit; for a softmax the true class, of a soft label the one with the greatest label. */
  readonly class: number
  /** Whether its target is positive or negative. */
  readonly positive: boolean
  /** Its p_t, the predicted probability of the true class. */
  readonly probability: number
  /** Its loss, before any reduction. */
  readonly loss: number
}
