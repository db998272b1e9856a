/** A temperature: the number that logits are divided by, so that their log loss is least. */
import { checkNames, flag } from '../../arguments.js'
import type { Logits } from '../../arrays/logits.js'
import type { Targets } from '../../arrays/numeric_array.js'
import { surplus } from '../../errors.js'
import { type CallOptions, methods } from '../../problem/call.js'
import { problemOf } from './data.js'
import { fingerprintOf } from './fingerprint.js'
import { minimise } from './newton.js'
import { checkEvaluable, checkOptionsRecord, type EvaluableLoss } from './options.js'
import { slopesOfElements, slopesOfRows } from './slopes.js'

/** What {@link fitTemperature} finds: plain data. */
export interface FittedTemperature {
  /** The temperature that divides the logits, above 0; with `perClass` one per class. Above 1 the model was over-confident. */
  readonly temperature: number | readonly number[]
  /** The mean log loss before, in nats, by weight. */
  readonly logLossBefore: number
  /** And with the temperature. */
  readonly logLoss: number
  /** By which `evaluate` knows the data again, and warns where it judges what was fitted on it. */
  readonly fittedOn: number
}

/** The options of {@link fitTemperature}, with the layout of its call. */
export interface TemperatureOptions extends CallOptions {
  /** The loss that the model was trained with. It says what is a positive, what is ignored, and whether rows are a softmax. */
  loss: EvaluableLoss
  /** Whether each class has a temperature of its own, which a softmax cannot have. Default false. */
  perClass?: boolean | undefined
}

const temperatureNames: ReadonlySet<string> = new Set(['loss', 'perClass', ...methods.explainerAdd.options])

/**
 * The temperature T at which `sigmoid(x / T)`, or the softmax of `x / T`, has the least log loss on this data: temperature scaling (Guo et al. 2017,
 * arXiv:1706.04599). Found by Newton's method, to the last digits. Fit it on data that was not trained on, and judge it on other data still.
 *
 * With `perClass`, a class whose log loss has no least (one without positives or negatives, or whose scores part them without error) has the temperature of all
 * classes together. Uses the same valid examples as {@link evaluate}; infinite logits stay what they are.
 *
 * @param logits as for `value`, on the host.
 * @param targets as for `value`.
 * @returns plain data. Throws what `evaluate` throws, and a RangeError where no temperature is best: where there is no data, where no score is wrong, so that
 *   the best is 0, and where scores say nothing of the truth or the contrary.
 *
 * @example
 * ```js
 * import { fitTemperature, SigmoidFocalLoss } from 'focal-loss'
 *
 * const loss = new SigmoidFocalLoss({ gamma: 0, alpha: null })
 * const { temperature } = fitTemperature(new Float32Array([6, 5, -7, -6, 4, -5]), [1, 1, 0, 0, 0, 1], { loss })
 * console.log(temperature) // 5.74
 * ```
 */
export function fitTemperature(logits: Logits, targets: Targets, options: TemperatureOptions): FittedTemperature {
  if (arguments.length > 3) throw surplus('fitTemperature()', 3, arguments.length)
  checkOptionsRecord(options)
  checkNames(options, temperatureNames, 'fitTemperature()')
  const { loss, perClass = false, ...call } = options
  checkEvaluable(loss)
  const isPerRow = loss.constants.formula.perRow
  if (flag('perClass', perClass) && isPerRow) throw new TypeError('perClass is true; expected false, as a softmax has one temperature')
  const problem = problemOf(loss, logits, targets, call)
  const slopesOf = isPerRow ? slopesOfRows : slopesOfElements
  const common = minimise(1, (betas) => slopesOf(problem, betas))[0]
  if (typeof common === 'string') throw new RangeError(`logits have no best temperature: ${common}`)
  const fitted = perClass ? minimise(problem.classes, (betas) => slopesOf(problem, betas)).map((beta) => (typeof beta === 'string' ? common : beta)) : [common]
  const logLossAt = (betas: readonly number[]) => {
    const { value, weight } = slopesOf(problem, betas)
    return value.reduce((a, b) => a + b, 0) / weight
  }
  const temperatures = fitted.map((beta) => 1 / beta)
  return {
    temperature: perClass ? temperatures : temperatures[0],
    logLossBefore: logLossAt([1]),
    logLoss: logLossAt(fitted),
    fittedOn: fingerprintOf(problem),
  }
}
