/** The golden cases: 60-digit values from the definitions, and how far a backend is from them. */
import type { BackendName } from 'focal-loss'
import golden from '../conformance/golden.json' with { type: 'json' }
import { largestError } from './closeness.js'
import { type AnyOptions, type ElementwiseName, elementwiseOf, type LossName, lossOf, logitsOf, type Precision } from './losses.js'
import { sigmoidTerms, softmaxTerms } from './terms.js'

export interface GoldenCase {
  readonly loss: LossName
  readonly options: AnyOptions
  readonly shape: readonly number[]
  readonly logits: readonly number[]
  readonly targets: readonly number[]
  readonly expected: { value: readonly number[]; grad: readonly number[]; hess?: readonly number[] }
}

export const goldenCases = golden.cases as unknown as readonly GoldenCase[]

export function nameOf({ loss, options, shape, targets }: GoldenCase, index: number): string {
  const { classWeights, ...others } = options
  const all = Object.entries({ ...others, ...(classWeights !== undefined && { classWeights: 'per class' }) })
  const soft = targets.some((y) => !Number.isInteger(y)) ? ', soft' : ''
  return `${index} ${loss} ${all.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(', ')}, [${shape.join(', ')}]${soft}`
}

/** The largest errors of one case, as the contract measures them. */
export function goldenErrors(one: GoldenCase, backend: BackendName, precision: Precision) {
  const options = { ...one.options, reduction: 'none', backend } as const
  const logits = logitsOf(precision, one.logits)
  const call = { shape: one.shape }
  const terms = termsOf(one)
  if (one.expected.hess === undefined) {
    const { value, grad } = lossOf(one.loss, options).valueAndGrad(logits, one.targets, call)
    return { value: largestError(value, one.expected.value), grad: largestError(grad, one.expected.grad, terms.grad), hess: 0 }
  }
  const { value, grad, hess } = elementwiseOf(one.loss as ElementwiseName, options).valueGradAndHess(logits, one.targets, call)
  return {
    value: largestError(value, one.expected.value),
    grad: largestError(grad, one.expected.grad, terms.grad),
    hess: largestError(hess, one.expected.hess, terms.hess),
  }
}

/** What the derivatives are relative to: themselves for hard labels, the terms they are made of for soft ones. */
function termsOf({ loss, options, shape, logits, targets, expected }: GoldenCase) {
  const smoothing = options.labelSmoothing ?? 0
  const soft = smoothing > 0 || targets.some((y) => !Number.isInteger(y))
  if (loss === 'SigmoidFocalLoss') {
    const alpha = options.alpha as number | null
    const element = {
      gamma: options.gamma ?? 0,
      softTargets: options.softTargets ?? 'linear',
      positive: alpha ?? 1,
      negative: alpha === null ? 1 : 1 - alpha,
    }
    const each = logits.map((x, i) => sigmoidTerms(x, targets[i] * (1 - smoothing) + smoothing / 2, element))
    return { grad: soft ? each.map(({ grad }) => grad) : expected.grad, hess: each.map(({ hess }) => hess) }
  }
  if (expected.hess !== undefined) {
    // A distance from a label or a margin is itself a difference of terms that are about cross entropy in size
    const { gamma = 0, gammaNegative = 0, beta = 0 } = options
    const steepness = 1 + gamma + gammaNegative + beta
    const grad = expected.grad.map((each, i) => Math.abs(each) + steepness * expected.value[i])
    return { grad, hess: expected.hess.map((each, i) => Math.abs(each) + steepness * grad[i]) }
  }
  if (!soft) return { grad: expected.grad, hess: [] }
  const [rows, classes] = shape
  const weights = options.classWeights as readonly number[] | undefined
  const grad = Array.from({ length: rows }, (_, r) => {
    const amounts = Array.from({ length: classes }, (_, c) => {
      const y = targets.length === rows ? Number(targets[r] === c) : targets[r * classes + c]
      return (y * (1 - smoothing) + smoothing / classes) * (weights?.[c] ?? 1)
    })
    return softmaxTerms(logits.slice(r * classes, (r + 1) * classes), amounts, options.gamma ?? 0)
  })
  return { grad: grad.flat(), hess: [] }
}
