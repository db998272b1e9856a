/** Weights beyond the range of float32 are numbers in double: times a weight or a label of 0 they are nothing, and times a small one what that is. */
import { type Logits, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { logitsOf, precisions } from '../support/losses.js'

const ROWS = 12
const huge = 1e39

const targetsOf = (classes: number): Record<string, Int32Array | Float32Array> => {
  const indices = Int32Array.from({ length: ROWS }, (_, row) => row % classes)
  const oneHot = Float32Array.from({ length: ROWS * classes }, (_, i) => Number(indices[Math.floor(i / classes)] === i % classes))
  return { 'class indices': indices, 'one-hot labels': oneHot, 'soft labels': oneHot.map((y) => (y + 1) / (classes + 1)) }
}

/** Class weights and the weights of rows, both taken in turn. */
const pairs: (readonly [number[], number[]])[] = [
  [[huge], [0]], [[huge], [0, 1e-39]], [[0], [huge]], [[1e-39], [huge, 0]], [[1], [1e-39 * huge, 0]],
  [[huge, 0], [0]], [[0, huge], [1e-39, 0]], [[huge, 1e-39], [1e-39, huge]],
]

const inTurn = (numbers: readonly number[], count: number): number[] => Array.from({ length: count }, (_, i) => numbers[i % numbers.length])

const close = (precision: (typeof precisions)[number]): number => (precision === 'float64' ? 1e-9 : 1e-4)

function expectClose(actual: Logits, exact: Logits, tolerance: number): void {
  const wrong = Array.from(actual, (a, i) => [a, exact[i]] as const).filter(([a, b]) => !(a === b || Math.abs(a - b) <= tolerance * Math.abs(b) + 1e-37))
  expect(wrong).toEqual([])
}

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    const tolerance = close(precision)

    it.each([2, 3, 5, 30])('softmax of %i classes has the numbers of js', (classes) => {
      const x = logitsOf(precision, Array.from({ length: ROWS * classes }, (_, i) => (i % 5) - 2 + i / 97))
      const p = logitsOf(precision, new Array<number>(ROWS * classes).fill(1 / classes))
      const masks = [undefined, inTurn([1, 1, 0], ROWS)]
      for (const [kind, targets] of Object.entries(targetsOf(classes))) {
        for (const [ofClasses, weights] of pairs) {
          const classWeights = ofClasses.length === 1 ? undefined : inTurn(ofClasses, classes)
          const alpha = ofClasses.length === 1 ? ofClasses[0] : null
          for (const mask of masks) {
            for (const [logits, options] of [[x, {}], [x, { labelSmoothing: 0.1 }], [p, { inputs: 'probabilities' }]] as const) {
              const of = (on: typeof backend) =>
                new SoftmaxFocalLoss({ ...options, alpha, classWeights, reduction: 'none', backend: on })
                  .valueGradAndHess(logits, targets, { shape: [ROWS, classes], weights: inTurn(weights, ROWS), mask })
              const [actual, exact] = [of(backend), of('js')]
              for (const output of ['value', 'grad', 'hess'] as const) expectClose(actual[output], exact[output], tolerance)
              expect(exact.value.some(Number.isNaN), kind).toBe(false)
            }
          }
        }
      }
    })

    it.each([1, 3, 30])('sigmoid of %i classes has the numbers of js, with weights per row and per element', (classes) => {
      const x = logitsOf(precision, Array.from({ length: ROWS * classes }, (_, i) => (i % 5) - 2 + i / 97))
      for (const targets of Object.values(targetsOf(classes))) {
        for (const [ofClasses, weights] of pairs) {
          for (const count of [ROWS, ROWS * classes]) {
            const of = (on: typeof backend) =>
              new SigmoidFocalLoss({ classWeights: ofClasses.length === 1 ? ofClasses[0] : inTurn(ofClasses, classes), reduction: 'none', background: -1, backend: on })
                .valueGradAndHess(x, targets, { shape: [ROWS, classes], weights: inTurn(weights, count) })
            const [actual, exact] = [of(backend), of('js')]
            for (const output of ['value', 'grad', 'hess'] as const) expectClose(actual[output], exact[output], tolerance)
          }
        }
      }
    })
  })
})
