/** Calls with common inputs that may leave the fast path, and the fast path that each is compared with, as data. */
import type { BackendName, CallOptions, Logits, NumericArray } from 'focal-loss'
import { fillNormal, mulberry32 } from '../src/cli/bench/cases.js'

/** This build of the package, or another one. */
export type Library = typeof import('focal-loss')

/** Loss and gradient of the sum over `size` logits (a multiple of 9,600), one call, on arrays made here. */
export type MakeCall = (library: Library, backend: BackendName, size: number) => () => unknown

export interface FastRoad {
  readonly title: string
  readonly make: MakeCall
}

export interface CliffCase extends FastRoad {
  readonly against: FastRoad
  /** The ratio that it must not exceed, and the one that would be better. */
  readonly reach: number
  readonly aim: number
}

const CLASSES = 80
function normal<A extends Logits>(logits: A): A {
  fillNormal(logits, mulberry32(1))
  return logits
}
const logitsOf = (size: number) => normal(new Float32Array(size))
const doublesOf = (size: number) => normal(new Float64Array(size))
/** `count` numbers that `map` makes of random ones in [0, 1). */
function drawn<A extends NumericArray>(array: A, map: (random: number) => number, seed: number): A {
  const random = mulberry32(seed)
  for (let i = 0; i < array.length; i++) array[i] = map(random())
  return array
}
const labels = (size: number) => drawn(new Uint8Array(size), (r) => (r < 1 / 50 ? 1 : 0), 2)
const soft = (size: number) => drawn(new Float32Array(size), (r) => r, 2)
/** Most rows are background, as a detector's anchors are. */
const anchors = (rows: number) => drawn(new Int32Array(rows), (r) => (r < 1 / 50 ? Math.floor(r * 50 * CLASSES) : -1), 2)
const indices = (rows: number, classes: number) => drawn(new Int32Array(rows), (r) => Math.floor(r * classes), 2)
const weights = (count: number) => drawn(new Float32Array(count), (r) => 0.5 + r, 3)
const mask = (count: number) => drawn(new Uint8Array(count), (r) => (r < 0.9 ? 1 : 0), 4)

function withEvery<A extends Logits>(logits: A, every: number, value: number): A {
  for (let i = 0; i < logits.length; i += every) logits[i] = value
  return logits
}

function oneHot<A extends NumericArray>(array: A, classes: number): A {
  indices(array.length / classes, classes).forEach((index, row) => (array[row * classes + index] = 1))
  return array
}

/** The targets of rows, one in ten of them ignored. */
function withIgnored(targets: Int32Array): Int32Array {
  const keep = mask(targets.length)
  return targets.map((target, i) => (keep[i] === 1 ? target : 255))
}

interface Sigmoid {
  readonly logits?: (size: number) => Logits
  readonly targets?: (size: number) => NumericArray
  readonly call?: (size: number) => CallOptions
  readonly options?: ConstructorParameters<Library['SigmoidFocalLoss']>[0]
}

const sum = { reduction: 'sum' } as const

function sigmoid({ logits = logitsOf, targets = labels, call, options }: Sigmoid = {}): MakeCall {
  return (library, backend, size) => {
    const loss = new library.SigmoidFocalLoss({ gamma: 2, alpha: 0.25, ...options, ...sum, backend })
    const [x, y, rest] = [logits(size), targets(size), call?.(size)]
    const given = { ...rest, grad: x.slice() }
    return () => loss.valueAndGrad(x, y, given)
  }
}

function secondDerivative(logits: (size: number) => Logits): MakeCall {
  return (library, backend, size) => {
    const loss = new library.SigmoidFocalLoss({ gamma: 2, alpha: 0.25, ...sum, backend })
    const [x, y] = [logits(size), labels(size)]
    const given = { grad: x.slice(), hess: x.slice() }
    return () => loss.valueGradAndHess(x, y, given)
  }
}

const asymmetric: MakeCall = (library, backend, size) => {
  const loss = new library.AsymmetricLoss({ ...sum, backend })
  const [x, y] = [logitsOf(size), labels(size)]
  const given = { grad: x.slice() }
  return () => loss.valueAndGrad(x, y, given)
}

interface Softmax {
  readonly logits?: (size: number) => Logits
  readonly targets?: (size: number, classes: number) => NumericArray
  readonly call?: (size: number) => CallOptions
  readonly ignoreIndex?: number
  readonly gamma?: number | readonly number[]
}

function softmax(classes: number, { logits = logitsOf, targets, call, ignoreIndex, gamma = 2 }: Softmax = {}): MakeCall {
  return (library, backend, size) => {
    const loss = new library.SoftmaxFocalLoss({ gamma, ...(ignoreIndex !== undefined && { ignoreIndex }), ...sum, backend })
    const [x, y, rest] = [logits(size), targets?.(size, classes) ?? indices(size / classes, classes), call?.(size)]
    const given = { shape: [size / classes, classes], ...rest, grad: x.slice() }
    return () => loss.valueAndGrad(x, y, given)
  }
}

