/** What the backend webgpu makes of the suites' problems, beside the plain backend: for Node.js with Dawn, Deno and pages alike. */
import { AsymmetricSoftmaxLoss, type BackendName, type FocalLossBase, type Logits, SigmoidFocalLoss, SoftmaxFocalLoss, type Targets } from 'focal-loss'
import { callOf, differences, type Outcome, outcomeOf } from './agreement.js'
import { largestError } from './closeness.js'
import { familyCases, familyLoss, familyPowers, familyTargets } from './family.js'
import { errorsOf, goldenCases, nameOf } from './golden.js'
import { elementwiseNames, elementwiseOf, flat, lossOf, ofPower, powersOf, unbalanced } from './losses.js'
import { type RandomProblem, randomProblems } from './problems.js'
import { seeded } from './random.js'
import { type Errors, allowedOnWebgpu } from './webgpu_errors.js'
import { probabilityEndErrors, probabilityErrors, probabilityLayoutErrors } from './webgpu_probabilities.js'

export interface WebgpuReport {
  readonly golden: readonly Errors[]
  /** Of the golden values of gamma per class, smoothed cross entropies and asymmetric softmaxes. */
  readonly family: readonly Errors[]
  /** Of the same losses beside the plain backend, in layouts with weights, masks and ignored rows. */
  readonly layouts: readonly Errors[]
  readonly random: { readonly count: number; readonly refused: number; readonly differences: readonly string[] }
  readonly extremes: readonly Errors[]
  /** Of losses of probabilities: golden cases and all options; the ends of the range; layouts. */
  readonly probabilities: { readonly inside: readonly Errors[]; readonly ends: readonly Errors[]; readonly layouts: readonly Errors[] }
}

export async function webgpuReport(count = 80): Promise<WebgpuReport> {
  const probabilities = { inside: await probabilityErrors(), ends: await probabilityEndErrors(), layouts: await probabilityLayoutErrors() }
  return { golden: await goldenErrors(), family: await familyErrors(), layouts: await layoutErrors(), random: await randomDifferences(count), extremes: await extremeErrors(), probabilities }
}

async function goldenErrors(): Promise<Errors[]> {
  const all: Errors[] = []
  for (const [index, one] of goldenCases.entries()) {
    const loss = lossOf(one.loss, { ...one.options, reduction: 'none', backend: 'webgpu' })
    const logits = Float32Array.from(one.logits)
    const result = await loss.valueGradAndHessAsync(logits, one.targets, { shape: one.shape })
    all.push({ title: nameOf(one, index), ...errorsOf(one, result), limit: allowedOnWebgpu('float32', 'grad', ...powersOf(one.loss, one.options)) })
  }
  return all
}

async function familyErrors(): Promise<Errors[]> {
  const all: Errors[] = []
  for (const [title, one] of familyCases) {
    const [targets, { shape, expected, terms }] = [familyTargets(one), one]
    const { value, grad, hess } = await familyLoss(one, 'webgpu').valueGradAndHessAsync(Float32Array.from(one.logits), targets, { shape })
    // Of rows there are none of 60 digits
    const exact = expected.hess ?? familyLoss(one, 'js').valueGradAndHess(Float64Array.from(one.logits), targets, { shape }).hess
    all.push({ title, value: largestError(value, expected.value), grad: largestError(grad, expected.grad, terms.grad), hess: largestError(hess, exact, terms.hess ?? exact), limit: allowedOnWebgpu('float32', 'grad', ...familyPowers(one)) })
  }
  return all
}

