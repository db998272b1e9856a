/**
 * How far losses composed of TensorFlow.js's operations, or fused on its GPU backends, are from their definitions in plain TypeScript and double precision, on the
 * backend that is set: for Node.js and pages alike.
 */
import type * as tfjs from '@tensorflow/tfjs-core'
import * as focal from 'focal-loss'
import { tfLoss, type TfjsOptions } from 'focal-loss/tfjs'
import { largestError } from './closeness.js'
import type { AnyOptions, ElementwiseName, LossName } from './losses.js'
import { balanced, elementTerms, softmaxTerms } from './terms.js'

export interface Agreement {
  readonly title: string
  /** The largest relative errors; of sums that pass through zero, relative to their terms. */
  readonly value: number
  readonly grad: number
  readonly isFinite: boolean
  /** The largest error of either, relative to at least 1 / 1024: what is left where that is 10 bits. */
  readonly coarse: number
  /** How many results are 0 that a half float has: at least 2^-14, its least normal number. */
  readonly vanished: number
}

/** The loss, its alpha or class weight being 1. */
const cases: readonly (readonly [LossName, AnyOptions])[] = [
  ...[0, 0.5, 1, 2, 3.5].flatMap((gamma) => [
    ['SigmoidFocalLoss', { gamma, alpha: null }] as const,
    ['SigmoidFocalLoss', { gamma, alpha: null, softTargets: 'mixture' }] as const,
    ['SoftmaxFocalLoss', { gamma }] as const,
  ]),
  ['FocalStarLoss', {}],
  ['QualityFocalLoss', {}],
  ['QualityFocalLoss', { beta: 0.5 }],
  ['QualityFocalLoss', { beta: 1.5 }],
  ['VarifocalLoss', { alpha: 1 }],
  ['VarifocalLoss', { alpha: 1, gamma: 0.5 }],
  ['HeatmapFocalLoss', {}],
  ['HeatmapFocalLoss', { gamma: 1.5, beta: 0.5 }],
  ['AsymmetricLoss', {}],
  ['AsymmetricLoss', { gammaPositive: 0.5, gammaNegative: 1.5, margin: 0.25 }],
  ['AsymmetricLoss', { gammaNegative: 0.5, margin: 0.5 }],
  ['AsymmetricLoss', { gammaNegative: 0, margin: 1e-6 }],
  ['AsymmetricLoss', { margin: 0 }],
]

/** Logits to both sides of 0, as half floats have them. */
const line = Float32Array.from({ length: 641 }, (_, i) => (i - 320) / 4)
/** Labels that half floats have, too. */
const labels = [0, 1, 0.25, 0.625]
const rows: readonly (readonly number[])[] = Array.from(line, (x, i) => [
  [x, -x, 0, 1],
  [0.5, x, x, -3],
  [i % 7, 2, -x, x],
  [x, 1.25, 1, 0.75],
][i % 4])
const rowLabels = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0.25, 0, 0.625, 0.125]]

export async function agreements(tf: typeof tfjs, form: TfjsOptions): Promise<Agreement[]> {
  const results: Agreement[] = []
  for (const [name, options] of cases) results.push(await (name === 'SoftmaxFocalLoss' ? ofRows(tf, form, options) : ofElements(tf, form, name, options)))
  return results
}

/** Probabilities from 2^-10 to 1 - 2^-10, as half floats have them. */
const probabilities = [1, 4, 16, 64, 256, 512, 768, 960, 1008, 1020, 1023].map((part) => part / 1024)
const rowsOfProbabilities = [
  [0.5, 0.25, 0.125, 0.125],
  [0.9375, 0.03125, 0.015625, 0.015625],
  [0.0625, 0.0625, 0.0625, 0.8125],
]

/** The same of losses whose inputs are probabilities, with labels of 0 and 1. */
export async function agreementsOfProbabilities(tf: typeof tfjs): Promise<Agreement[]> {
  const results: Agreement[] = []
  for (const [name, options] of cases) {
    const all = { ...options, inputs: 'probabilities', reduction: 'mean' } as const
    const ofRow = name === 'SoftmaxFocalLoss'
    const x = Float32Array.from(ofRow ? [0, 1, 2, 3].flatMap(() => rowsOfProbabilities.flat()) : [...probabilities, ...probabilities])
    const y = Float32Array.from(x, (_, i) => Number(ofRow ? i % 4 === Math.floor(i / 12) : i >= probabilities.length))
    const shape: [number, number] = ofRow ? [x.length / 4, 4] : [x.length, 1]
    const exact = new focal[name]({ ...all, backend: 'js' }).sums(Float64Array.from(x), y, { shape, out: true, grad: true })
    results.push(await compare(tf, {}, titleOf(name, options), new focal[name](all), [x, y, shape], exact.out, exact.grad, exact.out, exact.grad))
  }
  return results
}

