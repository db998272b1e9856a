/** How the peer cases that carry numbers are said here: the peer's preset, and what the case itself sets. */
import { type Logits, presets, type Reduction, type ValueCall } from 'focal-loss'
import type { AnyOptions, LossName } from './losses.js'
import { type Peer, peerCases } from './peer_cases.js'

export interface Said {
  readonly loss?: LossName
  readonly options: AnyOptions
  readonly call?: ValueCall<Logits>
  /** Where the logits are others than the file's. */
  readonly logits?: readonly number[]
  /** The peer's own reduction of unreduced losses, where there is none like it here. */
  readonly reduce?: (losses: readonly number[]) => number[]
}

type Say = (one: Peer) => Said

/** Sums over the last axis, Addons' reduction, or means over it, Keras's. */
const overLast = (one: Peer, mean: boolean) => (losses: readonly number[]) => {
  const width = one.shape.at(-1) ?? 1
  return Array.from({ length: losses.length / width }, (_, r) => {
    const sum = losses.slice(r * width, (r + 1) * width).reduce((a, b) => a + b, 0)
    return mean ? sum / width : sum
  })
}

/** The case's shape, and a sample's weight as the weight of its row. */
function rows({ options, shape }: Peer): ValueCall<Logits> {
  const { sample_weight: weight } = options
  if (weight === undefined) return { shape }
  return { shape, weights: Float64Array.from(typeof weight === 'number' ? Array<number>(shape[0]).fill(weight) : weight) }
}

/** Every sample's loss is the mean of its elements, and only then are samples added up. */
const keras: Say = (one) => {
  const { gamma, alpha, reduction } = one.options
  const options = { ...presets.keras, gamma: gamma ?? 2, alpha: alpha ?? null }
  if (reduction === 'none') return { options: { ...options, reduction }, call: rows(one), reduce: overLast(one, true) }
  if (reduction === 'sum') return { options: { ...options, reduction }, call: { ...rows(one), normalizer: one.shape[1] } }
  return { options, call: rows(one) }
}

const kerasCategorical: Say = (one) => {
  const { gamma, alpha, label_smoothing: labelSmoothing, reduction } = one.options
  const reductions: Record<string, Reduction> = { none: 'none', sum: 'sum', sum_over_batch_size: 'mean' }
  const changed = { gamma: gamma ?? 2, alpha: alpha ?? null, labelSmoothing: labelSmoothing ?? 0, reduction: reductions[reduction ?? ''] }
  return { loss: 'SoftmaxFocalLoss', options: { ...presets.kerasCategorical, ...changed }, call: rows(one) }
}

const mmpretrain: Say = (one) => ({ options: presets.mmpretrain, call: rows(one) })

const mmpretrainAsymmetric: Say = (one) => {
  const { gamma_pos: gammaPositive, gamma_neg: gammaNegative, clip } = one.options
  return { loss: 'AsymmetricLoss', options: { ...presets.mmpretrainAsymmetric, gammaPositive, gammaNegative, margin: clip ?? 0 }, call: rows(one) }
}

/** Its asymmetric loss without asymmetry is the binary cross entropy of the softmax's probabilities. */
const mmpretrainSoftmax: Say = (one) => {
  const classes = one.shape[1]
  const logits = one.logits.map((x, k) => {
    const row = one.logits.slice(k - (k % classes), k - (k % classes) + classes)
    return -Math.log(row.reduce((sum, other, c) => (c === k % classes ? sum : sum + Math.exp(other - x)), 0))
  })
  return { options: presets.crossEntropy, call: rows(one), logits }
}

/** Channels first; without background channel 0 counts nowhere. */
const monai: Say = (one) => {
  const { gamma, alpha, reduction, use_softmax: softmax, class_weight: classWeights, include_background: background } = one.options
  const [, channels, ...places] = one.shape
  const inner = places.reduce((a, b) => a * b)
  const call = { shape: one.shape, classAxis: 1 }
  const changed = { gamma: gamma ?? 2, reduction: reduction as Reduction }
  if (softmax === true) {
    return { loss: 'SoftmaxFocalLoss', options: { ...presets.monaiSoftmax(channels, alpha), ...changed }, call }
  }
  const mask = Uint8Array.from(one.logits, (_, k) => Number(background !== false || Math.floor(k / inner) > 0))
  const options = { ...presets.monai, ...changed, alpha: alpha ?? null, classWeights: classWeights ?? null }
  return { options, call: { ...call, mask } }
}

/** The reductions, on logits whose cross entropy is the case's element-wise loss. */
const mmdetection: Say = ({ options: { elementwise = [], weight, avg_factor: normalizer, reduction } }) => ({
  options: { ...presets.mmdetection, ...presets.crossEntropy, ...(reduction !== undefined && { reduction: reduction as Reduction }) },
  call: { ...(weight && { weights: weight }), ...(normalizer !== undefined && { normalizer }) },
  logits: elementwise.map((loss) => Math.log(Math.expm1(loss))),
})

const families: readonly [RegExp, Say][] = [
  [/^(keras-bin|tf-issue)-/, keras],
  [/^keras-cat-/, kerasCategorical],
  [/^mmpretrain-focal-/, mmpretrain],
  [/^mmpretrain-asl-[0-2]/, mmpretrainAsymmetric],
  [/^mmpretrain-asl-[3-6]-/, mmpretrainSoftmax],
  [/^monai-/, monai],
  [/^mmdet-reduction-/, mmdetection],
  [/^paddle-doc-0$/, (one) => ({ options: presets.paddle, call: { shape: one.shape, normalizer: one.options.normalizer } })],
  [/^tfa-doc-0$/, (one) => ({ options: presets.tensorflowAddons, reduce: overLast(one, false) })],
  [/^kornia-numeric-stability$/, () => ({ options: presets.kornia })],
  [/^fvcore-sigmoid_focal_loss-mean-eq-ce$/, () => ({ options: { ...presets.fvcore, gamma: 0, reduction: 'mean' } })],
  [/^fvcore-sigmoid_focal_loss_star-mean-eq-ce$/, () => ({ loss: 'FocalStarLoss', options: { ...presets.fvcoreStar, reduction: 'mean' } })],
]

export const peerValues: Readonly<Record<string, Say>> = Object.fromEntries(
  peerCases.flatMap(({ id }) => families.filter(([pattern]) => pattern.test(id)).map(([, say]) => [id, say])),
)
