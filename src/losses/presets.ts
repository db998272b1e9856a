/**
 * Options that reproduce the defaults of other libraries, as data: `new SigmoidFocalLoss({ ...presets.torchvision })`.
 * All of them take logits, whatever the library itself takes. docs/semantics.md compares the libraries.
 */
import { counted, outOfRange, surplus, wrongType } from '../errors.js'
import { checkNames, number } from '../arguments.js'
import { checkAlpha, type PerClass } from '../problem/options.js'
import { checkCounts } from './class_weights.js'

/** The whole program shares them: nobody may change one for the others. */
function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value) as unknown[]) if (typeof part === 'object' && part !== null) frozen(part)
  Object.freeze(value)
  return value
}

/**
 * Cross entropy with weights. For SigmoidFocalLoss, a number is the weight of positives, and `negative` (default `1 - positive`)
 * that of negatives. An array has one weight per class, for either loss. `{ counts }` are the class sizes: class c has the weight
 * `N / (C counts[c])`, with N samples in C classes, so all classes have the same total weight. A class without samples has weight 0.
 *
 * @param positive from 0 to 1 without `negative`, else >= 0 (PyTorch's `pos_weight: w` is `(w, 1)`);
 *   or one weight >= 0 per class; or `{ counts }`.
 */
function weightedCrossEntropy(positive: PerClass | ClassCounts, negative?: number) {
  if (arguments.length > 2) throw surplus('weightedCrossEntropy()', 2, arguments.length)
  if (typeof positive === 'object' && positive !== null) {
    if (negative !== undefined) throw wrongType('negative', negative, 'nothing, as positive has a weight for each class')
    const classWeights: readonly number[] = 'counts' in positive ? balanced(positive) : Array.from(positive)
    return frozen({ gamma: 0, alpha: null, classWeights } as const)
  }
  // PyTorch's pos_weight says how many times a positive weighs
  const hint = ", as negative is left out and 1 - positive then (PyTorch's pos_weight w is weightedCrossEntropy(w, 1))"
  if (negative === undefined) number('positive', positive, 0, 1, hint)
  else number('positive', positive, 0, Infinity)
  const total = positive + number('negative', negative ?? 1 - positive, 0, Infinity)
  if (total === 0) throw new RangeError('positive and negative are 0; expected at least one weight above 0')
  return frozen({ gamma: 0, alpha: positive / total, classWeights: total } as const)
}

/** The sizes of classes. */
export interface ClassCounts {
  /** How many samples each class has: numbers >= 0, at least one above 0. */
  readonly counts: ArrayLike<number>
}

function balanced(given: ClassCounts): readonly number[] {
  checkNames(given, countNames, 'weightedCrossEntropy()')
  const counts = checkCounts(given.counts)
  const samples = counts.reduce((a, b) => a + b, 0)
  return Array.from(counts, (count) => (count === 0 ? 0 : samples / (counts.length * count)))
}

const countNames: ReadonlySet<string> = new Set(['counts'])

/** Alpha of libraries in which class 0 is the background: `1 - alpha` for class 0, `alpha` for every other class. A list is used as it is. */
function backgroundFirst(classes: number, alpha: PerClass | null): readonly number[] | null {
  if (typeof classes !== 'number') throw wrongType('classes', classes, 'an integer >= 1')
  if (!Number.isSafeInteger(classes) || classes < 1) throw outOfRange('classes', classes, 'an integer >= 1')
  const given = checkAlpha(alpha, typeof alpha === 'number' ? 1 : Infinity)
  if (typeof given !== 'number') {
    if (given !== null && given.length !== classes) throw new RangeError(`alpha has ${counted(given.length, 'entry', 'entries')}; expected ${classes}, one per class`)
    return given
  }
  return Array.from({ length: classes }, (_, c) => (c === 0 ? 1 - given : given))
}

/**
 * `kornia.losses.focal_loss`, for SoftmaxFocalLoss: gamma 2, -100 is ignored, one loss per row (Kornia's tensor has zeros
 * for the other classes).
 *
 * @param classes how many there are, an integer >= 1; class 0 is the background.
 * @param alpha from 0 to 1: the weight of classes 1 and up, `1 - alpha` that of class 0; or a list, one weight >= 0 per class. Default
 *   `null`: off.
 */
