/** The options of a report, the explainer and evaluator for them, and the state of a part. */
import { type Evaluator, evaluator, type EvaluatorState, type Explainer, type ExplainerState } from 'focal-loss'
import { type Compared, comparedOf, type ExplainedOptions, type LossName, makeLoss } from './losses.js'
import type { Trained } from './explained.js'

/** The same of all parts. */
export interface Question {
  readonly loss: LossName
  readonly inputs: 'logits' | 'probabilities'
  readonly gammas?: readonly number[]
  readonly alphas?: readonly (number | null)[]
  readonly background: number | 'num-classes' | null
  /** NaN: targets that are missing. */
  readonly ignoreIndex: number | null
  /** Of a heatmap. */
  readonly positiveFrom?: number
  readonly hardest: number
  readonly bins?: number | readonly number[]
}

/** What a part is of. */
export interface PartTitle {
  readonly kind: 'focal-loss explain'
  readonly version: 1
  readonly question: Question
  readonly file: string
  readonly targets: string
  readonly classes: number
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}

/** What `--save` writes. */
export interface PartFile extends PartTitle {
  readonly explainer: ExplainerState
  readonly evaluator: EvaluatorState
}

/** What was found, where it was added up. */
export interface Found {
  readonly title: PartTitle
  readonly work: Work
}

/** As plain data. */
export function partFileOf({ title, work: { explainer, evaluator } }: Found): PartFile {
  return { ...title, explainer: explainer.state(), evaluator: evaluator.state() }
}

interface Work {
  readonly explainer: Explainer
  readonly evaluator: Evaluator
  /** The loss that scores are recalibrated for. */
  readonly trained: Trained
}

/** What is worked with where this is asked. */
export function workOf({ loss, background, ignoreIndex, positiveFrom, gammas, alphas, hardest, bins }: Question): Work {
  const constant = { background, ignoreIndex, ...(positiveFrom !== undefined && { positiveFrom }) }
  const compared = { ...comparedOf(loss), ...(gammas && { gammas }), ...(alphas && { alphas }) }
  const explainer = makeLoss(loss, constant).explainer({ ...compared, hardest, bins, perClass: true })
  const trained = makeLoss(loss, { ...constant, ...trainedOf(compared) })
  return { explainer, evaluator: evaluator({ loss: trained }), trained: namedOf(trained.options) }
}

/** The usual gamma. */
const USUAL_GAMMA = 2

/** One of those that are compared, so that a report is of no other: the last one with gamma 2, or the last. */
function trainedOf({ gammas, alphas }: Compared): Pick<ExplainedOptions, 'gamma' | 'alpha'> {
  return {
    ...(gammas && { gamma: gammas.includes(USUAL_GAMMA) ? USUAL_GAMMA : gammas[gammas.length - 1] }),
    ...(alphas && { alpha: alphas[alphas.length - 1] }),
  }
}

/** The gamma and the alpha of a loss, where it has them. */
export function namedOf(options: object): Trained {
  const { gamma, alpha }: Trained = { ...options }
  return { ...(gamma !== undefined && { gamma }), ...(alpha !== undefined && { alpha }) }
}
