/** The formulas of src/losses in operations of TensorFlow.js, whose gradients are finite for every finite logit. */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { LossConstants } from '../../problem/constants.js'

export type FormulaOperations = Pick<
  typeof tfjs,
  | 'abs' | 'add' | 'clone' | 'cumsum' | 'customGrad' | 'div' | 'exp' | 'greater' | 'greaterEqual' | 'log' | 'log1p' | 'max'
  | 'maximum' | 'mul' | 'neg' | 'onesLike' | 'pow' | 'relu' | 'sigmoid' | 'sub' | 'tensor1d' | 'where' | 'zerosLike'
>

/** From logits and targets to losses, all `[rows, classes]`; a softmax's rows hold the terms of their sum. */
type Composed = (x: Tensor, y: Tensor) => Tensor

/** About the least normal float32; of what is smaller, a power's gradient would be infinite. */
export const TINY = 1e-37

export function composedFormula(tf: FormulaOperations, loss: LossConstants): Composed {
  const { gamma, gammaNegative, beta, margin } = loss
  const weight = (ofClass: Float64Array | null, ofAll: number) => (ofClass === null ? ofAll : tf.tensor1d(Float32Array.from(ofClass)))
  const positive = weight(loss.classPositive, loss.positiveWeight)
  const negative = weight(loss.classNegative, loss.negativeWeight)

  const { add, mul, neg, sub } = tf
  const { exp, sigmoid, softplus, shifted, constant } = functions(tf)
  const power = (base: Tensor, exponent: number): Tensor | number => (exponent === 0 ? 1 : tf.pow(tf.maximum(base, TINY), exponent))
  /** A negative of logit x, before its weight; a positive is one of logit -x. */
  const focal = (x: Tensor) => mul<Tensor>(power(sigmoid(x), gamma), softplus(x))
  const mix = (y: Tensor, ifPositive: Tensor, ifNegative: Tensor | number) => add<Tensor>(mul(y, ifPositive), mul(sub(1, y), ifNegative))
  const weightOf = (y: Tensor) => add<Tensor>(mul(y, positive), mul(sub(1, y), negative))
  const crossEntropy = (x: Tensor, y: Tensor) => mix(y, softplus(neg(x)), softplus(x))
  const weighted = (y: Tensor, ifPositive: Tensor, ifNegative: Tensor) => mix(y, mul(positive, ifPositive), mul(negative, ifNegative))

  const formulas: Readonly<Record<string, Composed>> = {
    sigmoid(x, y) {
      if (loss.softTargets === 'mixture') return weighted(y, focal(neg(x)), focal(x))
      const modulator = power(mix(y, sigmoid(neg(x)), sigmoid(x)), gamma)
      return mul(mul(weightOf(y), modulator), crossEntropy(x, y))
    },
    softmax(x, y) {
      const logits = shifted(x)
      const e = exp(logits) as Tensor2D
      // The others' sum from both ends, not by a subtraction
      const others = add<Tensor>(tf.cumsum(e, 1, true), tf.cumsum(e, 1, true, true))
      return mul(mul(y, positive), focal(sub(tf.log(tf.maximum(others, TINY)), logits)))
    },
    'focal-star'(x, y) {
      const stretched = mul<Tensor>(gamma, x)
      return weighted(y, tf.div(softplus(sub(neg(stretched), beta)), gamma), tf.div(softplus(sub(stretched, beta)), gamma))
    },
    'quality-focal'(x, y) {
      const distance = tf.abs<Tensor>(mix(y, sigmoid(neg(x)), neg(sigmoid(x))))
      return mul(mul(weightOf(y), power(distance, beta)), crossEntropy(x, y))
    },
    varifocal: (x, y) => tf.where(tf.greater(y, 0), mul(mul(y, positive), crossEntropy(x, y)), mul<Tensor>(negative, focal(x))),
    'heatmap-focal'(x, y) {
      const off = mul<Tensor>(mul(negative, power(sub(1, y), beta)), focal(x))
      return tf.where(tf.greaterEqual(y, 1), mul<Tensor>(positive, focal(neg(x))), off)
    },
    asymmetric(x, y) {
      const modulator = (base: Tensor, exponent: number) => {
        const factor = power(base, exponent)
        return loss.constantModulator && typeof factor !== 'number' ? constant(factor) : factor
      }
      // The gradient of tf.minimum has none itself
      const atMostOne = (q: Tensor) => neg(tf.maximum<Tensor>(neg(q), -1))
      const excess = tf.relu<Tensor>(sub(sigmoid(x), margin))
      const entropy = margin === 0 ? softplus(x) : neg(tf.log(atMostOne(add(sigmoid(neg(x)), margin))))
      return weighted(y, mul(modulator(sigmoid(neg(x)), gamma), softplus(neg(x))), mul(modulator(excess, gammaNegative), entropy))
    },
  }
  return formulas[loss.formula.name]
}

type Elementwise = (x: Tensor) => Tensor

/**
 * Functions with derivatives of their own, for one reason each; and all because the gradients that TensorFlow.js has for
 * operations like its sigmoid are made of their outputs, and what is made of outputs is lost to second derivatives.
 */
function functions(tf: FormulaOperations) {
  const custom = (value: Elementwise, derivative: Elementwise): Elementwise =>
    tf.customGrad((x, save) => {
      const keep = save as (tensors: Tensor[]) => void
      keep([x as Tensor])
      return { value: value(x as Tensor), gradFunc: (dy, saved) => tf.mul<Tensor>(dy, derivative((saved)[0])) }
    })
  // 1 - sigmoid(x) has no digits where sigmoid(x) is nearly 1
  const sigmoid = custom(tf.sigmoid, (x) => tf.mul(sigmoid(x), sigmoid(tf.neg(x))))
  const exp = custom(tf.exp, (x) => exp(x))
  /** log(1 + e^x). At 0, the derivative of these operations would be that of two corners: 0. */
  const softplus = custom((x) => tf.add(tf.relu(x), tf.log1p(tf.exp(tf.neg(tf.abs(x))))), sigmoid)
  /** Less the row's largest. The softmax stays the same, so that this one's derivative does not matter. */
  const shifted = custom((x) => tf.sub(x, tf.max(x, 1, true)), tf.onesLike)
  const constant = custom(tf.clone, tf.zerosLike)
  return { exp, sigmoid, softplus, shifted, constant }
}