/** `[1, classes, N]`, as segmentation has it. */
const apart = (classes: number) => (size: number) => ({ shape: [1, classes, size / classes], classAxis: 1 })

const byIndex = { targets: (size: number) => anchors(size / CLASSES), options: { background: -1 } } as const
const perRow = (size: number) => ({ mask: mask(size / CLASSES), weights: weights(size / CLASSES) })

const hardLabels: FastRoad = { title: 'a label of 0 or 1 per logit', make: sigmoid() }
const classIndices: FastRoad = { title: 'class indices of 80', make: sigmoid(byIndex) }
const gammaFive: FastRoad = { title: 'gamma 5', make: sigmoid({ options: { gamma: 5 } }) }
const doubles: FastRoad = { title: 'a label per logit, float64', make: sigmoid({ logits: doublesOf }) }
const softmax80: FastRoad = { title: 'softmax of 80', make: softmax(CLASSES) }

export const fastRoads: readonly FastRoad[] = [hardLabels, classIndices, gammaFive, doubles, softmax80]

const far = (size: number) => drawn(new Float32Array(size), (r) => -20 + 4 * (r - 0.5), 1)
const ignoring = { targets: (size: number) => drawn(labels(size), (r) => (r < 0.1 ? 255 : r < 0.12 ? 1 : 0), 2), options: { ignoreIndex: 255 } }
const elementMask = (size: number) => ({ mask: mask(size) })
const elementWeights = (size: number) => ({ weights: weights(size) })
const oneInFourThousand = (size: number) => withEvery(logitsOf(size), 4000, 200)
const oneIn97 = (size: number) => withEvery(logitsOf(size), 97, -1e9)
const squashed = (size: number) => logitsOf(size).map((x) => 1 / (1 + Math.exp(-x)))
const ignoredPixels = (size: number, classes: number) => withIgnored(indices(size / classes, classes))

type CaseRow = readonly [title: string, against: FastRoad, reach: number, aim: number, make: MakeCall]

const rows: readonly CaseRow[] = [
  ['mask per element', hardLabels, 1.3, 1.15, sigmoid({ call: elementMask })],
  ['ignoreIndex, a label per logit', hardLabels, 1.3, 1.15, sigmoid(ignoring)],
  ['weights per element', hardLabels, 1.35, 1.2, sigmoid({ call: elementWeights })],
  ['mask and weights per row, class indices', classIndices, 1.3, 1.15, sigmoid({ ...byIndex, call: perRow })],
  ['label smoothing', hardLabels, 1.4, 1.2, sigmoid({ options: { labelSmoothing: 0.1 } })],
  ['soft labels', hardLabels, 1.4, 1.2, sigmoid({ targets: soft })],
  ['one logit in 4,000 at 200', hardLabels, 1.15, 1.05, sigmoid({ logits: oneInFourThousand })],
  ['one logit in 97 at -1e9', hardLabels, 1.3, 1.15, sigmoid({ logits: oneIn97 })],
  ['results that underflow', gammaFive, 1.5, 1.1, sigmoid({ logits: far, options: { gamma: 5 } })],
  ['probabilities', hardLabels, 2.5, 1.8, sigmoid({ logits: squashed, options: { inputs: 'probabilities' } })],
  ['second derivative', hardLabels, 1.7, 1.4, secondDerivative(logitsOf)],
  ['second derivative, float64', doubles, 1.7, 1.4, secondDerivative(doublesOf)],
  ['asymmetric', hardLabels, 1.9, 1.6, asymmetric],
  ...[2, 3, 5, 10].map((classes): CaseRow => [`softmax of ${classes}`, softmax80, 1.6, 1.2, softmax(classes)]),
  ['softmax [1, 2, N]', softmax80, 1.5, 1.2, softmax(2, { call: apart(2) })],
  ['softmax [1, 20, N], ignored pixels', softmax80, 1.5, 1.2, softmax(20, { call: apart(20), targets: ignoredPixels, ignoreIndex: 255 })],
  ['softmax, one-hot bytes', softmax80, 1.5, 1.3, softmax(CLASSES, { targets: (size) => oneHot(new Uint8Array(size), CLASSES) })],
  ['softmax, one-hot floats', softmax80, 1.5, 1.3, softmax(CLASSES, { targets: (size) => oneHot(new Float32Array(size), CLASSES) })],
  ['softmax, one logit in 97 at -1e9', softmax80, 1.2, 1.05, softmax(CLASSES, { logits: oneIn97 })],
  ['softmax, a gamma per class', softmax80, 1.5, 1.2, softmax(CLASSES, { gamma: Array.from({ length: CLASSES }, (_, c) => (c % 5) / 2) })],
  ['softmax, mask and weights per row', softmax80, 1.3, 1.15, softmax(CLASSES, { call: perRow })],
]

export const cliffCases: readonly CliffCase[] = rows.map(([title, against, reach, aim, make]) => ({ title, against, reach, aim, make }))
