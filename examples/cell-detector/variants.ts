import { presets, type SigmoidFocalOptions } from 'focal-loss'

/** One way to train the detector: a loss, and the bias the last layer starts with. */
export interface Variant {
  readonly name: string
  readonly loss: SigmoidFocalOptions
  readonly bias: number
}

export interface NamedLoss {
  readonly name: string
  readonly options: SigmoidFocalOptions
}

/** The bias at which an untrained network says "platelet" with probability `prior`: -log((1 - prior) / prior). */
export function priorBias(prior: number): number {
  return -Math.log((1 - prior) / prior)
}

/** The losses that are compared. `prior` is the share of positives in training; weighted cross entropy balances by it. */
export function namedLosses(prior: number) {
  return {
    crossEntropy: { name: 'cross entropy', options: { ...presets.crossEntropy } },
    weighted: { name: 'weighted cross entropy', options: { ...presets.weightedCrossEntropy(1 - prior) } },
    focal: { name: 'focal, gamma 2', options: { gamma: 2, alpha: null } },
    focalBalanced: { name: 'focal, gamma 2, alpha 0.25', options: { gamma: 2, alpha: 0.25 } },
  } satisfies Record<string, NamedLoss>
}

export function trainingVariants(prior: number): Variant[] {
  const { crossEntropy, weighted, focal, focalBalanced } = namedLosses(prior)
  const bias = priorBias(prior)
  return [
    { name: `${crossEntropy.name}, zero bias`, loss: crossEntropy.options, bias: 0 },
    ...[crossEntropy, weighted, focal, focalBalanced].map(({ name, options }) => ({ name: `${name}, prior`, loss: options, bias })),
  ]
}
