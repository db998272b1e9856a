/** Gradient and hessian against central differences in double precision, over options and layouts, on every backend. */
import { describe, expect, it } from 'vitest'
import { type CallOptions, type Numbers, SigmoidFocalLoss } from 'focal-loss'
import { testedBackends } from './backends.js'
import { type AnyLoss, type AnyOptions, flat, type LossName, lossOf } from './support/losses.js'
import { seeded } from './support/random.js'

const STEP = 1e-5

const gammas = [0, 0.1, 0.5, 1, 1.5, 2, 2.7, 5]

type Call = CallOptions & { normalizer?: number }

interface Setup {
  readonly loss: LossName
  readonly options: AnyOptions
  readonly targets: Numbers
  readonly call: Call
}

const [outer, classes, inner] = [3, 4, 2]
const rows = outer * inner
const size = rows * classes
const shape = [outer, classes, inner]
const random = seeded(7)
const logits = Float64Array.from({ length: size }, () => random.between(-6, 6))
const indices = Int32Array.from({ length: rows }, () => random.integer(classes))
const binary = Uint8Array.from(logits, () => random.integer(2))
const soft = Float64Array.from(logits, () => random())
const perClass = [0.1, 0.4, 0.9, 0.6]
const perRow = Float64Array.from({ length: rows }, () => random.between(0.2, 3))
const perElement = Float64Array.from(logits, () => random.between(0.2, 3))
const rowMask = [1, 0, 1, 1, 0, 1]
const elementMask = Uint8Array.from(logits, (_, k) => Number(k % 5 !== 0))

/** What the methods are told, in rounds of one gamma each. */
const setups: Record<string, (gamma: number) => Setup> = {
  'sigmoid, one label per logit': (gamma) => sigmoid({ gamma }, binary),
  'sigmoid, no alpha': (gamma) => sigmoid({ gamma, alpha: null }, binary),
  'sigmoid, class index': (gamma) => sigmoid({ gamma }, indices, { shape, classAxis: 1 }),
  'sigmoid, class index, last axis': (gamma) => sigmoid({ gamma }, indices, { shape: [rows, classes] }),
  'sigmoid, class index, first axis': (gamma) => sigmoid({ gamma }, indices, { shape: [classes, rows], classAxis: 0 }),
  'sigmoid, background and ignored rows': (gamma) =>
    sigmoid({ gamma, background: 'num-classes', ignoreIndex: -1 }, Int32Array.of(4, 0, -1, 2, 4, 1), { shape: [rows, classes] }),
  'sigmoid, soft linear': (gamma) => sigmoid({ gamma }, soft),
  'sigmoid, soft mixture': (gamma) => sigmoid({ gamma, softTargets: 'mixture' }, soft),
  'sigmoid, smoothed': (gamma) => sigmoid({ gamma, labelSmoothing: 0.1 }, binary),
  'sigmoid, smoothed class index': (gamma) => sigmoid({ gamma, labelSmoothing: 0.2 }, indices, { shape, classAxis: 1 }),
  'sigmoid, smoothed mixture': (gamma) => sigmoid({ gamma, labelSmoothing: 0.3, softTargets: 'mixture' }, binary),
  'sigmoid, alpha and weights per class': (gamma) =>
    sigmoid({ gamma, alpha: perClass, classWeights: [1, 2, 0.5, 3] }, indices, { shape, classAxis: 1 }),
  'sigmoid, soft, alpha per class': (gamma) => sigmoid({ gamma, alpha: perClass }, soft, { shape, classAxis: 1 }),
  'sigmoid, weights per element': (gamma) => sigmoid({ gamma }, binary, { shape, weights: perElement }),
  'sigmoid, weights per row': (gamma) => sigmoid({ gamma }, indices, { shape, classAxis: 1, weights: perRow }),
  'sigmoid, mask per row': (gamma) => sigmoid({ gamma }, indices, { shape, classAxis: 1, mask: rowMask }),
  'sigmoid, mask per element': (gamma) => sigmoid({ gamma }, soft, { shape, mask: elementMask }),
  'softmax, class index': (gamma) => softmax({ gamma }, indices, { shape: [rows, classes] }),
  'softmax, class index, middle axis': (gamma) => softmax({ gamma }, indices, { shape, classAxis: 1 }),
  'softmax, class index, first axis': (gamma) => softmax({ gamma }, indices, { shape: [classes, rows], classAxis: 0 }),
  'softmax, dense': (gamma) => softmax({ gamma }, soft, { shape, classAxis: 1 }),
  'softmax, dense, last axis': (gamma) => softmax({ gamma }, soft, { shape: [rows, classes] }),
  'softmax, smoothed': (gamma) => softmax({ gamma, labelSmoothing: 0.1 }, indices, { shape, classAxis: 1 }),
  'softmax, alpha and weights per class': (gamma) =>
    softmax({ gamma, alpha: perClass, classWeights: [1, 2, 0.5, 3] }, indices, { shape, classAxis: 1 }),
  'softmax, dense, weights': (gamma) => softmax({ gamma, alpha: perClass }, soft, { shape, classAxis: 1, weights: perRow }),
  'softmax, background, ignored and masked rows': (gamma) =>
    softmax({ gamma, background: 4, ignoreIndex: -1 }, Int32Array.of(4, 0, -1, 2, 3, 1), { shape: [rows, classes], mask: [1, 1, 1, 1, 0, 1] }),
}

