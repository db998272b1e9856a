/** The result of `evaluate`: plain data, ready for JSON. No metric is NaN: one that the data does not define is `null`. */

/** How good the scores of a model are: as they stand, and as two kinds of calibrated probabilities. */
export interface Evaluation extends AllScores {
  /** What an example is: an element (one logit), or with a softmax a row. Ignored, masked and weightless ones appear nowhere. */
  readonly example: 'element' | 'row'
  /** Which scores have the least log loss on this data, and so are the best probabilities here; of equal ones the first. `null` of nothing. */
  readonly best: 'raw' | 'recalibrated' | 'tempered' | null
  /** Sentences on what is not to be trusted: that logits may be probabilities, or that the temperature was fitted on the data it is judged on. */
  readonly warnings: readonly string[]
}

/** The same data under each kind of scores. */
export interface AllScores {
  /** The model's own probabilities: the sigmoid, or the softmax, of the logits. */
  readonly raw: Scores
  /** What {@link FocalLossBase.toProbability} makes of them. */
  readonly recalibrated: Scores
  /** The sigmoid, or the softmax, of the logits divided by the temperature; `null` where none is given. */
  readonly tempered: Scores | null
}

/** The figures of all scores together, and of each class. */
export interface Scores extends Figures {
  /**
   * The means of the classes' figures, over the classes that have them; `null` where there is one class. Figures of the same name beside it are not
   * these: of element-wise losses they are of all elements pooled (a micro average); of a softmax they are of the top label, where the
   * score is the largest probability of a row and a positive is a row whose class that is, except `logLoss` (`-log p` of the
   * true class) and `brier` (`sum (p - y)^2` over the classes).
   */
  readonly macro: ScalarFigures | null
  /** Each class against the rest; empty where there is one class. */
  readonly classes: readonly Figures[]
}

/** One number each. The score is a probability `p`, from 0 to 1; an example of weight w counts w times. */
export interface ScalarFigures {
  /** `sum (R_n - R_(n-1)) P_n` over thresholds, equal scores together, as scikit-learn's; 0 to 1. `null` without positives. */
  readonly averagePrecision: number | null
  /** The area under the ROC curve, ties counting half; 0 to 1. `null` without positives or without negatives. */
  readonly rocAuc: number | null
  /** Brier score, the mean of `(p - y)^2`; 0 is best. `null` without examples, and so are the metrics below. */
  readonly brier: number | null
  /** The mean of `-log p` of positives and `-log(1 - p)` of negatives, in nats. Not clipped: Infinity if a true class has probability 0. */
  readonly logLoss: number | null
  /** Expected calibration error: the mean of |rate - mean score| over bins of equal width, by weight (Guo et al. 2017, arXiv:1706.04599). 0 to 1. */
  readonly calibrationError: number | null
  /** The same over bins of equal weight; equal scores stay in one bin (Nixon et al. 2019, arXiv:1904.01685). */
  readonly adaptiveCalibrationError: number | null
}

/** The metrics of scores against positives and negatives. */
export interface Figures extends ScalarFigures {
  /** How many examples there are. */
  readonly count: number
  /** The sum of their weights. */
  readonly weight: number
  /** The share of positives, by weight; for the top label of a softmax the accuracy. `null` without examples. */
  readonly rate: number | null
  /** Bins of equal width, ascending: the reliability diagram. */
  readonly reliability: readonly ReliabilityBin[]
  /** From above every score downwards. Points are thinned to at most 1/200 apart in each direction, unless they belong to neighbouring scores. */
  readonly precisionRecall: readonly PrecisionRecallPoint[]
  /** Thinned in the same way. Empty without positives or without negatives. */
  readonly roc: readonly RocPoint[]
  /** Decision thresholds. `null` without positives. */
  readonly thresholds: Thresholds | null
}

/** The examples with `from < p <= to`; the first bin holds p = 0 too. As scikit-learn's `calibration_curve`. */
export interface ReliabilityBin {
  /** The lower edge, which belongs to the bin below. */
  readonly from: number
  /** The upper edge. */
  readonly to: number
  /** How many examples are in it. */
  readonly count: number
  /** By weight; `null` of an empty bin. */
  readonly meanScore: number | null
  /** The share of positives, by weight; `null` of an empty bin. */
  readonly rate: number | null
}

/** A decision threshold: examples at or above it are predicted positive. Both are `null` for a threshold above every score. */
export interface Cut {
  /** The score that is compared, 0 to 1. */
  readonly probability: number | null
  /**
   * The same threshold for the model's logits, exact where a probability is rounded. `null` also if no single logit decides: with a
   * softmax, and for pooled classes whose logits stand for different probabilities.
   */
  readonly logit: number | null
}

export interface PrecisionRecallPoint extends Cut {
  /** The share of positives among the predicted positives; 1 without predicted positives. */
  readonly precision: number
  /** The share of the positives that are predicted positive. */
  readonly recall: number
}

export interface RocPoint extends Cut {
  /** The share of the negatives that are predicted positive. */
  readonly falsePositiveRate: number
  /** The share of the positives that are predicted positive. */
  readonly recall: number
}

/** A threshold with its precision, recall and F1. */
export interface Threshold extends PrecisionRecallPoint {
  /** `2 P R / (P + R)`, and 0 if both are 0. */
  readonly f1: number
}

/** Of equally good thresholds, the highest. */
export interface Thresholds {
  /** Where F1 is largest. */
  readonly bestF1: Threshold
  /** For each requested recall, the highest threshold that reaches it. */
  readonly recall: readonly { readonly atLeast: number; readonly cut: Threshold }[]
  /** For each requested precision, the lowest threshold that reaches it; `null` if none does. */
  readonly precision: readonly { readonly atLeast: number; readonly cut: Threshold | null }[]
  /** For each pair of costs, the threshold with the lowest total cost, and that cost. */
  readonly cost: readonly (Costs & { readonly total: number; readonly cut: Threshold })[]
}

/** The cost of wrong decisions, multiplied by the weight of the example. */
export interface Costs {
  /** The cost of a false positive, a finite number >= 0. */
  readonly falsePositive: number
  /** The cost of a false negative, a finite number >= 0. */
  readonly falseNegative: number
}
