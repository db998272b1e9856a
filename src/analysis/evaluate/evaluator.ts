/** Evaluates scores on any amount of data: chunks are added one after another, and only histograms are kept. */
import { checkNames, checkRecord } from '../../arguments.js'
import type { Logits } from '../../arrays/logits.js'
import type { Targets } from '../../arrays/numeric_array.js'
import { surplus } from '../../errors.js'
import { type CallOptions, methods, readCall } from '../../problem/call.js'
import { describe } from '../../problem/describe.js'
import { requireHost } from '../../problem/problem.js'
import { inFull } from '../in_full.js'
import { Elements } from './elements.js'
import type { Evaluation } from './evaluation.js'
import { checkNumbers } from './numbers.js'
import { checkOptions, evaluateNames, type EvaluableLoss, type EvaluateOptions, type EvaluatorOptions, type EvaluatorSettings } from './options.js'
import { Rows } from './rows.js'

/** Slots of a histogram: as many as {@link SLOTS} allows for all classes together, and no fewer than figures within 1e-3 need. */
const [SLOTS, MOST_SLOTS, LEAST_SLOTS] = [1 << 18, 1 << 14, 1 << 12]

/** Made by {@link evaluator}. */
export class Evaluator {
  readonly #loss: EvaluableLoss
  readonly #settings: EvaluatorSettings
  #classes: number | undefined
  #examples: Elements | Rows

  /** @hidden `evaluator(options)` makes one */
  constructor(loss: EvaluableLoss, settings: EvaluatorSettings) {
    this.#loss = loss
    this.#settings = settings
    this.#examples = examplesOf(loss, loss.constants.classPositive?.length ?? 1)
  }

  /**
   * Adds a chunk: whole rows, with targets and call options as for `value`. Everything is checked before anything is counted: a chunk that is
   * refused leaves no trace. Throws a RangeError for a logit that is NaN, a weight that is not finite or below 0, and another number of classes.
   */
  add(logits: Logits, targets: Targets, call: CallOptions = {}): this {
    if (arguments.length > 3) throw surplus('add()', 3, arguments.length)
    const { constants } = this.#loss
    const none = { values: false, grad: false, hess: false }
    const problem = inFull(requireHost(describe(constants, 'sum', logits, targets, readCall(methods.explainerAdd, call), none)))
    if (problem.logits.length === 0) return this
    const { classes } = problem
    if (this.#classes !== undefined && classes !== this.#classes) {
      throw new RangeError(`logits has rows of ${classes} classes; expected ${this.#classes}, as in the chunks before`)
    }
    // A backend looks at all targets
    this.#loss.sums(logits, targets, call)
    checkNumbers(problem)
    if (this.#classes === undefined) this.#examples = examplesOf(this.#loss, classes)
    this.#classes = classes
    this.#examples.add(problem)
    return this
  }

  /** What all chunks so far amount to. More may be added. Throws a RangeError where a weight of 0 leaves nothing to calibrate. */
  result(): Evaluation {
    if (arguments.length > 0) throw surplus('result()', 0, arguments.length)
    return this.#examples.result(this.#settings)
  }
}

function examplesOf({ constants }: EvaluableLoss, classes: number): Elements | Rows {
  const limit = Math.max(LEAST_SLOTS, Math.min(MOST_SLOTS, 2 ** Math.floor(Math.log2(SLOTS / classes))))
  const { formula } = constants
  return formula.perRow ? new Rows(constants, classes, limit) : new Elements(constants, formula, classes, limit)
}

/**
 * How good a model's scores are against the truth, as they stand (`raw`) and as the probabilities that the loss's calibration makes of
 * them (`recalibrated`): average precision, ROC, Brier score, log loss, calibration errors, reliability, and thresholds to decide by, as probabilities
 * and as logits. docs/evaluation.md says what every number means.
 *
 * One pass over the data, into a histogram of the logits: exact up to 4,096 distinct ones (as float32) of a class, and within 1e-3 beyond.
 *
 * A positive is what the loss counts as one: a target of at least 0.5 (heatmap: 1, varifocal: above 0), the class of an index. A softmax's row of
 * labels is of the class whose label is largest. Rows without a class are left out.
 *
 * @param logits as for `value`, on the host.
 * @param targets as for `value`.
 * @returns plain data. Throws what `value` throws, and a RangeError for a logit that is NaN, for a weight that is not finite or below 0, and where a
 *   weight of 0 in the loss leaves nothing to calibrate.
 */
export function evaluate(logits: Logits, targets: Targets, options: EvaluateOptions): Evaluation {
  if (arguments.length > 3) throw surplus('evaluate()', 3, arguments.length)
  checkRecord('options', options)
  checkNames(options, evaluateNames, 'evaluate()')
  const { loss, bins, thresholds, ...call } = options
  return evaluator({ loss, bins, thresholds }).add(logits, targets, call).result()
}

/** As {@link evaluate}, for data that comes in chunks: `evaluator.add(logits, targets)` for each, then `evaluator.result()`. */
export function evaluator(options: EvaluatorOptions): Evaluator {
  if (arguments.length > 1) throw surplus('evaluator()', 1, arguments.length)
  const settings = checkOptions(options)
  return new Evaluator(options.loss, settings)
}
