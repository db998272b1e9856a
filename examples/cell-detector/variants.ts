import { presets, SigmoidFocalLoss, type SigmoidFocalOptions } from 'focal-loss'

/**
 * Where the last layer's bias starts: at 0; at the constant that costs this loss least, which is `loss.priorBias(prior)`; or at the rule
 * of the RetinaNet paper, `-log((1 - prior) / prior)`, whatever the loss.
 */
export type Start = 'zero bias' | 'prior' | 'RetinaNet rule'

/** One way to train the detector: a loss, and where the bias starts. */
export interface Variant {
  readonly name: string
  readonly loss: SigmoidFocalOptions
  readonly start: Start
  readonly bias: number
}

export interface NamedLoss {
  readonly name: string
  readonly options: SigmoidFocalOptions
}

/** The losses that are compared. `prior` is the share of positives in training; weighted cross entropy balances by it. */
export function namedLosses(prior: number) {
  return {
    crossEntropy: { name: 'cross entropy', options: { ...presets.crossEntropy } },
    weighted: { name: 'weighted cross entropy', options: { ...presets.weightedCrossEntropy(1 - prior) } },
    focal: { name: 'focal, gamma 2, alpha 0.25', options: { gamma: 2, alpha: 0.25 } },
  } satisfies Record<string, NamedLoss>
}

export function biasAt(start: Start, { options }: NamedLoss, prior: number): number {
  if (start === 'zero bias') return 0
  return new SigmoidFocalLoss({ ...options }).priorBias(start === 'prior' ? prior : { prior, rule: 'retinanet' })
}

export function trainingVariants(prior: number): Variant[] {
  const { crossEntropy, weighted, focal } = namedLosses(prior)
  const variant = (loss: NamedLoss, start: Start): Variant => ({
    name: `${loss.name}, ${start}`,
    loss: loss.options,
    start,
    bias: biasAt(start, loss, prior),
  })
  return [
    variant(crossEntropy, 'zero bias'),
    variant(crossEntropy, 'prior'),
    variant(weighted, 'prior'),
    variant(focal, 'prior'),
    variant(focal, 'RetinaNet rule'),
  ]
}
