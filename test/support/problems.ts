/** Random problems over all options, layouts and array types, some of them with a target that is none. */
import type { Logits, NumericArray, Numbers, TargetKind } from 'focal-loss'
import { type AnyOptions, elementwiseNames, type LossName } from './losses.js'
import { type Random, seeded } from './random.js'
import { balanced, elementTerms, softmaxTerms } from './terms.js'

export interface RandomProblem {
  readonly name: LossName
  readonly options: AnyOptions
  readonly logits: Logits
  readonly targets: Numbers
  readonly call: Call
  readonly normalizer: number | undefined
  readonly gradScale: number | undefined
  readonly dense: boolean
  readonly hess: boolean
  readonly background: number | null
}

interface Call {
  readonly shape: [number, number, number]
  readonly classAxis: 1
  readonly targetKind?: TargetKind
  readonly weights?: NumericArray
  readonly mask?: NumericArray
}

export function randomProblems(count: number, seed: number): RandomProblem[] {
  const random = seeded(seed)
  return Array.from({ length: count }, () => randomProblem(random))
}

/** The options of each loss's own; the others have them all. */
const ownOptions: Readonly<Record<LossName, (random: Random, alpha: AnyOptions['alpha']) => AnyOptions>> = {
  SigmoidFocalLoss: (random, alpha) => ({ ...powers(random, 'gamma'), alpha, ...smoothing(random), softTargets: random.pick(['linear', 'mixture']) }),
  FocalStarLoss: (random, alpha) => ({ gamma: random.pick([0.3, 1, 2, 4, 50]), beta: random.pick([0, 1, 10]), alpha, ...smoothing(random) }),
  QualityFocalLoss: (random) => ({ ...powers(random, 'beta'), constantModulator: random.pick([false, true]) }),
  VarifocalLoss: (random, alpha) => ({ ...powers(random, 'gamma'), alpha, constantModulator: random.pick([false, true]) }),
  HeatmapFocalLoss: (random) => powers(random, 'gamma', 'beta'),
  AsymmetricLoss: (random) => ({
    ...powers(random, 'gammaPositive', 'gammaNegative'),
    ...smoothing(random),
    margin: random.pick([0, 0.05, 0.3, 0.5]),
    constantModulator: random.pick([false, true]),
  }),
  SoftmaxFocalLoss: (random, alpha) => ({ ...powers(random, 'gamma'), alpha, ...smoothing(random) }),
}

/** Mostly those that have a form of their own in the kernel. */
function powers(random: Random, ...names: readonly ('gamma' | 'beta' | 'gammaPositive' | 'gammaNegative')[]): AnyOptions {
  return Object.fromEntries(names.map((name) => [name, random.pick([0, 0.5, 1, 1.5, 2, 2, 3, 3.7, 4, 5])]))
}

function smoothing(random: Random): AnyOptions {
  return { labelSmoothing: random.pick([0, 0, 0.1]) }
}

function randomProblem(random: Random): RandomProblem {
  const name = random() < 0.3 ? 'SoftmaxFocalLoss' : random() < 0.3 ? 'SigmoidFocalLoss' : random.pick(elementwiseNames)
  const softmax = name === 'SoftmaxFocalLoss'
  const classes = random.pick([softmax ? 2 : 1, 2, 3, 5, 17, 80])
  const shape: [number, number, number] = [random.pick([0, 1, 2, 3, 9, 40, 130]), classes, random.pick([1, 1, 2, 7])]
  const rows = shape[0] * shape[2]
  const size = rows * classes
  const scale = random.pick([1, 5, 30])
  const x = Array.from({ length: size }, () => random.between(-scale, scale))
  if (random() < 0.05 && size > 0) x[random.integer(size)] = random.pick([Infinity, -Infinity, NaN, 3e38])
  const logits = random.pick([Float32Array, Float64Array]).from(x)

  const maybe = <T>(chance: number, value: () => T): T | undefined => (random() < chance ? value() : undefined)
  const perClass = () => Array.from({ length: classes }, () => random())
  const ignoreIndex = random.pick([null, -100, softmax ? null : 1])
  const options = {
    ...ownOptions[name](random, random.pick([null, 0.25, perClass()])),
    classWeights: random.pick([null, 2, perClass()]),
    background: random.pick([null, -1, 'num-classes' as const, softmax ? null : 0]),
    ignoreIndex,
    reduction: random.pick(['none', 'sum', 'mean', 'mean-rows', 'mean-positives'] as const),
  }
  const background = options.background === 'num-classes' ? classes : options.background
  const dense = random() < 0.5
  // With one class, only this tells labels from class indices
  const targetKind = maybe(classes === 1 ? 1 : 0.2, (): TargetKind => (dense ? 'labels' : 'class-index'))
  const targets = dense
    ? denseTargets(random, size, softmax ? null : ignoreIndex)
    : indexTargets(random, rows, classes, [background, ignoreIndex], targetKind !== undefined)

  const length = () => (softmax || random() < 0.5 ? rows : size)
  const weights = maybe(0.4, () => arrayOf(random.pick([Float32Array, Float64Array, Uint8Array]), length(), () => random.between(0, 3)))
  const maskLength = random() < 0.5 ? rows : size
  const mask = maybe(0.4, () => arrayOf(random.pick([Float32Array, Uint8Array]), maskLength, () => random.pick([0, 1, 1])))
  if (softmax && mask?.length === size) leaveLabelled(random, mask, targets, shape)
  return {
    name,
    options,
    logits,
    targets,
    call: { shape, classAxis: 1, ...(targetKind && { targetKind }), ...(weights && { weights }), ...(mask && { mask }) },
    normalizer: maybe(0.3, () => 3.5),
    gradScale: maybe(0.2, () => random.pick([1024, 0.3])),
    dense,
    hess: random() < 0.5,
    background,
  }
}

