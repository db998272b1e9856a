/**
 * Options that reproduce what other libraries do by default, as data: `new SigmoidFocalLoss({ ...presets.torchvision })`.
 * All of them are on logits, whatever the library itself takes.
 */
import { wrongType } from './errors.js'
import { number, type PerClass } from './options.js'

/**
 * Cross entropy with weights. A number weighs the positives, `negative` (default `1 - positive`) the negatives, of
 * SigmoidFocalLoss; an array weighs classes, of either loss.
 *
 * @param positive from 0 to 1 where `negative` is left out, else >= 0 (PyTorch's `pos_weight: w` is `(w, 1)`);
 *   or one weight >= 0 per class.
 */
function weightedCrossEntropy(positive: PerClass, negative?: number) {
  if (typeof positive === 'object' && positive !== null) {
    if (negative !== undefined) throw wrongType('negative', negative, 'nothing, as positive has a weight for each class')
    return { gamma: 0, alpha: null, classWeights: positive }
  }
  number('positive', positive, 0, negative === undefined ? 1 : Infinity)
  const total = positive + number('negative', negative ?? 1 - positive, 0, Infinity)
  if (total === 0) throw new RangeError('positive and negative are 0; expected at least one weight above 0')
  return { gamma: 0, alpha: positive / total, classWeights: total }
}

export const presets = {
  /** Plain cross entropy: binary for SigmoidFocalLoss, categorical for SoftmaxFocalLoss. */
  crossEntropy: { gamma: 0, alpha: null },

  weightedCrossEntropy,

  /** `torchvision.ops.sigmoid_focal_loss`: alpha 0.25, gamma 2, one loss per logit. */
  torchvision: { gamma: 2, alpha: 0.25, reduction: 'none' },

  /** `optax.losses.sigmoid_focal_loss`: gamma 2, no alpha, one loss per logit. */
  optax: { gamma: 2, alpha: null, reduction: 'none' },

  /**
   * `keras.losses.BinaryFocalCrossentropy(from_logits=True)`: gamma 2, mean over all elements. Keras balances only with
   * `apply_class_balancing=True`, which is `alpha: 0.25` here.
   */
  keras: { gamma: 2, alpha: null, reduction: 'mean' },

  /** `paddle.nn.functional.sigmoid_focal_loss`: alpha 0.25, gamma 2, sum. Its `normalizer` is the call option of that name. */
  paddle: { gamma: 2, alpha: 0.25, reduction: 'sum' },

  /**
   * `mmcv.ops.SigmoidFocalLoss(gamma=2, alpha=0.25)`: class indices, where the class count means background; its 'mean'
   * divides by the rows. mmdetection's `avg_factor` is the call option `normalizer`.
   */
  mmcv: { gamma: 2, alpha: 0.25, reduction: 'mean-rows', background: 'num-classes' },

  /**
   * Detectron2's RetinaNet: class indices, where the class count means background and -1 is ignored; divided by the
   * positives. Detectron2 smooths that number over steps: pass the smoothed one as `normalizer`.
   */
  detectron: { gamma: 2, alpha: 0.25, reduction: 'mean-positives', background: 'num-classes', ignoreIndex: -1 },
} as const