function korniaSoftmax(classes: number, alpha: PerClass | null = null) {
  if (arguments.length > 2) throw surplus('korniaSoftmax()', 2, arguments.length)
  return frozen({ gamma: 2, alpha: backgroundFirst(classes, alpha), reduction: 'none', ignoreIndex: -100 } as const)
}

/**
 * `monai.losses.FocalLoss(use_softmax=True)`, for SoftmaxFocalLoss: gamma 2. Its mean is over every channel of every position,
 * not over positions, hence the weight `1 / classes`: with 'none', set `classWeights: null`.
 *
 * @param classes how many there are, an integer >= 1; class 0 is the background.
 * @param alpha from 0 to 1: the weight of classes 1 and up, `1 - alpha` that of class 0; or a list, one weight >= 0 per class. Default
 *   `null`: off.
 */
function monaiSoftmax(classes: number, alpha: PerClass | null = null) {
  if (arguments.length > 2) throw surplus('monaiSoftmax()', 2, arguments.length)
  return frozen({ gamma: 2, alpha: backgroundFirst(classes, alpha), classWeights: 1 / classes, reduction: 'mean' } as const)
}

// Pure, so that bundlers leave it out of programs that use none
/**
 * Options by the name of the library that has them, frozen; for SigmoidFocalLoss where nothing else is said.
 *
 * @example
 * ```js
 * import { presets, SigmoidFocalLoss } from 'focal-loss'
 *
 * const crossEntropy = new SigmoidFocalLoss({ ...presets.crossEntropy })
 * console.log(crossEntropy.value(new Float32Array([0]), [1])) // 0.6931
 * ```
 */