/** Losses that have options beside those of the random problems. */
const others: readonly (readonly [string, (backend: BackendName) => FocalLossBase<'none'>, isIndexed?: true])[] = [
  ['sigmoid, gamma per class', (backend) => new SigmoidFocalLoss({ gamma: [0, 0.5, 2, 3.7], ...layoutOptions, alpha: [0.25, 0.5, 1, 0.75], backend })],
  ['sigmoid, gamma per class, smoothed', (backend) => new SigmoidFocalLoss({ gamma: [1.5, 1.7, 4, 0.3], labelSmoothing: 0.2, ...layoutOptions, backend })],
  ['sigmoid, cross entropy smoothed', (backend) => new SigmoidFocalLoss({ gamma: 1.5, labelSmoothing: 0.2, labelSmoothingOf: 'cross-entropy', ...layoutOptions, backend })],
  ['softmax, gamma per class', (backend) => new SoftmaxFocalLoss({ gamma: [0, 0.5, 2, 3.7], classWeights: [1, 2, 0.5, 3], ...layoutOptions, backend })],
  ['softmax, gamma per class, smoothed', (backend) => new SoftmaxFocalLoss({ gamma: [1.5, 1.7, 4, 0.3], labelSmoothing: 0.1, ...layoutOptions, backend })],
  ['asymmetric softmax', (backend) => new AsymmetricSoftmaxLoss({ gammaPositive: 1, gammaNegative: 2.5, classWeights: [1, 2, 0.5, 3], ...layoutOptions, backend }), true],
  ['asymmetric softmax, gamma below 1', (backend) => new AsymmetricSoftmaxLoss({ gammaPositive: 0.7, gammaNegative: 0.3, ...layoutOptions, backend }), true],
]
const layoutOptions = { reduction: 'none', ignoreIndex: -1, background: 4 } as const

async function layoutErrors(): Promise<Errors[]> {
  const all: Errors[] = []
  const random = seeded(29)
  const [shape, rows] = [[9, 4, 7], 63]
  const x = Float32Array.from({ length: 4 * rows }, () => random.between(-9, 9))
  const indices = Int32Array.from({ length: rows }, () => random.integer(6) - 1)
  const labels = Float32Array.from(x, () => random.pick([0, 1, random()]))
  const weights = Float32Array.from(indices, () => random())
  const classOf = (k: number) => Math.floor(k / 7) % 4
  const rowOf = (k: number) => Math.floor(k / 28) * 7 + (k % 7)
  const masks = {
    'class-index': Uint8Array.from(x, (_, k) => Number(indices[rowOf(k)] === classOf(k) || random() < 0.7)),
    labels: Uint8Array.from(indices, () => random.pick([0, 1, 1])),
  }
  for (const [title, of, isIndexed] of others) {
    for (const targetKind of isIndexed ? (['class-index'] as const) : (['class-index', 'labels'] as const)) {
      const targets: Targets = targetKind === 'labels' ? labels : indices
      const call = { shape, classAxis: 1, targetKind, weights, mask: masks[targetKind], gradScale: 8, clampHess: -0.5 }
      const exact = of('js').valueGradAndHess(Float64Array.from(x), targets, call)
      const actual = await of('webgpu').valueGradAndHessAsync(x, targets, call)
      // Labels make terms of both signs, in a row or an element
      const size = (of: ArrayLike<number>) => Array.from(of, (each, k) => Math.max(Math.abs(each), targetKind === 'labels' ? 8 * weights[rowOf(k)] : 1e-3 * weights[rowOf(k)]))
      all.push({ title: `${title}, ${targetKind}`, value: largestError(actual.value, exact.value), grad: largestError(actual.grad, exact.grad, size(exact.grad)), hess: largestError(actual.hess, exact.hess, size(exact.hess)), limit: 1e-5 })
    }
  }
  return all
}

async function randomDifferences(count: number): Promise<WebgpuReport['random']> {
  const problems = randomProblems(count, 4321).map((problem) => ({
    ...problem,
    // Nothing is promised of finite logits beyond 80
    logits: Float32Array.from(problem.logits, (x) => (Math.abs(x) > 80 && Number.isFinite(x) ? 80 * Math.sign(x) : x)),
  }))
  const expected = problems.map((problem) => outcomeOf(problem, 'js'))
  const actual: (Outcome | string)[] = []
  for (const problem of problems) actual.push(await asynchronousOutcomeOf(problem, 'webgpu'))
  const refused = expected.filter((outcome) => typeof outcome === 'string').length
  return { count, refused, differences: differences(problems, actual, expected, allowedOnWebgpu) }
}

