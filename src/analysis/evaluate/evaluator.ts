/** Evaluates scores on any amount of data: chunks are added one after another, and only histograms are kept. */
import { checkNames, flag } from '../../arguments.js'
import type { Logits } from '../../arrays/logits.js'
import type { Targets } from '../../arrays/numeric_array.js'
import { counted, surplus } from '../../errors.js'
import type { CallOptions } from '../../problem/call.js'
import { Labels } from '../labels.js'
import { checkPart, describeLoss, type Part } from '../part.js'
import { isPlain, problemOf } from './data.js'
import { checkElements, Elements, type ElementsState } from './elements.js'
import type { AllScores, Evaluation } from './evaluation.js'
import { fingerprintOf } from './fingerprint.js'
import { checkOptions, checkOptionsRecord, evaluateNames, type EvaluableLoss, type EvaluateOptions, type EvaluatorOptions, type EvaluatorSettings } from './options.js'
import { areFrom0To1, MAY_BE_PROBABILITIES } from './probable.js'
import { areIndices, checkRows, Rows, type RowsState } from './rows.js'

/** Slots of a histogram: as many as {@link SLOTS} allows for all classes together, and no fewer than figures within 1e-3 need. */
const [SLOTS, MOST_SLOTS, LEAST_SLOTS] = [1 << 18, 1 << 14, 1 << 12]

/** Classes that have figures of their own: a histogram each takes up to 0.1 MB, and of a softmax one for each kind of scores. */
const MOST_CLASSES = 2048

/** What an evaluator keeps: plain data, which goes through JSON. What is in it may change with its version. */
export interface EvaluatorState extends Part {
  readonly kind: 'evaluation'
  /** One, or one for each class; `null` for none. */
  readonly temperature: readonly number[] | null
  /** The fingerprint of the data, where the temperature has that of its own. */
  readonly fittedOn: number | null
  /** How many classes rows have; `null` before there are any. */
  readonly classes: number | null
  /** Whether all logits are from 0 to 1, as they are if they are probabilities. */
  readonly from0To1: boolean
  /** @hidden histograms */
  readonly examples: ElementsState | RowsState | null
}

/** Made by {@link evaluator}. */
export class Evaluator {
  readonly #loss: EvaluableLoss
  readonly #settings: EvaluatorSettings
  readonly #name: string
  #classes: number | undefined
  #examples: Elements | Rows
  /** Of the chunk that is added. */
  readonly #labels = new Labels()
  #fingerprint = 0
  /** Of all logits so far. */
  #from0To1 = true

  /** @hidden `evaluator(options)` makes one */
  constructor(loss: EvaluableLoss, settings: EvaluatorSettings) {
    this.#loss = loss
    this.#settings = settings
    this.#name = describeLoss(loss.constants.formula.name, loss.options)
    // Of nothing, the figures of each class are those of nothing too; of a softmax there is none as long as nobody knows how many
    const { classPositive, formula } = loss.constants
    const classes = classPositive?.length ?? 1
    this.#examples = examplesOf(loss, settings, classes, classPositive === null && formula.perRow ? 0 : Math.min(classes, MOST_CLASSES))
  }

