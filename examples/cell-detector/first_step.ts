import { SigmoidFocalLoss } from 'focal-loss'
import { biasAt, namedLosses, type NamedLoss, type Start } from './variants.js'

/** Where one loss and its gradient go before the first update. */
export interface FirstStep {
  readonly loss: string
  readonly start: Start
  readonly bias: number
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
  const losses = namedLosses(prior)
  const starts: readonly { readonly start: Start; readonly of: readonly NamedLoss[] }[] = [
    { start: 'zero bias', of: Object.values(losses) },
    { start: 'prior', of: Object.values(losses) },
    // For cross entropy the rule is its own prior bias
    { start: 'RetinaNet rule', of: [losses.weighted, losses.focal] },
  ]
  return starts.flatMap(({ start, of }) =>
    of.map((loss) => {
      const bias = biasAt(start, loss, prior)
      return { loss: loss.name, start, bias, ...measure(loss, logits.map((logit) => logit + bias), targets) }
    }),
  )
}

function measure({ options }: NamedLoss, logits: Float32Array, targets: Uint8Array): Omit<FirstStep, 'loss' | 'start' | 'bias'> {
  const { all, positives } = new SigmoidFocalLoss({ ...options }).explain(logits, targets).losses[0]
  return {
    meanLoss: all.loss / all.count,
    lossShare: positives.lossShare,
    meanGradient: all.gradient / all.count,
    gradientShare: positives.gradientShare,
  }
}
