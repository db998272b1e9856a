/**
 * The size of the terms that a loss and its derivatives are made of, from the definitions in double precision. A sum that
 * passes through zero cannot be held to its own relative error, only to theirs. For labels of 0 and 1, value and gradient
 * are single terms, but where a distance is a difference itself.
 */
import type { ElementwiseName } from './losses.js'

export interface Terms {
  readonly value: number
  readonly grad: number
  readonly hess: number
}

/** The options that a term depends on; each loss reads its own. Weights are those of a positive and of a negative. */
export interface TermOptions {
  readonly gamma?: number
  readonly gammaPositive?: number
  readonly gammaNegative?: number
  readonly beta?: number
  readonly margin?: number
  readonly constantModulator?: boolean
  readonly softTargets?: 'linear' | 'mixture'
  readonly positive: number
  readonly negative: number
}

const sigmoid = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
/** Where the label has all of one side, the other is nothing, even if infinite. */
const crossEntropy = (x: number, y: number) => (y === 0 ? 0 : y * softplus(-x)) + (y === 1 ? 0 : (1 - y) * softplus(x))
const times = (factor: number, loss: number) => (factor === 0 ? 0 : factor * loss)
const sum = (a: Terms, b: Terms): Terms => ({ value: a.value + b.value, grad: a.grad + b.grad, hess: a.hess + b.hess })
const nothing: Terms = { value: 0, grad: 0, hess: 0 }

/** y L(1) + (1 - y) L(0), of labels and losses alike. */
function mixture(y: number, { positive, negative }: TermOptions, one: (weight: number) => Terms, zero: (weight: number) => Terms): Terms {
  return sum(y === 0 ? nothing : one(y * positive), y === 1 ? nothing : zero((1 - y) * negative))
}

/** w s^gamma softplus(x); `slope` is gamma, or 0 where the power counts as a constant. */
function focal(x: number, weight: number, gamma: number, slope = gamma): Terms {
  const [s, c] = [sigmoid(x), sigmoid(-x)]
  const modulated = weight * Math.pow(s, gamma)
  const gain = slope * times(c, softplus(x))
  return {
    value: times(modulated, softplus(x)),
    grad: modulated * (gain + s),
    hess: modulated * (gain * (slope * c + s) + (2 * slope + 1) * s * c),
  }
}

function linear(x: number, y: number, { gamma: g = 0, positive, negative }: TermOptions): Terms {
  const [s, c] = [sigmoid(x), sigmoid(-x)]
  const q = y * c + (1 - y) * s
  const r = (s * c) / q
  const modulated = (y * positive + (1 - y) * negative) * Math.pow(q, g)
  return {
    value: modulated * crossEntropy(x, y),
    grad: modulated * (g * r * crossEntropy(x, y) + q),
    hess: modulated * (crossEntropy(x, y) * (g * (g + 1) * r * r + g * r) + 2 * g * r * q + s * c),
  }
}

function star(x: number, weight: number, { gamma = 1, beta = 0 }: TermOptions): Terms {
  const z = gamma * x - beta
  return { value: (weight * softplus(z)) / gamma, grad: weight * sigmoid(z), hess: weight * gamma * sigmoid(z) * sigmoid(-z) }
}

/** `cancelled` is what the two sides of the distance lose against each other, relative to it: by so much rounding of them is felt more. */
function quality(x: number, y: number, { beta = 0, constantModulator = false, positive, negative }: TermOptions): Terms {
  const b = constantModulator ? 0 : beta
  const [s, c] = [sigmoid(x), sigmoid(-x)]
  const distance = Math.max(Math.abs(y * c - (1 - y) * s), Number.MIN_VALUE)
  const cancelled = (y * c + (1 - y) * s) / distance - 1
  const r = (s * c) / distance
  const modulated = (y * positive + (1 - y) * negative) * Math.pow(distance, beta)
  const loss = times(modulated, crossEntropy(x, y))
  return {
    value: loss * (1 + beta * cancelled),
    grad: modulated * distance * (1 + (beta + 1) * cancelled) + loss * b * r * (1 + Math.abs(b - 1) * cancelled),
    hess:
      loss * b * r * (Math.abs(b - 1) * r * (1 + Math.abs(b - 2) * cancelled) + 1 + Math.abs(b - 1) * cancelled) +
      modulated * (2 * b + 1) * s * c * (1 + beta * cancelled),
  }
}

function varifocal(x: number, y: number, { gamma = 0, constantModulator = false, positive, negative }: TermOptions): Terms {
  if (y === 0) return focal(x, negative, gamma, constantModulator ? 0 : gamma)
  const [s, c] = [sigmoid(x), sigmoid(-x)]
  return { value: y * positive * crossEntropy(x, y), grad: y * positive * ((1 - y) * s + y * c), hess: y * positive * s * c }
}

