/** The interface of a loss's formula: its number in cpp/problem.h, and its definition in plain TypeScript. */

/**
 * Value, first and second derivative of one element, with respect to its logit or its probability. A class, because V8 gives a
 * literal the shape of results `{ value, grad, hess }` with arrays: every number stored to it would be an object of its own.
 */
export class Derivatives {
  value = 0
  grad = 0
  hess = 0
}

/** How a soft label enters the sigmoid focal loss; see {@link SigmoidFocalOptions.softTargets}. */
export type SoftTargets = 'linear' | 'mixture'

/** The constants of a formula; each loss reads its own. */
export interface Parameters {
  /** Focusing, >= 0; of an asymmetric loss that of positives. */
  readonly gamma: number
  readonly gammaNegative: number
  readonly beta: number
  readonly margin: number
  readonly constantModulator: boolean
  readonly softTargets: SoftTargets
}

interface FormulaOf {
  /** As in reports: 'sigmoid'. */
  readonly name: string
  /** The loss's number in cpp/problem.h (enum FocalLoss); below 0 where no kernel has it. */
  readonly code: number
  /** The least label that is counted as a positive, where the loss has no option for it. */
  readonly positiveFrom: number
  /** The flags of cpp/problem.h (enum FocalFlags) that tell it from others of its code. */
  readonly flags?: number
  /**
   * Writes the loss of one probability `p` with target `y` to `to`, differentiated with respect to p. Limits at 0 and 1 come
   * out where they are finite, and something that is not finite where they are not. Of a softmax it is one class's part.
   */
  probability(p: number, y: number, positive: number, negative: number, parameters: Parameters, to: Derivatives): void
}

/** A loss whose elements know nothing of each other. */
export interface ElementFormula extends FormulaOf {
  readonly perRow: false
  /** Whether targets of 0 and 1 make it {@link asNegative} and {@link asPositive} with `gamma`. */
  readonly isModulated: boolean
  /** Writes the loss of one logit `x` with target `y` in [0, 1] to `to`. The weights of positive and negative are >= 0. */
  element(x: number, y: number, positive: number, negative: number, parameters: Parameters, to: Derivatives): void
}

/** A loss whose rows are one choice between classes. */
export interface RowFormula extends FormulaOf {
  readonly perRow: true
  /** Whether it takes no labels. */
  readonly indicesOnly?: boolean
  /**
   * Returns the loss of one row. On entry `row` holds the logits, on return the gradient. `weights[c]` is the class's
   * weight times its target. All arrays have one entry a class, and all are overwritten: `hess`, where it is wanted, with
   * the diagonal of the Hessian.
   *
   * @param gammas one a class, in place of the parameter; null: that.
   * @param target the row's class, among these; -1 where labels tell.
   */
  row(row: Float64Array, weights: Float64Array, scratch: Float64Array, parameters: Parameters, hess: Float64Array | null, gammas: Float64Array | null, target: number): number
}

export type Formula = ElementFormula | RowFormula

/** 1 / (1 + e^-x), without overflow and without cancellation for very negative x. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x))
  const e = Math.exp(x)
  return e / (1 + e)
}

/** log(1 + e^x), exact to rounding at both ends. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
}

/**
 * Writes z_c = log(others_c) - x_c, the log-odds against class c, to `odds`; of equal logits they are equal. The others of a top class are summed. Those of any other
 * class are the total less its own exponential: at least half of the total, so that no digits are lost.
 */
export function logOddsAgainst(row: Float64Array, odds: Float64Array): void {
  const top = row.reduce((a, b) => Math.max(a, b), -Infinity)
  // The top may be infinite, and Infinity - Infinity is no difference
  const below = (x: number) => (x === top ? 0 : x - top)
  let [tops, rest] = [0, 0]
  for (let c = 0; c < row.length; c++) {
    odds[c] = Math.exp(below(row[c]))
    if (row[c] === top) tops++
    else rest += odds[c]
  }
  for (let c = 0; c < row.length; c++) {
    const others = row[c] === top ? tops - 1 + rest : tops + rest - odds[c]
    odds[c] = Math.log(others) - below(row[c])
  }
}

/** Whether logits share their row in no way that can be known: not a number somewhere, or several infinities on top. */
export function isUndecided(row: Float64Array): boolean {
  const top = row.reduce((a, b) => Math.max(a, b), -Infinity)
  return Number.isNaN(top) || (!Number.isFinite(top) && row.indexOf(top) !== row.lastIndexOf(top))
}

/** y softplus(-x) + (1 - y) softplus(x), where a target of 0 or 1 leaves nothing of the other term. */
export function crossEntropy(x: number, y: number): number {
  return (y === 0 ? 0 : y * softplus(-x)) + (y === 1 ? 0 : (1 - y) * softplus(x))
}

/** Adds another part of a loss: what `to` held before. */
export function add(to: Derivatives, value: number, grad: number, hess: number): void {
  to.value += value
  to.grad += grad
  to.hess += hess
}

/** A product in which zero wins over infinity: factors vanish faster than cross entropy grows. */
export function times(factor: number, loss: number): number {
  return factor === 0 && loss === Infinity ? 0 : factor * loss
}

/** q^gamma. What most losses use needs no power, which would cost as much as all the rest of an element. */
export function modulatingFactor(q: number, gamma: number): number {
  switch (gamma) {
    case 0:
      return 1
    case 0.5:
      return Math.sqrt(q)
    case 1:
      return q
    case 1.5:
      return q * Math.sqrt(q)
    case 2:
      return q * q
    case 3:
      return q * q * q
    case 4:
      return q * q * (q * q)
    case 5:
      return q * q * (q * q) * q
    default:
      return Math.pow(q, gamma)
  }
}

/**
 * A negative: with s = sigmoid(x) = 1 - p_t the loss is w s^gamma softplus(x). `slope` is gamma, or 0 to differentiate
 * as if s^gamma were a constant. One exponential serves for s, for 1 - s and for softplus.
 */
export function asNegative(x: number, weight: number, gamma: number, to: Derivatives, slope = gamma): void {
  const e = Math.exp(-Math.abs(x))
  fromExponential(x, e, Math.log1p(e), weight, gamma, to, slope)
}

/** The same from e = e^-|x| and log(1 + e). */
export function fromExponential(x: number, e: number, log: number, weight: number, gamma: number, to: Derivatives, slope = gamma): void {
  const larger = 1 / (1 + e)
  const smaller = e * larger
  const s = x >= 0 ? larger : smaller
  const c = x >= 0 ? smaller : larger
  const loss = Math.max(x, 0) + log
  const modulated = weight * modulatingFactor(s, gamma)
  const gain = slope * times(c, loss)
  to.value = times(modulated, loss)
  to.grad = modulated * (gain + s)
  to.hess = modulated * (gain * (slope * c - s) + (2 * slope + 1) * s * c)
}

/** A positive is a negative seen in the mirror. */
export function asPositive(x: number, weight: number, gamma: number, to: Derivatives, slope = gamma): void {
  asNegative(-x, weight, gamma, to, slope)
  to.grad = -to.grad
}
