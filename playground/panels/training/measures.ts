/** Metrics of logits on test points, the same for every loss. */
import { fitTemperature, presets, SigmoidFocalLoss } from 'focal-loss'
import { averagePrecision, bestThreshold, decide, type Decided, precisionRecallCurve } from './ranking.js'

export interface Scored {
  readonly logits: Float32Array
  readonly targets: Uint8Array
}

/** How it is decided what is positive: a score of 0.5, a recalibrated probability of 0.5, or the threshold with the best F1 on validation. */
export const cuts = ['score', 'recalibrated', 'best'] as const
export type Cut = (typeof cuts)[number]

/** How logits are taken for probabilities: the sigmoid, `toProbability`, or the sigmoid after a temperature that was fitted on validation. */
export const readings = ['score', 'recalibrated', 'tempered'] as const
export type Reading = (typeof readings)[number]

/** How good probabilities are. */
export interface Judged {
  readonly mean: number
  readonly logLoss: number
  /** The mean distance of probability and rate over the bins, by their points. */
  readonly calibrationError: number
  readonly bins: readonly Bin[]
}

/** Points whose probabilities are alike. */
export interface Bin {
  readonly mean: number
  /** The share of positives among them. */
  readonly rate: number
}

/** A point of a precision-recall curve. */
export interface CurvePoint {
  readonly recall: number
  readonly precision: number
}

export interface Measured {
  readonly averagePrecision: number
  /** `null` where scores say nothing yet: then none is best. */
  readonly temperature: number | null
  /** Their thresholds are logits. */
  readonly decided: Readonly<Record<Cut, Decided>>
  readonly judged: Readonly<Record<Exclude<Reading, 'tempered'>, Judged>> & { readonly tempered: Judged | null }
  readonly curve: readonly CurvePoint[]
}

const BINS = 10

export function measure(loss: SigmoidFocalLoss, validation: Scored, test: Scored): Measured {
  const { logits, targets } = test
  const { backend } = loss.options
  const curve = precisionRecallCurve(logits, targets)
  const temperature = temperatureOf(loss, validation)
  const best = bestThreshold(precisionRecallCurve(validation.logits, validation.targets))
  const decidedFrom = (logit: number) => decide(logits, targets, logit)
  const judge = (probabilities: Float32Array) => judged(probabilities, targets, new SigmoidFocalLoss({ ...presets.crossEntropy, reduction: 'mean', inputs: 'probabilities', backend }))
  return {
    averagePrecision: averagePrecision(curve),
    temperature,
    decided: { score: decidedFrom(0), recalibrated: decidedFrom(logitOfHalf(loss)), best: decidedFrom(best) },
    judged: {
      score: judge(logits.map(sigmoid)),
      recalibrated: judge(loss.toProbability(logits)),
      tempered: temperature === null ? null : judge(logits.map((logit) => sigmoid(logit / temperature))),
    },
    curve: thinned(curve),
  }
}

export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit))
}

function temperatureOf(loss: SigmoidFocalLoss, { logits, targets }: Scored): number | null {
  try {
    return fitTemperature(logits, targets, { loss }).temperature as number
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** The logit that stands for a probability of 0.5 under the loss: `toProbability` rises with it. */
function logitOfHalf(loss: SigmoidFocalLoss): number {
  let [low, high] = [-30, 30]
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2
    if (loss.toProbability(Float32Array.of(middle))[0] < 0.5) low = middle
    else high = middle
  }
  return (low + high) / 2
}

function judged(probabilities: Float32Array, targets: Uint8Array, crossEntropy: SigmoidFocalLoss<'mean'>): Judged {
  const bins = Array.from({ length: BINS }, () => ({ count: 0, sum: 0, positives: 0 }))
  probabilities.forEach((probability, i) => {
    const bin = bins[Math.min(BINS - 1, Math.floor(BINS * probability))]
    bin.count++
    bin.sum += probability
    bin.positives += targets[i]
  })
  const filled = bins.filter(({ count }) => count > 0)
  return {
    mean: filled.reduce((all, { sum }) => all + sum, 0) / targets.length,
    logLoss: crossEntropy.value(probabilities, targets),
    calibrationError: filled.reduce((all, { sum, positives }) => all + Math.abs(sum - positives), 0) / targets.length,
    bins: filled.map(({ count, sum, positives }) => ({ mean: sum / count, rate: positives / count })),
  }
}

function thinned(curve: readonly CurvePoint[]): CurvePoint[] {
  const every = Math.max(1, Math.floor(curve.length / 150))
  return curve.filter((_, i) => i % every === 0 || i === curve.length - 1).map(({ recall, precision }) => ({ recall, precision }))
}
