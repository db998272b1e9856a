/** What can be asked of `evaluate`, checked. */
import { checkMethods, checkNames, checkRecord, number } from '../../arguments.js'
import { wrongType } from '../../errors.js'
import type { Targets } from '../../arrays/numeric_array.js'
import type { Logits } from '../../arrays/logits.js'
import { type CallOptions, methods } from '../../problem/call.js'
import type { LossConstants } from '../../problem/constants.js'
import { integer } from '../explain/options.js'
import type { Costs } from './evaluation.js'

/** What is used of a loss: any of this package has it. */
export interface EvaluableLoss {
  /**
   * The options as formulas take them.
   *
   * @hidden it may change
   */
  readonly constants: LossConstants
  /** See {@link FocalLossBase.sums}: checks a call. */
  sums(logits: Logits, targets: Targets, call: CallOptions): object
}

/** What an evaluation is asked for. `undefined` means the default. */
export interface EvaluatorOptions {
  /** The loss that the model was trained with. It says what is a positive, what is ignored, and what a logit stands for. */
  loss: EvaluableLoss
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
  readonly bins: number
  readonly thresholds: ThresholdQuestions
}

const evaluatorNames = ['loss', 'bins', 'thresholds']
export const evaluateNames: ReadonlySet<string> = new Set([...evaluatorNames, ...methods.explainerAdd.options])

export function checkOptions(options: EvaluatorOptions): EvaluatorSettings {
  checkRecord('options', options)
  checkNames(options, new Set(evaluatorNames), 'evaluator()')
  const { loss, bins = 15, thresholds = {} } = options
  checkMethods('loss', loss, ['sums'])
  if (loss.constants === undefined) throw wrongType('loss', loss, 'a loss of this package, whose calibration is known')
  checkRecord('thresholds', thresholds)
  checkNames(thresholds, new Set(['recall', 'precision', 'cost']), 'thresholds')
  const { recall = [0.9], precision = [0.9], cost = [{ falsePositive: 1, falseNegative: 1 }] } = thresholds
  return {
    bins: integer('bins', bins, 1, 1000),
    thresholds: { recall: shares('recall', recall), precision: shares('precision', precision), cost: costs(cost) },
  }
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
