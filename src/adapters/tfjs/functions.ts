/**
 * Functions of one logit in operations of TensorFlow.js, accurate on every backend and within the range of half floats, with
 * derivatives of their own. Two reasons for those: the gradients that TensorFlow.js has for operations like its sigmoid are made of
 * their outputs, and what is made of outputs is lost to second derivatives; and quotients that are finite come out of them as 0 / 0.
 *
 * Own series instead of `log1p` and `expm1`, which on webgl, webgpu and wasm are log(1 + x) and exp(x) - 1 and lose their digits.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'

export type FunctionOperations = Pick<
  typeof tfjs,
  | 'abs' | 'add' | 'cast' | 'clone' | 'customGrad' | 'div' | 'exp' | 'greater' | 'less' | 'log' | 'maximum' | 'minimum' | 'mul' | 'neg'
  | 'notEqual' | 'pow' | 'relu' | 'sigmoid' | 'square' | 'sub' | 'where' | 'zerosLike'
>

/** A function of x; `fixed` are tensors that nothing is differentiated by. */
export type Elementwise = (x: Tensor, ...fixed: Tensor[]) => Tensor

/** About the least normal float32; of what is smaller, a power's gradient could be infinite. */
export const TINY = 1e-37

/** How close |a c + b s| may come to 0, as a logarithm below s c, before its logarithm's slope is held. */
const NEAREST = 10

/** atanh(z) 2 / z in z^2, for z from 0 to 1 / 3; relative error 1.7e-7. */
const ATANH = [0.34226050619461607, 0.3958946159867899, 0.6667600284454394, 1.999999670871088]

/** (1 - e^-d) / d, for d from 0 to 1 / 2; relative error 8e-8. */
const EXPM1 = [0.006771038061075248, -0.04100127915575493, 0.16654815172870047, -0.49999249851899347, 0.9999999227268411]

