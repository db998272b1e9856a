/**
 * Sums that do not drift. TensorFlow.js's wasm backend adds one float32 after another, and half floats end at 65,504; so what is long
 * is summed in a tree, and where it may be large, each level of it is scaled down.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'

export type SumOperations = Pick<typeof tfjs, 'customGrad' | 'mul' | 'ones' | 'pad' | 'reshape' | 'slice' | 'sum'>

/** How many numbers are added up at once. */
const FAN = 64

/** Up to how many numbers one after another do not drift by what matters. */
const FEW = 512

/** What each level is scaled by: the square root, so that counts of few and of many are within range. */
const SCALE = 1 / 8

export interface PartialSums {
  /** `[groups, few]`. */
  readonly sums: Tensor
  /** What the sums of these are to be multiplied by. */
  readonly scale: number
}

/** Sums over the last axis of `[groups, n]`, until there are at most 64 a group. */
export function partialSums(tf: SumOperations, x: Tensor): PartialSums {
  const levels = levelsOf(x.shape[1] as number)
  return { sums: scaledSums(tf, x, levels, SCALE), scale: SCALE ** -levels }
}

/** The sum over the last axis of `[groups, n]`, `[groups, 1]`. */
export function sumLast(tf: SumOperations, x: Tensor): Tensor {
  const n = x.shape[1] as number
  return tf.sum(n <= FEW ? x : scaledSums(tf, x, levelsOf(n), 1), 1, true)
}

function levelsOf(n: number): number {
  let levels = 0
  for (; n > FAN; n = Math.ceil(n / FAN)) levels++
  return levels
}

function scaledSums(tf: SumOperations, x: Tensor, levels: number, scale: number): Tensor {
  if (levels === 0) return x
  const n = x.shape[1] as number
  const up = (x: Tensor): Tensor =>
    tf.customGrad((x) => ({
      value: Array.from({ length: levels }).reduce<Tensor>((sums) => level(tf, sums, scale), x as Tensor),
      gradFunc: (dy) => down(dy),
    }))(x)
  // The transposed function, for second derivatives
  const down = (dy: Tensor): Tensor =>
    tf.customGrad((dy) => ({ value: spread(tf, dy as Tensor, n, levels, scale), gradFunc: (ddy) => up(ddy) }))(dy)
  return up(x)
}

function level(tf: SumOperations, x: Tensor, scale: number): Tensor {
  const [groups, n] = x.shape as [number, number]
  const m = Math.ceil(n / FAN)
  const padded = n === m * FAN ? x : tf.pad(x, [[0, 0], [0, m * FAN - n]])
  const sums = tf.reshape(tf.sum(tf.reshape(padded, [groups * m, FAN]), 1), [groups, m])
  return scale === 1 ? sums : tf.mul(sums, scale)
}

/** To each of `n` numbers what its partial sum is given. */
function spread(tf: SumOperations, dy: Tensor, n: number, levels: number, scale: number): Tensor {
  const [groups, m] = dy.shape as [number, number]
  const block = FAN ** levels
  const each = tf.mul(tf.reshape(tf.mul(dy, scale ** levels), [groups, m, 1]), tf.ones([1, 1, block]))
  const whole = tf.reshape(each, [groups, m * block])
  return m * block === n ? whole : tf.slice(whole, [0, 0], [groups, n])
}