  /**
   * Adds a chunk: whole rows, with targets and call options as for `value`. Everything is checked before anything is counted: a chunk that is
   * refused changes nothing. Throws a RangeError for a logit that is NaN, a weight that is not finite or below 0, and another number of classes.
   */
  add(logits: Logits, targets: Targets, call: CallOptions = {}): this {
    if (arguments.length > 3) throw surplus('add()', 3, arguments.length)
    const { perRow } = this.#loss.constants.formula
    const problem = problemOf(this.#loss, logits, targets, call, (given) => (perRow ? areIndices(given) : this.#labels.read(given)))
    if (problem.logits.length === 0) return this
    const { classes } = problem
    if (this.#classes !== undefined && classes !== this.#classes) {
      throw new RangeError(`logits has rows of ${counted(classes, 'class', 'classes')}; expected ${this.#classes}, as in the chunks before`)
    }
    const { temperature, fittedOn } = this.#settings
    if (temperature !== null && temperature.length > 1 && temperature.length !== classes) {
      throw new RangeError(`temperature has ${counted(temperature.length, 'entry', 'entries')}; expected one per class, ${classes}`)
    }
    if (this.#classes === undefined) this.#examples = examplesOf(this.#loss, this.#settings, classes, this.#apartOf(classes))
    this.#classes = classes
    this.#examples.add(problem, isPlain(problem) ? this.#labels.bytes : null)
    this.#from0To1 &&= areFrom0To1(problem.logits)
    if (fittedOn !== undefined) this.#fingerprint = (this.#fingerprint + fingerprintOf(problem)) >>> 0
    return this
  }

  /**
   * All that is kept of the chunks so far: plain data for {@link merge}, as JSON of at most about 0.5 MB for each class (and of a softmax
   * for each kind of scores), whatever the data's size.
   */
  state(): EvaluatorState {
    if (arguments.length > 0) throw surplus('state()', 0, arguments.length)
    const { temperature, fittedOn } = this.#settings
    return {
      kind: 'evaluation',
      version: 1,
      loss: this.#name,
      temperature,
      fittedOn: fittedOn === undefined ? null : this.#fingerprint,
      classes: this.#classes ?? null,
      from0To1: this.#from0To1,
      examples: this.#classes === undefined ? null : this.#examples.state(),
    }
  }

  /**
   * Adds what others have kept of other parts of the data, in other processes perhaps: `state()` of evaluators of the same loss and the same
   * temperature, through JSON or not. The figures are those of one pass over everything; sums may differ in the last digits.
   *
   * @throws TypeError or RangeError for what is no such state, or one of another loss, temperature or number of classes; nothing has been added then.
   */
  merge(...parts: readonly EvaluatorState[]): this {
    let classes = this.#classes
    for (const part of parts) {
      checkPart(part, 'evaluation', this.#name)
      const [came, own] = [JSON.stringify(part.temperature), JSON.stringify(this.#settings.temperature)]
      if (came !== own) throw new RangeError(`part is of the temperature ${came}; expected ${own}`)
      flag('part.from0To1', part.from0To1)
      if (part.classes === null) continue
      classes ??= part.classes
      if (part.classes !== classes) throw new RangeError(`part has ${counted(part.classes, 'class', 'classes')}; expected ${classes}, as before`)
      const apart = this.#apartOf(classes)
      if (this.#loss.constants.formula.perRow) checkRows('part.examples', part.examples as RowsState, apart, this.#settings.temperature !== null)
      else checkElements('part.examples', part.examples as ElementsState, apart)
    }
    for (const { classes: ofPart, examples, fittedOn, from0To1 } of parts) {
      if (ofPart === null || examples === null) continue
      if (this.#classes === undefined) this.#examples = examplesOf(this.#loss, this.#settings, ofPart, this.#apartOf(ofPart))
      this.#classes = ofPart
      if (this.#examples instanceof Rows) this.#examples.merge(examples as RowsState)
      else this.#examples.merge(examples as ElementsState)
      this.#fingerprint = (this.#fingerprint + (fittedOn ?? 0)) >>> 0
      this.#from0To1 &&= from0To1
    }
    return this
  }

  /** What all chunks so far amount to. More may be added. Throws a RangeError where a weight of 0 leaves nothing to calibrate. */
  result(): Evaluation {
    if (arguments.length > 0) throw surplus('result()', 0, arguments.length)
    const scores = this.#examples.result(this.#settings)
    const isOwn = this.#classes !== undefined && this.#settings.fittedOn === this.#fingerprint
    const isCrowded = (this.#classes ?? 0) > MOST_CLASSES
    const mayBeProbabilities = this.#classes !== undefined && this.#from0To1 && this.#loss.constants.inputs === 'logits'
    return {
      example: this.#loss.constants.formula.perRow ? 'row' : 'element',
      ...scores,
      best: bestOf(scores),
      warnings: [
        ...(mayBeProbabilities ? [MAY_BE_PROBABILITIES] : []),
        ...(isOwn ? ['the temperature was fitted on the data that it is judged on, and looks better than it is'] : []),
        ...(isCrowded ? [`there are ${this.#classes} classes, of which none has figures of its own; up to ${MOST_CLASSES} have`] : []),
      ],
    }
  }

  /**
   * How many of so many classes are told apart: all, or, of too many, none. Then a softmax has its top label, and an element-wise loss one histogram for all, which needs
   * a logit to stand for the same in all classes.
   */
  #apartOf(classes: number): number {
    if (classes <= MOST_CLASSES) return classes
    const { constants } = this.#loss
    if (constants.formula.perRow) return 0
    const { temperature } = this.#settings
    if (!constants.isOneScale || (temperature !== null && temperature.length > 1)) {
      throw new RangeError(`logits has rows of ${counted(classes, 'class', 'classes')}, which the loss or the temperature treats each in its own way; expected at most ${MOST_CLASSES} of such`)
    }
    return 1
  }
}

/** The scores of least log loss. */
function bestOf({ raw, recalibrated, tempered }: AllScores): Evaluation['best'] {
  if (raw.logLoss === null) return null
  let best: Evaluation['best'] = 'raw'
  let least = raw.logLoss
  for (const [name, scores] of [['recalibrated', recalibrated], ['tempered', tempered]] as const) {
    const logLoss = scores?.logLoss ?? Infinity
    // Beyond rounding: of cross entropy, recalibrated scores are the raw ones
    if (logLoss < least * (1 - 1e-9)) [best, least] = [name, logLoss]
  }
  return best
}

function examplesOf({ constants }: EvaluableLoss, { temperature }: EvaluatorSettings, classes: number, apart: number): Elements | Rows {
  const limit = Math.max(LEAST_SLOTS, Math.min(MOST_SLOTS, 2 ** Math.floor(Math.log2(SLOTS / Math.max(1, apart)))))
  const { formula } = constants
  return formula.perRow ? new Rows(constants, temperature?.[0] ?? null, classes, apart, limit) : new Elements(constants, formula, apart, limit)
}

/**
 * How good a model's scores are against the truth, as they stand (`raw`), as the probabilities that the loss's calibration makes of
 * them (`recalibrated`), and with a temperature, where one is given (`tempered`): average precision, ROC, Brier score, log loss, calibration errors, reliability, and thresholds to decide by, as probabilities
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
 *
 * @example
 * ```js
 * import { evaluate, SigmoidFocalLoss } from 'focal-loss'
 *
 * const loss = new SigmoidFocalLoss({ gamma: 2, alpha: 0.25 })
 * const { raw, recalibrated } = evaluate(new Float32Array([2.2, -1.4, 0.3, -3.1]), [1, 0, 1, 0], { loss })
 * console.log(raw.logLoss, recalibrated.logLoss) // 0.231 and 0.052
 * console.log(recalibrated.thresholds.bestF1.logit) // 0.30
 * ```
 */
export function evaluate(logits: Logits, targets: Targets, options: EvaluateOptions): Evaluation {
  if (arguments.length > 3) throw surplus('evaluate()', 3, arguments.length)
  checkOptionsRecord(options)
  checkNames(options, evaluateNames, 'evaluate()')
  const { loss, temperature, bins, thresholds, ...call } = options
  return evaluator({ loss, temperature, bins, thresholds }).add(logits, targets, call).result()
}

/** As {@link evaluate}, for data that comes in chunks: `evaluator.add(logits, targets)` for each, then `evaluator.result()`. */
export function evaluator(options: EvaluatorOptions): Evaluator {
  if (arguments.length > 1) throw surplus('evaluator()', 1, arguments.length)
  const settings = checkOptions(options)
  return new Evaluator(options.loss, settings)
}