/** A softmax's mask leaves what a row is labelled with, but now and then; some rows it takes out as a whole. */
function leaveLabelled(random: Random, mask: NumericArray, targets: Numbers, [, classes, inner]: Call['shape']): void {
  const kept = mask.map((_, k) => {
    const row = Math.floor(k / (classes * inner)) * inner + (k % inner)
    if (row % 7 === 3) return 0
    const labelled = targets.length === mask.length ? Number(targets[k]) > 0 : targets[row] === Math.floor(k / inner) % classes
    return labelled && random() > 0.002 ? 1 : mask[k]
  })
  mask.set(kept)
}

type Kind = Float32ArrayConstructor | Float64ArrayConstructor | Uint8ArrayConstructor

function arrayOf(Type: Kind, length: number, value: () => number): NumericArray {
  const array = new Type(length)
  for (let k = 0; k < length; k++) array[k] = value()
  return array
}

function denseTargets(random: Random, size: number, ignoreIndex: number | null): Numbers {
  const soft = random() < 0.7
  const y = Array.from({ length: size }, () => (soft ? random.pick([0, 1, random()]) : random.integer(2)))
  if (ignoreIndex !== null) y.forEach((_, k) => (y[k] = random() < 0.1 ? ignoreIndex : y[k]))
  // What is no label is an error, unless it is masked
  if (random() < 0.1 && size > 0) y[random.integer(size)] = random.pick([1.5, -0.25, 7, Infinity])
  return soft ? random.pick([Float32Array, Float64Array]).from(y) : random.pick([Float32Array, Float64Array, Int8Array, Int16Array, Int32Array]).from(y)
}

function indexTargets(random: Random, rows: number, classes: number, others: readonly (number | null)[], floats: boolean): Numbers {
  const special = others.filter((index) => index !== null)
  const y = Array.from({ length: rows }, () => (random() < 0.3 && special.length > 0 ? random.pick(special) : random.integer(classes)))
  if (random() < 0.1 && rows > 0) y[random.integer(rows)] = random.pick([classes + 3, -2, 1000])
  if (floats && random() < 0.3) return random.pick([Float32Array, Float64Array]).from(y)
  // Some of these cannot hold them all, and then hold others: good indices or bad ones
  return random.pick([Int32Array, Int32Array, Int16Array, Int8Array, Uint8Array, Uint16Array, Uint32Array, Uint8ClampedArray]).from(y)
}

/** What each output of a problem is made of, per element, before it is divided; a softmax's values are their own terms. */
export function termsOf({ name, options, logits, targets, call, dense, background }: RandomProblem) {
  const { shape, weights, mask } = call
  const [outer, classes, inner] = shape
  const rows = outer * inner
  const { gamma = 0, labelSmoothing: e = 0, ...others } = options
  const at = (of: AnyOptions['alpha'], c: number) => (typeof of === 'number' ? of : of?.[c])
  const [value, grad, hess] = [0, 0, 0].map(() => new Float64Array(logits.length))
  for (let r = 0; r < rows; r++) {
    const first = Math.floor(r / inner) * classes * inner + (r % inner)
    const places = Array.from({ length: classes }, (_, c) => first + c * inner)
    const weightOf = (k: number, c: number) => (weights?.[weights.length === rows ? r : k] ?? 1) * (at(options.classWeights, c) ?? 1)
    const y = places.map((k, c) => Number(dense ? targets[k] : targets[r] === c && c !== background))
    if (name === 'SoftmaxFocalLoss') {
      const left = places.flatMap((k, c) => (mask?.length === logits.length && mask[k] === 0 ? [] : [c]))
      const amounts = left.map((c) => (y[c] * (1 - e) + e / left.length) * weightOf(first, c) * (at(options.alpha, c) ?? 1))
      const row = softmaxTerms(left.map((c) => logits[places[c]]), amounts, gamma)
      left.forEach((c, i) => {
        grad[places[c]] = row[i].grad
        hess[places[c]] = row[i].hess
      })
      continue
    }
    places.forEach((k, c) => {
      const element = { ...others, gamma, ...balanced(name, at(options.alpha, c), weightOf(k, c)) }
      const terms = elementTerms[name](logits[k], y[c] * (1 - e) + e / 2, element)
      value[k] = terms.value
      grad[k] = terms.grad
      hess[k] = terms.hess
    })
  }
  return { value: name === 'SoftmaxFocalLoss' ? null : value, grad, hess }
}
