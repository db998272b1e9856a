/** The options of `evaluate`, checked. */
import { checkLossMethods, checkNames, checkRecord, number, positiveNumber } from '../../arguments.js'
import { wrongType } from '../../errors.js'
import type { Targets } from '../../arrays/numeric_array.js'
import type { Logits } from '../../arrays/logits.js'
import { type CallOptions, methods } from '../../problem/call.js'
import type { LossConstants } from '../../problem/constants.js'
import { integer } from '../explain/options.js'
import type { Costs } from './evaluation.js'

/** A loss of this package: the members that evaluation reads. */
export interface EvaluableLoss {
  /**
   * The options as formulas take them.
   *
   * @hidden it may change
   */
  readonly constants: LossConstants
  /** See {@link FocalLossBase.options}. */
  readonly options: object
  /** See {@link FocalLossBase.sums}: checks a call. */
  sums(logits: Logits, targets: Targets, call: CallOptions): object
}

/** What {@link fitTemperature} returns, as far as it is used here. */
export interface Temperature {
  /** What logits are divided by, above 0: one number, or one for each class. */
  readonly temperature: number | readonly number[]
  /** By which the data that it was fitted on is known again. */
  readonly fittedOn?: number
}

/** What an evaluation is asked for. `undefined` means the default. */
export interface EvaluatorOptions {
  /** The loss that the model was trained with. It says what is a positive, what is ignored, and what a logit stands for. */
  loss: EvaluableLoss
  /**
   * A temperature to judge too: a number above 0, one for each class, or what {@link fitTemperature} returned, with which there is a warning
   * where it was fitted on the very data it is judged on. Default: none.
   */
  temperature?: number | readonly number[] | Temperature | undefined
  /** How many bins calibration is judged in, 1 to 1,000. Default 15. */
  bins?: number | undefined
  /** Which thresholds are wanted beside that of the best F1. */
  thresholds?: {
    /** Shares from 0 to 1 that the recall must reach. Default `[0.9]`. */
    recall?: readonly number[] | undefined
    /** Shares from 0 to 1 that the precision must reach. Default `[0.9]`. */
    precision?: readonly number[] | undefined
    /** What wrong decisions cost. Default `[{ falsePositive: 1, falseNegative: 1 }]`. */
    cost?: readonly Costs[] | undefined
  } | undefined
}

/** The options of {@link evaluate}, with the layout of its call. */
export interface EvaluateOptions extends EvaluatorOptions, CallOptions {}

/** The thresholds that are asked for. */
export interface ThresholdQuestions {
  readonly recall: readonly number[]
  readonly precision: readonly number[]
  readonly cost: readonly Costs[]
}

export interface EvaluatorSettings {
  /** One, or one for each class. */
  readonly temperature: readonly number[] | null
  readonly fittedOn: number | undefined
  readonly bins: number
  readonly thresholds: ThresholdQuestions
}

const evaluatorNames = ['loss', 'temperature', 'bins', 'thresholds']
export const evaluateNames: ReadonlySet<string> = new Set([...evaluatorNames, ...methods.explainerAdd.options])

export function checkOptions(options: EvaluatorOptions): EvaluatorSettings {
  checkOptionsRecord(options)
  checkNames(options, new Set(evaluatorNames), 'evaluator()')
  const { loss, temperature, bins = 15, thresholds = {} } = options
  checkEvaluable(loss)
  checkRecord('thresholds', thresholds)
  checkNames(thresholds, new Set(['recall', 'precision', 'cost']), 'thresholds')
  const { recall = [0.9], precision = [0.9], cost = [{ falsePositive: 1, falseNegative: 1 }] } = thresholds
  return {
    ...readTemperature(temperature, loss.constants),
    bins: integer('bins', bins, 1, 1000),
    thresholds: { recall: shares('recall', recall), precision: shares('precision', precision), cost: costs(cost) },
  }
}

/** Options with a loss among them, not the loss in place of them. */
export function checkOptionsRecord(options: unknown): void {
  if (typeof (Object(options) as Partial<EvaluableLoss>).sums === 'function') throw wrongType('options', options, '{ loss, ... }')
  checkRecord('options', options, 'an object with options, such as { loss }')
}

/** A loss of this package, whose calibration is known. */
export function checkEvaluable(loss: EvaluableLoss): void {
  checkLossMethods(loss, ['sums'])
  // Which those who do not write TypeScript find out here
  if ((loss as Partial<EvaluableLoss>).constants === undefined) throw wrongType('loss', loss, 'a loss of this package, whose calibration is known')
}

function readTemperature(given: EvaluatorOptions['temperature'], { formula }: LossConstants): Pick<EvaluatorSettings, 'temperature' | 'fittedOn'> {
  if (given === undefined) return { temperature: null, fittedOn: undefined }
  const { temperature, fittedOn }: { readonly temperature: unknown; readonly fittedOn?: number } = isFitted(given) ? given : { temperature: given }
  if (typeof temperature === 'number') return { temperature: [positiveNumber('temperature', temperature)], fittedOn }
  const expected = `a number > 0${formula.perRow ? '' : ', an array of such (one per class)'} or what fitTemperature() returns`
  if (!Array.isArray(temperature) || temperature.length === 0 || formula.perRow) throw wrongType('temperature', temperature, expected)
  return { temperature: temperature.map((each: unknown, c) => positiveNumber(`temperature[${c}]`, each)), fittedOn }
}

function isFitted(given: number | readonly number[] | Temperature): given is Temperature {
  return typeof given === 'object' && given !== null && 'temperature' in given
}

function shares(name: string, given: unknown): number[] {
  if (!Array.isArray(given)) throw wrongType(`thresholds.${name}`, given, 'an array of numbers from 0 to 1')
  return given.map((each: unknown, i) => number(`thresholds.${name}[${i}]`, each, 0, 1))
}

function costs(given: unknown): Costs[] {
  if (!Array.isArray(given)) throw wrongType('thresholds.cost', given, 'an array of { falsePositive, falseNegative }')
  return given.map((each: unknown, i) => {
    const name = `thresholds.cost[${i}]`
    checkRecord(name, each)
    const { falsePositive, falseNegative } = each as Partial<Costs>
    checkNames(each as object, new Set(['falsePositive', 'falseNegative']), name)
    return {
      falsePositive: number(`${name}.falsePositive`, falsePositive, 0, Infinity),
      falseNegative: number(`${name}.falseNegative`, falseNegative, 0, Infinity),
    }
  })
}
