/** How good logits are, on points that were not trained on. */
import { presets, SigmoidFocalLoss } from 'focal-loss'
import { averagePrecision, bestThreshold, f1, f1At, precisionRecallCurve } from './ranking.js'

export interface Scored {
  readonly logits: Float32Array
  readonly targets: Uint8Array
}

export interface Measures {
  /** A score: what is at least that is called positive. */
  readonly threshold: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
  /** With a threshold that is best on validation, for every loss alike. */
  readonly tunedF1: number
  readonly averagePrecision: number
  /** The mean of the scores, and of the probabilities that they stand for. */
  readonly meanScore: number
  readonly meanProbability: number
  /** Cross entropy per point, of the score taken for a probability, and of the probability it stands for. */
  readonly scoreLogLoss: number
  readonly probabilityLogLoss: number
}

/** A point of a precision-recall curve. */
export interface CurvePoint {
  readonly recall: number
  readonly precision: number
}

export interface Measured {
  readonly untuned: Measures
  readonly tuned: Measures
  readonly curve: readonly CurvePoint[]
}

export function measure(loss: SigmoidFocalLoss, validation: Scored, test: Scored): Measured {
  const { logits, targets } = test
  const curve = precisionRecallCurve(logits, targets)
  const best = bestThreshold(precisionRecallCurve(validation.logits, validation.targets))
  const probabilities = loss.toProbability(logits)
  const { backend } = loss.options
  const shared = {
    tunedF1: f1At(logits, targets, best),
    averagePrecision: averagePrecision(curve),
    meanScore: mean(logits.map(sigmoid)),
    meanProbability: mean(probabilities),
    scoreLogLoss: new SigmoidFocalLoss({ ...presets.crossEntropy, backend }).value(logits, targets),
    probabilityLogLoss: new SigmoidFocalLoss({ ...presets.crossEntropy, inputs: 'probabilities', backend }).value(probabilities, targets),
  }
  return {
    untuned: { ...shared, ...at(0, test) },
    tuned: { ...shared, ...at(best, test) },
    curve: thinned(curve),
  }
}

export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit))
}

/** What is found with this logit as threshold. */
function at(threshold: number, { logits, targets }: Scored): Pick<Measures, 'threshold' | 'precision' | 'recall' | 'f1'> {
  let [found, called, positives] = [0, 0, 0]
  for (let i = 0; i < logits.length; i++) {
    const positive = targets[i] === 1
    if (positive) positives++
    if (logits[i] < threshold) continue
    called++
    if (positive) found++
  }
  const [precision, recall] = [called === 0 ? 0 : found / called, positives === 0 ? 0 : found / positives]
  return { threshold: sigmoid(threshold), precision, recall, f1: f1({ precision, recall }) }
}

function mean(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function thinned(curve: readonly CurvePoint[]): CurvePoint[] {
  const every = Math.max(1, Math.floor(curve.length / 150))
  return curve.filter((_, i) => i % every === 0 || i === curve.length - 1).map(({ recall, precision }) => ({ recall, precision }))
}