export const presets = /* @__PURE__ */ frozen({
  /** Plain cross entropy: binary for SigmoidFocalLoss, categorical for SoftmaxFocalLoss. */
  crossEntropy: { gamma: 0, alpha: null },

  weightedCrossEntropy,

  /** `torchvision.ops.sigmoid_focal_loss`: alpha 0.25, gamma 2, one loss per logit. */
  torchvision: { gamma: 2, alpha: 0.25, reduction: 'none' },

  /** `fvcore.nn.sigmoid_focal_loss`: gamma 2, one loss per logit. Its alpha of -1, the default, is `null` here. */
  fvcore: { gamma: 2, alpha: null, reduction: 'none' },

  /** `fvcore.nn.sigmoid_focal_loss_star`, for FocalStarLoss: gamma 1 and no beta, which is cross entropy; one loss per logit. For labels of 0 and 1. */
  fvcoreStar: { gamma: 1, beta: 0, alpha: null, reduction: 'none' },

  /** `optax.losses.sigmoid_focal_loss`: gamma 2, no alpha, one loss per logit. */
  optax: { gamma: 2, alpha: null, reduction: 'none' },

  /**
   * `keras.losses.BinaryFocalCrossentropy(from_logits=True)`: gamma 2, mean over all elements. Keras balances only with
   * `apply_class_balancing=True`, which is `alpha: 0.25` here.
   */
  keras: { gamma: 2, alpha: null, reduction: 'mean' },

  /** `keras.losses.CategoricalFocalCrossentropy(from_logits=True)`, for SoftmaxFocalLoss: alpha 0.25 multiplies every class alike. */
  kerasCategorical: { gamma: 2, alpha: 0.25, reduction: 'mean', renormalize: true },

  /** `tfa.losses.SigmoidFocalCrossEntropy(from_logits=True)`: alpha 0.25, gamma 2. Here one loss per logit, there one per row, their sum. */
  tensorflowAddons: { gamma: 2, alpha: 0.25, reduction: 'none' },

  /** `paddle.nn.functional.sigmoid_focal_loss`: alpha 0.25, gamma 2, sum. Its `normalizer` is the call option of that name. */
  paddle: { gamma: 2, alpha: 0.25, reduction: 'sum' },

  /** `kornia.losses.binary_focal_loss_with_logits`: alpha 0.25, gamma 2, soft labels mix two losses, -100 is ignored, one loss per logit. */
  kornia: { gamma: 2, alpha: 0.25, softTargets: 'mixture', reduction: 'none', ignoreIndex: -100 },

  korniaSoftmax,

  /** `monai.losses.FocalLoss`: gamma 2, no alpha, mean over every channel of every place. For labels of 0 and 1. */
  monai: { gamma: 2, alpha: null, reduction: 'mean' },

  monaiSoftmax,

  /** `mmcv.ops.SigmoidFocalLoss(gamma=2, alpha=0.25)`: class indices, where the class count means background; its 'mean' divides by the rows. */
  mmcv: { gamma: 2, alpha: 0.25, reduction: 'mean-rows', background: 'num-classes' },

  /**
   * `mmcv.ops.SoftmaxFocalLoss(gamma=2, alpha=0.25)`, for SoftmaxFocalLoss: alpha multiplies every class alike; -1 costs
   * nothing and counts in the mean.
   */
  mmcvSoftmax: { gamma: 2, alpha: 0.25, reduction: 'mean', background: -1 },

  /**
   * mmdetection's `FocalLoss`: class indices, where the class count means background; its mean divides by the elements, and
   * its `avg_factor` is the call option `normalizer`.
   */
  mmdetection: { gamma: 2, alpha: 0.25, reduction: 'mean', background: 'num-classes' },

  /**
   * mmdetection's `QualityFocalLoss`, for QualityFocalLoss: beta 2. It adds a row's losses up first, so that its mean is over
   * rows; `avg_factor` is the call option `normalizer`. Its pair of class index and score is one label per logit here: the
   * score at the class, 0 elsewhere.
   */
  mmdetectionQuality: { beta: 2, reduction: 'mean-rows' },

  /**
   * RT-DETR's `loss_labels_vfl`, for VarifocalLoss: alpha 0.75, gamma 2, weights by a detached score; a sum, which its number of boxes
   * divides: the call option `normalizer`. Its target is the IoU at the class of a matched query, 0 elsewhere. (A match of IoU 0 is
   * of weight 0 there, and a negative here.)
   */
  rtdetr: { gamma: 2, alpha: 0.75, constantModulator: true, reduction: 'sum' },

  /** mmpretrain's `FocalLoss`: alpha 0.25, gamma 2, mean over all elements. */
  mmpretrain: { gamma: 2, alpha: 0.25, reduction: 'mean' },

  /** mmpretrain's `AsymmetricLoss`, for AsymmetricLoss: positives are not focused, mean over all elements. For labels of 0 and 1. */
  mmpretrainAsymmetric: { gammaPositive: 0, gammaNegative: 4, margin: 0.05, reduction: 'mean' },

  /** The authors' `AsymmetricLoss` (Alibaba-MIIL), for AsymmetricLoss: gammas 1 and 4, margin 0.05, sum. For labels of 0 and 1. */
  miilAsymmetric: { gammaPositive: 1, gammaNegative: 4, margin: 0.05, reduction: 'sum' },

  /** CenterNet's and CornerNet's heatmap loss, for HeatmapFocalLoss: powers 2 and 4, divided by the targets that are exactly 1. */
  centernet: { gamma: 2, beta: 4, reduction: 'mean-positives' },

  /**
   * Detectron2's RetinaNet: class indices, where the class count means background and -1 is ignored; divided by the
   * positives. Detectron2 smooths that number over steps: pass the smoothed one as `normalizer`.
   */
  detectron: { gamma: 2, alpha: 0.25, reduction: 'mean-positives', background: 'num-classes', ignoreIndex: -1 },

  /**
   * `apex.contrib.focal_loss`: class indices, where -1 means background and -2 is ignored; its `num_positives_sum` is the
   * call option `normalizer`. apex has no defaults; gamma and alpha are the paper's. Its label smoothing is of the cross entropy alone.
   */
  apex: { gamma: 2, alpha: 0.25, labelSmoothingOf: 'cross-entropy', reduction: 'sum', background: -1, ignoreIndex: -2 },
} as const)
