import { SigmoidFocalLoss } from 'focal-loss'
import { namedLosses, priorBias, type NamedLoss } from './variants.js'

/** Where one loss and its gradient go before the first update. */
export interface FirstStep {
  readonly loss: string
  readonly bias: 'zero' | 'prior'
  /** The mean over all cells, and what share of it comes from the positives. */
  readonly meanLoss: number
  readonly lossShare: number
  /** The mean of |gradient| over all cells, and what share of it comes from the positives. */
  readonly meanGradient: number
  readonly gradientShare: number
}

/**
 * Looks at all training cells through the untrained network. `logits` are those of a network with zero bias:
 * another bias only shifts them all.
 */
export function describeFirstStep(logits: Float32Array, targets: Uint8Array, prior: number): FirstStep[] {
  const biases = [{ bias: 'zero', shift: 0 }, { bias: 'prior', shift: priorBias(prior) }] as const
  return biases.flatMap(({ bias, shift }) => {
    const shifted = logits.map((logit) => logit + shift)
    return Object.values(namedLosses(prior)).map((loss) => ({ bias, ...measure(loss, shifted, targets) }))
  })
}

function measure({ name, options }: NamedLoss, logits: Float32Array, targets: Uint8Array): Omit<FirstStep, 'bias'> {
  const { all, positives } = new SigmoidFocalLoss({ ...options }).explain(logits, targets).losses[0]
  return {
    loss: name,
    meanLoss: all.loss / all.count,
    lossShare: positives.lossShare,
    meanGradient: all.gradient / all.count,
    gradientShare: positives.gradientShare,
  }
}