function sigmoid(options: AnyOptions, targets: Numbers, call: Call = {}): Setup {
  return { loss: 'SigmoidFocalLoss', options, targets, call }
}

function softmax(options: AnyOptions, targets: Numbers, call: Call): Setup {
  return { loss: 'SoftmaxFocalLoss', options, targets, call }
}

/** The derivative of `of`, an array or a number, by every logit in turn. */
function differences(of: (x: Float64Array) => number): Float64Array {
  return logits.map((x, k) => (of(logits.with(k, x + STEP)) - of(logits.with(k, x - STEP))) / (2 * STEP))
}

/** Central differences err by about STEP squared, and by rounding over STEP: both near 1e-10 of the largest. */
function expectNear(actual: ArrayLike<number>, expected: Float64Array): void {
  const largest = Math.max(1, ...expected.map(Math.abs))
  const off = Math.max(...expected.map((exact, k) => Math.abs(actual[k] - exact)))
  expect(off).toBeLessThanOrEqual(2e-9 * largest)
}

function checkGradient(loss: AnyLoss, { targets, call }: Setup): void {
  const { grad } = loss.valueAndGrad(logits, targets, call)
  expectNear(
    grad,
    differences((x) => flat(loss.value(x, targets, call)).reduce((a, b) => a + b, 0)),
  )
}

describe.each(testedBackends())('%s', (backend) => {
  describe.each(Object.entries(setups))('%s', (_, setup) => {
    it.each(gammas)('gradient, gamma %d', (gamma) => {
      const one = setup(gamma)
      checkGradient(lossOf(one.loss, { ...one.options, reduction: 'sum', backend }), one)
    })

    const reductions = ['none', 'mean', 'mean-rows', 'mean-positives'] as const
    it.each(reductions)('gradient of %s', (reduction) => {
      const one = setup(1.5)
      checkGradient(lossOf(one.loss, { ...one.options, reduction, backend }), one)
    })

    it.each(['none', 'mean'] as const)('gradient of %s with a normalizer', (reduction) => {
      const one = setup(2)
      const call = { ...one.call, normalizer: 3.7 }
      checkGradient(lossOf(one.loss, { ...one.options, reduction, backend }), { ...one, call })
    })
  })

  const elementWise = Object.entries(setups).filter(([, setup]) => setup(0).loss === 'SigmoidFocalLoss')
  describe.each(elementWise)('%s', (_, setup) => {
    it.each(gammas)('hessian, gamma %d', (gamma) => {
      const { options, targets, call } = setup(gamma)
      for (const reduction of ['sum', 'mean'] as const) {
        const loss = new SigmoidFocalLoss({ ...options, reduction, backend })
        const { hess } = loss.valueGradAndHess(logits, targets, call)
        // Every gradient depends on its own logit only, so all may be moved at once
        const above = loss.valueAndGrad(logits.map((x) => x + STEP), targets, call).grad
        const below = loss.valueAndGrad(logits.map((x) => x - STEP), targets, call).grad
        expectNear(hess, above.map((slope, k) => (slope - below[k]) / (2 * STEP)))
      }
    })
  })

  it('the value, the gradient and the hessian do not depend on what else is asked for', () => {
    for (const targets of [binary, soft]) {
      const loss = new SigmoidFocalLoss({ reduction: 'none', backend })
      const all = loss.valueGradAndHess(logits, targets)
      const both = loss.valueAndGrad(logits, targets)
      expectNear(both.grad, all.grad)
      expectNear(both.value, all.value)
      expectNear(loss.value(logits, targets), all.value)
    }
  })

  it('the second derivative is negative for a badly wrong element, and positive near the truth', () => {
    const { hess } = new SigmoidFocalLoss({ gamma: 2, alpha: null, backend }).valueGradAndHess(Float64Array.of(6, -0.5), [0, 0])
    expect(hess[0]).toBeLessThan(0)
    expect(hess[1]).toBeGreaterThan(0)
  })
})