async function asynchronousOutcomeOf(problem: RandomProblem, backend: BackendName): Promise<Outcome | string> {
  const { name, options, logits, targets, hess } = problem
  const loss = lossOf(name, { ...options, backend })
  try {
    const result = await (hess ? loss.valueGradAndHessAsync(logits, targets, callOf(problem)) : loss.valueAndGradAsync(logits, targets, callOf(problem)))
    return { value: flat(result.value), grad: flat(result.grad), hess: flat('hess' in result ? (result.hess as Logits) : []), sums: null, denominator: 1 }
  } catch (error) {
    return String(error)
  }
}

const ends = [-80, -60, -20, -1, -1e-3, -1e-30, 0, 1e-30, 1e-3, 1, 20, 60, 80, Infinity, -Infinity, NaN]

/** Logits up to 80 and beyond all, with targets of 0 and 1. */
async function extremeErrors(): Promise<Errors[]> {
  const all: Errors[] = []
  const x = Float32Array.from([...ends, ...ends])
  const y = Float32Array.from(x, (_, k) => Number(k >= ends.length))
  for (const name of elementwiseNames) {
    for (const power of [0, 0.5, 1.7, 5]) {
      const options = { ...ofPower[name](power), ...unbalanced(name), reduction: 'none' } as const
      const exact = elementwiseOf(name, { ...options, backend: 'js' }).valueGradAndHess(x, y)
      const { value, grad, hess } = await elementwiseOf(name, { ...options, backend: 'webgpu' }).valueGradAndHessAsync(x, y)
      all.push({ title: `${name} ${power}`, value: largestError(value, exact.value), grad: largestError(grad, exact.grad), hess: largestError(hess, exact.hess), limit: allowedOnWebgpu('float32', 'grad', ...powersOf(name, options)) })
    }
  }
  const rows = Float32Array.from([80, 0, -80, 1, 1, 1, Infinity, 1, 0, -Infinity, 1, 1, NaN, 1, 2, Infinity, Infinity, 1, 20, -20, 5])
  const each = { reduction: 'none' } as const
  for (const gamma of [0, 0.5, 1.7, 5]) {
    const ofRows: readonly (readonly [string, (backend: BackendName) => FocalLossBase<'none'>])[] = [
      ['softmax', (backend) => new SoftmaxFocalLoss({ gamma, ...each, backend })],
      ['softmax, gamma per class', (backend) => new SoftmaxFocalLoss({ gamma: [gamma, gamma, gamma], ...each, backend })],
      ['asymmetric softmax', (backend) => new AsymmetricSoftmaxLoss({ gammaNegative: gamma, ...each, backend })],
    ]
    for (const [title, of] of ofRows) for (const target of [0, 1, 2]) all.push(await extremesOf(`${title} ${gamma} ${target}`, of, rows, new Int32Array(rows.length / 3).fill(target), 3, gamma))
    const ofElements: readonly (readonly [string, (backend: BackendName) => FocalLossBase<'none'>])[] = [
      ['sigmoid, gamma per class', (backend) => new SigmoidFocalLoss({ gamma: [gamma], alpha: null, ...each, backend })],
      ['sigmoid, cross entropy smoothed', (backend) => new SigmoidFocalLoss({ gamma, labelSmoothing: 0.1, labelSmoothingOf: 'cross-entropy', alpha: null, ...each, backend })],
    ]
    for (const [title, of] of ofElements) all.push(await extremesOf(`${title} ${gamma}`, of, x, y, 1, gamma))
  }
  return all
}

async function extremesOf(title: string, of: (backend: BackendName) => FocalLossBase<'none'>, x: Float32Array, targets: Targets, classes: number, gamma: number): Promise<Errors> {
  const shape = [x.length / classes, classes]
  const [exact, actual] = [of('js').valueGradAndHess(Float64Array.from(x), targets, { shape }), await of('webgpu').valueGradAndHessAsync(x, targets, { shape })]
  const error = (output: 'value' | 'grad' | 'hess') => largestError(actual[output], exact[output])
  return { title, value: error('value'), grad: error('grad'), hess: error('hess'), limit: allowedOnWebgpu('float32', 'grad', gamma) }
}
