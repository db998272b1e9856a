import { evaluate, SigmoidFocalLoss, type Evaluation, type PrecisionRecallPoint } from 'focal-loss'
import type { Dataset } from './dataset.js'
import { predictLogits } from './model.js'
import { resampleAveragePrecision } from './resampling.js'
import type { TrainedModel } from './train.js'
import type { Variant } from './variants.js'

/** How often the test images are resampled, to see how much average precision depends on them. */
const DRAWS = 200

/** A trained variant and how it did. */
export interface Result {
  readonly variant: Variant
  /** Whether the loss focuses (gamma above 0). */
  readonly focal: boolean
  readonly training: Omit<TrainedModel, 'model'>
  readonly testLogits: Float32Array
  readonly curve: readonly PrecisionRecallPoint[]
  readonly averagePrecision: number
  /** Average precision on each drawing of test images; the same drawings for every variant. */
  readonly resampled: readonly number[]
  /** The logit with the highest F1 on validation, and F1 on test when it is used there. */
  readonly threshold: number
  readonly testF1: number
}

/** A variant with its logits on both held-out splits. */
export interface Predicted {
  readonly variant: Variant
  readonly training: Omit<TrainedModel, 'model'>
  readonly valLogits: Float32Array
  readonly testLogits: Float32Array
}

export function predict(variant: Variant, { model, ...training }: TrainedModel, { val, test }: Dataset): Predicted {
  return { variant, training, valLogits: predictLogits(model, val.features), testLogits: predictLogits(model, test.features) }
}

export function judge(predicted: readonly Predicted[], { val, test }: Dataset, seed: number): Result[] {
  const resampled = resampleAveragePrecision(predicted.map(({ testLogits }) => testLogits), test.targets, DRAWS, seed)
  return predicted.map(({ variant, training, valLogits, testLogits }, index) => {
    const threshold = bestThreshold(scoresOf(variant, valLogits, val.targets))
    const { averagePrecision, precisionRecall } = scoresOf(variant, testLogits, test.targets)
    return {
      variant,
      focal: variant.loss.gamma !== 0,
      training,
      testLogits,
      curve: precisionRecall,
      averagePrecision: known(averagePrecision),
      resampled: resampled[index] ?? [],
      threshold,
      testF1: f1At(testLogits, test.targets, threshold),
    }
  })
}

function scoresOf({ loss }: Variant, logits: Float32Array, targets: Uint8Array): Evaluation['raw'] {
  return evaluate(logits, targets, { loss: new SigmoidFocalLoss({ ...loss }) }).raw
}

/** The logit with the highest F1. */
function bestThreshold({ thresholds }: Evaluation['raw']): number {
  return known(thresholds?.bestF1.logit ?? null)
}

/** Every split has positives (dataset.ts sees to that), so every figure is one. */
function known(figure: number | null): number {
  if (figure === null) throw new RangeError('there are no positives to judge by')
  return figure
}

/** F1 when everything with a score of at least `threshold` is called a platelet. */
export function f1At(scores: Float32Array, targets: Uint8Array, threshold: number): number {
  let truePositives = 0
  let mistakes = 0
  for (let i = 0; i < scores.length; i++) {
    const found = scores[i] >= threshold
    if (found !== (targets[i] === 1)) mistakes++
    else if (found) truePositives++
  }
  return truePositives === 0 ? 0 : (2 * truePositives) / (2 * truePositives + mistakes)
}
