/** The losses of the first panel, and what they and their gradients are at given p_t. */
import { presets, SigmoidFocalLoss, type SigmoidFocalOptions } from 'focal-loss'
import { kernelName } from '../../app/kernel.js'
import { type Look, lookOfGamma, looks } from '../../chart/series.js'

export type Side = 'positive' | 'negative'

export interface CurveOptions {
  readonly gamma: number
  /** Whether alpha weighs the sides, and how. */
  readonly balanced: boolean
  readonly alpha: number
  /** Of the positives under weighted cross entropy; negatives weigh the rest. */
  readonly weight: number
  /** Gammas to compare with. */
  readonly compared: readonly number[]
}

export interface CurveLoss {
  readonly name: string
  readonly look: Look
  readonly loss: SigmoidFocalLoss<'none'>
}

export interface Evaluated {
  readonly losses: Float64Array
  /** The absolute derivative by the logit. */
  readonly gradients: Float64Array
}

export function curveLosses({ gamma, balanced, alpha, weight, compared }: CurveOptions): CurveLoss[] {
  const weighing = balanced ? alpha : null
  return [
    { name: 'cross entropy', look: looks.crossEntropy, loss: unreduced({ ...presets.crossEntropy }) },
    { name: `weighted, ${weight} / ${rest(weight)}`, look: looks.weighted, loss: unreduced(presets.weightedCrossEntropy(weight)) },
    ...compared.map((each) => ({ name: focalName(each, weighing), look: lookOfGamma(each), loss: unreduced({ gamma: each, alpha: weighing }) })),
    { name: `yours: ${focalName(gamma, weighing)}`, look: looks.focal, loss: unreduced({ gamma, alpha: weighing }) },
  ]
}

export function unreduced(options: Pick<SigmoidFocalOptions, 'gamma' | 'alpha' | 'classWeights'>): SigmoidFocalLoss<'none'> {
  return new SigmoidFocalLoss({ ...options, reduction: 'none', backend: kernelName() })
}

export function focalName(gamma: number, alpha: number | null): string {
  return `focal, γ ${gamma}${alpha === null ? '' : `, α ${alpha}`}`
}

/** `truths` are values of p_t: the predicted probability of the true class. */
export function evaluate(loss: SigmoidFocalLoss<'none'>, truths: readonly number[], side: Side): Evaluated {
  const sign = side === 'positive' ? 1 : -1
  const logits = Float64Array.from(truths, (p) => sign * Math.log(p / (1 - p)))
  const targets = new Uint8Array(truths.length).fill(side === 'positive' ? 1 : 0)
  const { value, grad } = loss.valueAndGrad(logits, targets)
  return { losses: value, gradients: grad.map(Math.abs) }
}

/** 1 less a weight, without the noise of binary fractions. */
export function rest(weight: number): number {
  return Number((1 - weight).toPrecision(6))
}
