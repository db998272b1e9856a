/** The golden cases: 60-digit values from the definitions, and how far a backend is from them. */
import type { BackendName } from 'focal-loss'
import golden from '../conformance/golden.json' with { type: 'json' }
import { largestError } from './closeness.js'
import { type AnyOptions, logitsOf, type LossName, lossOf, type Precision } from './losses.js'
import { balanced, elementTerms, softmaxTerms } from './terms.js'

export interface GoldenCase {
  readonly loss: LossName
  readonly options: AnyOptions
  readonly shape: readonly number[]
  readonly logits: readonly number[]
  readonly targets: readonly number[]
  readonly expected: { value: readonly number[]; grad: readonly number[]; hess: readonly number[]; meanHess: readonly number[] }
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
  const loss = lossOf(one.loss, options)
  const { value, grad } = loss.valueAndGrad(logits, one.targets, call)
  const { hess } = loss.valueGradAndHess(logits, one.targets, call)
  return errorsOf(one, { value, grad, hess })
}

/** The same of results, with reduction 'none', that are there already. */
export function errorsOf(one: GoldenCase, { value, grad, hess }: Record<'value' | 'grad' | 'hess', ArrayLike<number>>) {
  const { expected } = one
  const terms = termsOf(one)
  return {
    value: largestError(value, expected.value, terms.value),
    grad: largestError(grad, expected.grad, terms.grad),
    hess: largestError(hess, expected.hess, terms.hess),
  }
}

/** What the results are relative to: themselves, or the terms they are made of where these may cancel. */
function termsOf({ loss, options, shape, logits, targets, expected }: GoldenCase) {
  const smoothing = options.labelSmoothing ?? 0
  if (loss !== 'SoftmaxFocalLoss') {
    const element = { ...options, ...balanced(loss, options.alpha as number | null | undefined) }
    const each = logits.map((x, i) => elementTerms[loss](x, targets[i] * (1 - smoothing) + smoothing / 2, element))
    return { value: each.map(({ value }) => value), grad: each.map(({ grad }) => grad), hess: each.map(({ hess }) => hess) }
  }
  const soft = smoothing > 0 || targets.some((y) => !Number.isInteger(y))
  const [rows, classes] = shape
  const weights = options.classWeights as readonly number[] | undefined
  const each = Array.from({ length: rows }, (_, r) => {
    const amounts = Array.from({ length: classes }, (_, c) => {
      const y = targets.length === rows ? Number(targets[r] === c) : targets[r * classes + c]
      return (y * (1 - smoothing) + smoothing / classes) * (weights?.[c] ?? 1)
    })
    return softmaxTerms(logits.slice(r * classes, (r + 1) * classes), amounts, options.gamma ?? 0)
  })
  const terms = each.flat()
  return { value: expected.value, grad: soft ? terms.map(({ grad }) => grad) : expected.grad, hess: terms.map(({ hess }) => hess) }
}
