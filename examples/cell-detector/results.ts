import type { Dataset } from './dataset.js'
import { averagePrecision, bestThreshold, f1At, precisionRecallCurve, type CurvePoint } from './metrics.js'
import { predictLogits } from './model.js'
import { resampleAveragePrecision } from './resampling.js'
import type { TrainedModel } from './train.js'
import type { Variant } from './variants.js'

/** How often the test images are drawn anew to see how far their choice moves average precision. */
const DRAWS = 200

/** A trained variant and how it did. */
export interface Result {
  readonly variant: Variant
  /** Whether the loss focuses (gamma above 0). */
  readonly focal: boolean
  readonly training: Omit<TrainedModel, 'model'>
  readonly testLogits: Float32Array
  readonly curve: readonly CurvePoint[]
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

export function evaluate(predicted: readonly Predicted[], { val, test }: Dataset, seed: number): Result[] {
  const resampled = resampleAveragePrecision(predicted.map(({ testLogits }) => testLogits), test.targets, DRAWS, seed)
  return predicted.map(({ variant, training, valLogits, testLogits }, index) => {
    const curve = precisionRecallCurve(testLogits, test.targets)
    const threshold = bestThreshold(precisionRecallCurve(valLogits, val.targets))
    return {
      variant,
      focal: variant.loss.gamma !== 0,
      training,
      testLogits,
      curve,
      averagePrecision: averagePrecision(curve),
      resampled: resampled[index] ?? [],
      threshold,
      testF1: f1At(testLogits, test.targets, threshold),
    }
  })
}