/** Made anew for each call, as the framework is the caller's. */
export function functionsOf(tf: FunctionOperations) {
  const { add, div, mul, neg, sub } = tf

  const custom = (value: Elementwise, derivative: Elementwise): Elementwise => (x, ...fixed) =>
    tf.customGrad((at, save) => {
      const keep = save as (tensors: Tensor[]) => void
      keep([at as Tensor, ...fixed])
      return { value: value(at as Tensor, ...fixed), gradFunc: (dy, [x, ...fixed]) => mul<Tensor>(dy, derivative(x, ...fixed)) }
    })(x)

  const polynomial = (x: Tensor, [first, ...others]: readonly number[]) =>
    others.reduce<Tensor>((sum, coefficient, i) => add(i === 0 ? mul(x, first) : mul(sum, x), coefficient), x)
  /** 2 atanh(z), with z up to 1 / 3. */
  const twiceAtanh = (z: Tensor) => mul<Tensor>(z, polynomial(tf.square(z), ATANH))
  /** log(1 + e), with e up to 1; not differentiated. */
  const log1p = (e: Tensor) => twiceAtanh(div(e, add(e, 2)))

  const exp = custom(tf.exp, (x) => exp(x))
  /** 1 - sigmoid(x), which has no digits where sigmoid(x) is nearly 1, is sigmoid(-x). */
  const sigmoid = custom(tf.sigmoid, (x) => variance(x))
  /** s (1 - s), of s = sigmoid(x). */
  const variance = (x: Tensor) => mul<Tensor>(sigmoid(x), sigmoid(neg(x)))
  /** e^-|x|, not differentiated. */
  const decay = (x: Tensor) => tf.exp(neg(tf.abs(x)))
  /** log(1 + e^x). */
  const softplus = custom((x) => add(tf.relu(x), log1p(decay(x))), sigmoid)
  /** a (1 - s) + b s. */
  const blend = custom((x, a, b) => add(mul(a, sigmoid(neg(x))), mul(b, sigmoid(x))), (x, a, b) => mul(sub(b, a), variance(x)))
  /** y softplus(-x) + (1 - y) softplus(x). */
  const crossEntropy = custom(
    (x, y) => add(add(log1p(decay(x)), mul(sub(1, y), tf.relu(x))), mul(y, tf.relu(neg(x)))),
    (x, y) => blend(x, neg(y), sub(1, y)),
  )
  /** What nothing is differentiated by: a comparison has no gradient in TensorFlow.js, not even one of 0. */
  const frozen = (value: Elementwise) => custom(value, tf.zerosLike)

  const products: Readonly<Record<number, Elementwise>> = {
    2: tf.square,
    3: (q) => mul(q, tf.square(q)),
    4: (q) => tf.square(tf.square(q)),
  }
  /** q^exponent of what is not negative, for an exponent of at least 1. */
  const power = (q: Tensor, exponent: number): Tensor => {
    if (exponent === 1) return q
    const value = products[exponent] ?? ((q: Tensor) => tf.pow(tf.maximum(q, TINY), exponent))
    return custom(value, (q) => mul(exponent, power(q, exponent - 1)))(q)
  }

  /** sigmoid(x)^exponent. A power of a number that a half float rounds to 0 is taken by its logarithm. */
  const powerOfSigmoid = (x: Tensor, exponent: number): Tensor | number => {
    if (exponent === 0) return 1
    if (Number.isInteger(exponent)) return power(sigmoid(x), exponent)
    const modulator = custom((x) => tf.exp(mul(-exponent, softplus(neg(x)))), (x) => mul(mul(exponent, modulator(x)), sigmoid(neg(x))))
    return modulator(x)
  }

  /**
   * |a (1 - s) + b s|^exponent, where a or b is 0 only if the other is 1 or -1. Below an exponent of 1 its derivative has a quotient
   * r of two numbers that may both be 0 in float32; so there, with t = log(1 + e^-|x|), it is taken by its logarithm, and
   * r' = r (1 - 2 s) - r^2.
   */
  const powerOfBlend = (x: Tensor, a: Tensor, b: Tensor, exponent: number): Tensor | number => {
    if (exponent === 0) return 1
    if (exponent >= 1) return power(tf.abs(blend(x, a, b)), exponent)
    /** The blend is (h + k e^-|x|) / (1 + e^-|x|): the logarithm of its numerator's size, and whether that is negative. */
    const numerator = (x: Tensor, a: Tensor, b: Tensor) => {
      const isBelow = tf.less(x, 0)
      const [h, k] = [tf.where(isBelow, a, b), tf.where(isBelow, b, a)]
      const sum = add<Tensor>(h, mul(k, decay(x)))
      const least = neg<Tensor>(tf.abs(x))
      // Without h there is k = 1 or -1, whose product with e^-|x| a half float rounds to 0
      const isSum = tf.notEqual(h, 0)
      const log = tf.where(isSum, tf.maximum(tf.log(tf.abs(sum)), sub(least, NEAREST)), least)
      return { log, isNegative: tf.less(tf.where(isSum, sum, k), 0) }
    }
    const ratio: Elementwise = custom(
      (x, a, b) => {
        const { log, isNegative } = numerator(x, a, b)
        const slope = sub<Tensor>(b, a)
        return mul(tf.where(isNegative, neg<Tensor>(slope), slope), mul(tf.sigmoid(tf.abs(x)), tf.exp(neg(add(tf.abs(x), log)))))
      },
      (x, a, b) => {
        const r = ratio(x, a, b)
        return sub(mul(r, sub(sigmoid(neg(x)), sigmoid(x))), tf.square(r))
      },
    )
    const modulator: Elementwise = custom(
      (x, a, b) => tf.exp(mul(exponent, sub(numerator(x, a, b).log, log1p(decay(x))))),
      (x, a, b) => mul(mul(exponent, modulator(x, a, b)), ratio(x, a, b)),
    )
    return modulator(x, a, b)
  }

  /** t^exponent and -log(1 - t) with t = max(s - margin, 0), for a margin above 0. */
  const beyondMargin = (margin: number) => {
    const logit = Math.log(margin / (1 - margin))
    const head = Math.fround(logit)
    /** How far x is from the margin's logit: in two steps, so that none of its digits are lost near 0. */
    const distance = (x: Tensor) => sub<Tensor>(sub(x, head), logit - head)
    const isBeyond = frozen((x) => tf.greater(distance(x), 0))
    const beyond = (x: Tensor, derivative: Tensor) => tf.where(isBeyond(x), derivative, tf.zerosLike(derivative))
    // s - margin = (1 - margin) s (1 - e^-d)
    const excess = custom(
      (x) => {
        const d = tf.relu<Tensor>(distance(x))
        const near = tf.minimum<Tensor>(d, 0.5)
        const gain = tf.where(tf.less(d, 0.5), mul<Tensor>(near, polynomial(near, EXPM1)), sub<Tensor>(1, tf.exp(neg(d))))
        return mul(mul(1 - margin, tf.sigmoid(x)), gain)
      },
      (x) => beyond(x, variance(x)),
    )
    const entropy: Elementwise = custom(
      (x, t) => {
        const near = tf.minimum<Tensor>(t, 0.5)
        const far = neg<Tensor>(tf.log(add(sigmoid(neg(x)), margin)))
        // Never more than without the margin, which a half float may round to 0
        return tf.minimum(tf.where(tf.less(t, 0.5), twiceAtanh(div(near, sub(2, near))), far), softplus(x))
      },
      // s (1 - s) / (1 - t), where a half float may round 1 - s to 0
      (x, t) => beyond(x, mul<Tensor>(sigmoid(x), exp(sub(entropy(x, t), softplus(x))))),
    )
    const powerOfExcess = (t: Tensor, exponent: number): Tensor | number => {
      if (exponent === 0) return 1
      if (exponent >= 1) return power(t, exponent)
      const above = frozen((t) => tf.cast(tf.greater(t, 0), 'float32'))(t)
      return mul(above, tf.pow(add(t, sub(1, above)), exponent))
    }
    return (x: Tensor, exponent: number) => {
      const t = excess(x)
      return { modulator: powerOfExcess(t, exponent), entropy: entropy(x, t) }
    }
  }

  return { softplus, crossEntropy, powerOfSigmoid, powerOfBlend, beyondMargin, frozen, exp }
}