/** A negative past the margin, where t is positive. */
function shifted(x: number, weight: number, { gammaNegative: power = 0, margin = 0, constantModulator = false }: TermOptions): Terms {
  const above = Math.expm1(x - Math.log(margin / (1 - margin)))
  const [s, c] = [sigmoid(x), sigmoid(-x)]
  const t = margin === 0 ? s : above < 1 ? (margin * (1 - margin) * above) / (1 + margin * above) : s - margin
  if (t <= 0) return nothing
  const g = constantModulator ? 0 : power
  const loss = margin === 0 ? softplus(x) : t < 0.5 ? -Math.log1p(-t) : -Math.log(c + margin)
  const h = margin === 0 ? 1 : c / (c + margin)
  const modulated = weight * Math.pow(t, power)
  const spread = times(c, loss) / t
  return {
    value: times(modulated, loss),
    grad: modulated * s * (g * spread + h),
    hess: s * (modulated * (g * spread + h + s * h * h) + ((s * c * g * modulated) / t) * (Math.abs(g - 1) * spread + 2 * h)),
  }
}

/** What alpha makes of a weight: those of a positive and of a negative. */
export function balanced(name: ElementwiseName, alpha: number | null | undefined, weight = 1): Pick<TermOptions, 'positive' | 'negative'> {
  if (alpha === null || alpha === undefined) return { positive: weight, negative: weight }
  const [positive, negative] = name === 'VarifocalLoss' ? [1, alpha] : [alpha, 1 - alpha]
  return { positive: weight * positive, negative: weight * negative }
}

/** The terms of one logit `x` with target `y` (after smoothing). */
export const elementTerms: Record<ElementwiseName, (x: number, y: number, options: TermOptions) => Terms> = {
  SigmoidFocalLoss: (x, y, options) => {
    const { gamma = 0, softTargets = 'linear' } = options
    if (softTargets === 'linear' && y > 0 && y < 1) return linear(x, y, options)
    return mixture(y, options, (weight) => focal(-x, weight, gamma), (weight) => focal(x, weight, gamma))
  },
  FocalStarLoss: (x, y, options) => mixture(y, options, (weight) => star(-x, weight, options), (weight) => star(x, weight, options)),
  QualityFocalLoss: quality,
  VarifocalLoss: varifocal,
  HeatmapFocalLoss: (x, y, { gamma = 0, beta = 0, positive, negative }) =>
    y === 1 ? focal(-x, positive, gamma) : focal(x, negative * Math.pow(1 - y, beta), gamma),
  AsymmetricLoss: (x, y, options) => {
    const { gammaPositive = 0, constantModulator = false } = options
    const one = (weight: number) => focal(-x, weight, gammaPositive, constantModulator ? 0 : gammaPositive)
    return mixture(y, options, one, (weight) => shifted(x, weight, options))
  },
}

/** The terms of the derivatives of one softmax row, a class each; `amounts` are the classes' weights times their targets (after smoothing). */
export function softmaxTerms(row: readonly number[], amounts: readonly number[], gamma: number): Omit<Terms, 'value'>[] {
  const top = Math.max(...row)
  const e = row.map((x) => Math.exp(x - top))
  const others = e.map((_, c) => e.reduce((sum, each, other) => (other === c ? sum : sum + each), 0))
  const q = e.map((each, c) => others[c] / (others[c] + each))
  const p = e.map((each, c) => each / (others[c] + each))
  const each = amounts.map((amount, c) => {
    const nll = Math.log1p(others[c] / e[c])
    const modulated = amount * Math.pow(q[c], gamma)
    // p nll / q tends to 1 as q does to 0, and to 0 as p does
    const ratio = p[c] === 0 ? 0 : q[c] > 0 ? (p[c] * nll) / q[c] : 1
    const bend = modulated * gamma * p[c] * (2 + (p[c] === 0 ? 0 : nll) + Math.abs(gamma - 1) * ratio)
    return { pull: modulated * (gamma * ratio + 1), bend: q[c] > 0 ? bend / q[c] : 0 }
  })
  const without = (j: number, of: 'pull' | 'bend') => each.reduce((sum, one, c) => (c === j ? sum : sum + one[of]), 0)
  return each.map(({ pull, bend }, j) => {
    const [pulls, bends] = [without(j, 'pull'), without(j, 'bend')]
    return { grad: p[j] * pulls + q[j] * pull, hess: q[j] * q[j] * bend + p[j] * (p[j] * bends + q[j] * (pulls + pull)) }
  })
}