async function ofElements(tf: typeof tfjs, form: TfjsOptions, name: ElementwiseName, options: AnyOptions): Promise<Agreement> {
  const loss = new focal[name]({ ...options, reduction: 'mean' })
  const x = Float32Array.from({ length: line.length * labels.length }, (_, i) => line[i % line.length])
  const y = Float32Array.from(x, (_, i) => labels[Math.floor(i / line.length)])
  const exact = new focal[name]({ ...options, backend: 'js' }).sums(Float64Array.from(x), y, { out: true, grad: true })
  const resolved = loss.options as unknown as Required<AnyOptions>
  const terms = Array.from(x, (at, i) => elementTerms[name](at, y[i], { ...resolved, ...balanced(name, null) }))
  return compare(tf, form, titleOf(name, options), loss, [x, y, [x.length, 1]], exact.out, exact.grad, terms.map(({ value }) => value), terms.map(({ grad }) => grad))
}

async function ofRows(tf: typeof tfjs, form: TfjsOptions, options: AnyOptions): Promise<Agreement> {
  const loss = new focal.SoftmaxFocalLoss({ ...options, reduction: 'mean' })
  const every = rowLabels.flatMap((row) => rows.map((at) => [at, row]))
  const [x, y] = [0, 1].map((which) => Float32Array.from(every.flatMap((pair) => pair[which])))
  const exact = new focal.SoftmaxFocalLoss({ ...options, backend: 'js' }).sums(Float64Array.from(x), y, { shape: [every.length, 4], out: true, grad: true })
  const terms = every.flatMap(([at, row]) => softmaxTerms(at, row, options.gamma ?? 2).map(({ grad }) => grad))
  return compare(tf, form, titleOf('SoftmaxFocalLoss', options), loss, [x, y, [every.length, 4]], exact.out, exact.grad, exact.out, terms)
}

async function compare(
  tf: typeof tfjs,
  form: TfjsOptions,
  title: string,
  loss: focal.FocalLossBase,
  [x, y, shape]: [Float32Array, Float32Array, [number, number]],
  value: ArrayLike<number>,
  grad: ArrayLike<number>,
  valueTerms: ArrayLike<number>,
  gradTerms: ArrayLike<number>,
): Promise<Agreement> {
  const criterion = tfLoss(tf, loss, form)
  const [yTrue, yPred] = [tf.tensor2d(y, shape), tf.tensor2d(x, shape)]
  // Of samples of one row, each one's value in the mean is its loss
  const each = criterion(yTrue, yPred)
  const slope = tf.grad((at) => tf.sum(criterion(yTrue, at)))(yPred)
  const [computed, computedGrad] = [await each.data(), await slope.data()]
  tf.dispose([yTrue, yPred, each, slope])
  const all = [...computed, ...computedGrad]
  const exact = [...Array.from(value), ...Array.from(grad)]
  return {
    title,
    value: largestError(computed, value, valueTerms),
    grad: largestError(computedGrad, grad, gradTerms),
    coarse: Math.max(coarseError(computed, value, valueTerms), coarseError(computedGrad, grad, gradTerms)),
    isFinite: all.every(Number.isFinite),
    vanished: all.filter((result, i) => result === 0 && Math.abs(exact[i]) >= 2 ** -14).length,
  }
}

function coarseError(actual: ArrayLike<number>, exact: ArrayLike<number>, terms: ArrayLike<number>): number {
  return Math.max(...Array.from(actual, (each, i) => Math.abs(each - exact[i]) / Math.max(Math.abs(terms[i]), 2 ** -10)))
}

function titleOf(name: LossName, options: AnyOptions): string {
  return [name, ...Object.entries(options).map(([option, value]) => `${option} ${JSON.stringify(value)}`)].join(', ')
}

export interface Mean {
  readonly title: string
  readonly value: number
  readonly exact: number
}

/** Means over `n` numbers, in one sample or in many, with and without ignored ones. A half float counts to 65,504. */
export async function means(tf: typeof tfjs, form: TfjsOptions, n: number, batches: readonly number[]): Promise<Mean[]> {
  const results: Mean[] = []
  const x = Float32Array.from({ length: n }, (_, i) => ((i * 7) % 33) / 4 - 4)
  for (const samples of batches) {
    for (const [reduction, ignored] of [['mean', 0], ['mean', 3], ['mean', n / 2], ['mean-rows', 3], ['mean-positives', 3]] as const) {
      // More than a half float can be
      if (reduction === 'mean-rows' && samples === 1) continue
      const loss = new focal.SigmoidFocalLoss({ reduction, ignoreIndex: -1, backend: 'js' })
      const y = Float32Array.from(x, (_, i) => (i < ignored ? -1 : Number(i % 50 === 0)))
      const [yTrue, yPred] = [y, x].map((numbers) => tf.tensor2d(numbers, [samples, n / samples]))
      const each = tfLoss(tf, loss, form)(yTrue, yPred)
      const mean = tf.mean(each)
      const [value] = await mean.data()
      const exact = loss.value(Float64Array.from(x), y, { shape: [samples, n / samples] })
      results.push({ title: `${reduction} of ${n} in ${samples} samples, ${ignored} ignored`, value, exact })
      tf.dispose([yTrue, yPred, each, mean])
    }
  }
  return results
}
