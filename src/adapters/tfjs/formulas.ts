/** The formulas of src/formulas in operations of TensorFlow.js, with finite gradients for every finite logit. */
import type { Tensor } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { LossConstants } from '../../problem/constants.js'
import { functionsOf } from './functions.js'
import { logOddsOf, type SoftmaxOperations } from './softmax.js'

export type FormulaOperations = SoftmaxOperations & Pick<typeof tfjs, 'greaterEqual' | 'tensor1d'>

/** From logits and targets to losses, all `[rows, classes]`; a softmax's rows hold the terms of their sum. */
type Composed = (x: Tensor, y: Tensor) => Tensor

/** Losses of these names have a composed form; but no gammas per class. */
const composedNames = ['sigmoid', 'softmax', 'focal-star', 'quality-focal', 'varifocal', 'heatmap-focal', 'asymmetric'] as const

type ComposedName = (typeof composedNames)[number]

export function hasComposedForm({ formula, classGamma }: LossConstants): boolean {
  return classGamma === null && (composedNames as readonly string[]).includes(formula.name)
}

/** For a loss that {@link hasComposedForm}. */
export function composedFormula(tf: FormulaOperations, loss: LossConstants): Composed {
  const { gamma, gammaNegative, beta, margin } = loss
  const weight = (ofClass: Float64Array | null, ofAll: number) => (ofClass === null ? ofAll : tf.tensor1d(Float32Array.from(ofClass)))
  const positive = weight(loss.classPositive, loss.positiveWeight)
  const negative = weight(loss.classNegative, loss.negativeWeight)

  const { add, mul, neg, sub } = tf
  const { softplus, crossEntropy, powerOfSigmoid, powerOfBlend, beyondMargin, frozen, exp } = functionsOf(tf)
  /** A modulating factor, which is a constant to derivatives where the loss says so. */
  const held = (modulator: Tensor | number) => (loss.constantModulator && typeof modulator !== 'number' ? frozen(tf.clone)(modulator) : modulator)
  /** A negative of logit x, before its weight; a positive is one of logit -x. */
  const focal = (x: Tensor) => mul<Tensor>(held(powerOfSigmoid(x, gamma)), softplus(x))
  const mix = (y: Tensor, ifPositive: Tensor | number, ifNegative: Tensor | number) => add<Tensor>(mul(y, ifPositive), mul(sub(1, y), ifNegative))
  const weightOf = (y: Tensor) => mix(y, positive, negative)
  const weighted = (y: Tensor, ifPositive: Tensor, ifNegative: Tensor) => mix(y, mul(positive, ifPositive), mul(negative, ifNegative))

  const formulas: Readonly<Record<ComposedName, Composed>> = {
    sigmoid(x, y) {
      if (loss.softTargets === 'mixture') return weighted(y, focal(neg(x)), focal(x))
      return mul(mul(weightOf(y), powerOfBlend(x, y, sub(1, y), gamma)), crossEntropy(x, y))
    },
    softmax: (x, y) => mul(mul(y, positive), focal(logOddsOf(tf, exp, frozen)(x))),
    'focal-star'(x, y) {
      const stretched = mul<Tensor>(gamma, x)
      return weighted(y, tf.div(softplus(sub(neg(stretched), beta)), gamma), tf.div(softplus(sub(stretched, beta)), gamma))
    },
    'quality-focal': (x, y) => mul(mul(weightOf(y), held(powerOfBlend(x, y, sub(y, 1), beta))), crossEntropy(x, y)),
    varifocal: (x, y) => tf.where(tf.greater(y, 0), mul(mul(y, positive), crossEntropy(x, y)), mul<Tensor>(negative, focal(x))),
    'heatmap-focal'(x, y) {
      const fading = beta === 0 ? 1 : tf.pow(sub(1, y), beta)
      const off = mul<Tensor>(mul(negative, fading), focal(x))
      return tf.where(tf.greaterEqual(y, 1), mul<Tensor>(positive, focal(neg(x))), off)
    },
    asymmetric(x, y) {
      const ofPositive = mul<Tensor>(held(powerOfSigmoid(neg(x), gamma)), softplus(neg(x)))
      if (margin === 0) return weighted(y, ofPositive, mul(held(powerOfSigmoid(x, gammaNegative)), softplus(x)))
      const { modulator, entropy } = beyondMargin(margin)(x, gammaNegative)
      return weighted(y, ofPositive, mul(held(modulator), entropy))
    },
  }
  return formulas[loss.formula.name as ComposedName]
}
