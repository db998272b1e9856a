/** Gradient and hessian against central differences in double precision, over options and layouts, on every backend. */
import { describe, expect, it } from 'vitest'
import { type CallOptions, FocalStarLoss, type Numbers, type Reduction, SigmoidFocalLoss } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import {
  type AnyLoss,
  type AnyOptions,
  elementwiseNames,
  elementwiseOf,
  flat,
  hasOptions,
  type LossName,
  lossNames,
  lossOf,
  ofPower,
} from '../support/losses.js'
import { seeded } from '../support/random.js'

const STEP = 1e-5

const powers = [0, 0.1, 0.5, 1, 1.5, 2, 2.7, 5]

type Call = CallOptions & { normalizer?: number }

interface Setup {
  /** Beside the powers. */
  readonly options?: AnyOptions
  readonly targets: Numbers
  readonly call?: Call
}

const [outer, classes, inner] = [3, 4, 2]
const rows = outer * inner
const size = rows * classes
const shape = [outer, classes, inner]
const random = seeded(7)
/** Away from the logit of 0.05, where an asymmetric loss has its bend. */
const logits = Float64Array.from({ length: size }, () => random.between(-6, 6)).map((x) => (Math.abs(x - Math.log(0.05 / 0.95)) < 0.5 ? x + 1 : x))
const indices = Int32Array.from({ length: rows }, () => random.integer(classes))
const binary = Uint8Array.from(logits, () => random.integer(2))
/** Away from the probabilities, where a quality focal loss has its pole. */
const soft = logits.map((x) => (1 / (1 + Math.exp(-x)) + random.between(0.2, 0.8)) % 1)
const perClass = [0.1, 0.4, 0.9, 0.6]
const perRow = Float64Array.from({ length: rows }, () => random.between(0.2, 3))
const perElement = Float64Array.from(logits, () => random.between(0.2, 3))
const rowMask = [1, 0, 1, 1, 0, 1]
const elementMask = Uint8Array.from(logits, (_, k) => Number(k % 5 !== 0))

/** What element-wise losses are told. A loss sits out what has options that it has not. */
const elementSetups: Record<string, Setup> = {
  'one label per logit': { targets: binary },
  'no alpha': { options: { alpha: null }, targets: binary },
  'class index': { targets: indices, call: { shape, classAxis: 1 } },
  'class index, last axis': { targets: indices, call: { shape: [rows, classes] } },
  'class index, first axis': { targets: indices, call: { shape: [classes, rows], classAxis: 0 } },
  'background and ignored rows': {
    options: { background: 'num-classes', ignoreIndex: -1 },
    targets: Int32Array.of(4, 0, -1, 2, 4, 1),
    call: { shape: [rows, classes] },
  },
  'ignored labels': { options: { ignoreIndex: 255 }, targets: binary.map((y, k) => (k % 4 === 0 ? 255 : y)) },
  'soft': { targets: soft },
  'soft mixture': { options: { softTargets: 'mixture' }, targets: soft },
  'smoothed': { options: { labelSmoothing: 0.1 }, targets: binary },
  'smoothed class index': { options: { labelSmoothing: 0.2 }, targets: indices, call: { shape, classAxis: 1 } },
  'smoothed mixture': { options: { labelSmoothing: 0.3, softTargets: 'mixture' }, targets: binary },
  'weights per class': { options: { classWeights: [1, 2, 0.5, 3] }, targets: indices, call: { shape, classAxis: 1 } },
  'alpha and weights per class': { options: { alpha: perClass, classWeights: [1, 2, 0.5, 3] }, targets: indices, call: { shape, classAxis: 1 } },
  'soft, alpha per class': { options: { alpha: perClass }, targets: soft, call: { shape, classAxis: 1 } },
  'weights per element': { targets: binary, call: { shape, weights: perElement } },
  'weights per row': { targets: indices, call: { shape, classAxis: 1, weights: perRow } },
  'mask per row': { targets: indices, call: { shape, classAxis: 1, mask: rowMask } },
  'mask per element': { targets: soft, call: { shape, mask: elementMask } },
  'no margin': { options: { margin: 0 }, targets: soft },
  'a wide margin': { options: { margin: 0.5 }, targets: soft },
}

const softmaxSetups: Record<string, Setup> = {
  'class index': { targets: indices, call: { shape: [rows, classes] } },
  'class index, middle axis': { targets: indices, call: { shape, classAxis: 1 } },
  'class index, first axis': { targets: indices, call: { shape: [classes, rows], classAxis: 0 } },
  'dense': { targets: soft, call: { shape, classAxis: 1 } },
  'dense, last axis': { targets: soft, call: { shape: [rows, classes] } },
  'smoothed': { options: { labelSmoothing: 0.1 }, targets: indices, call: { shape, classAxis: 1 } },
  'alpha and weights per class': { options: { alpha: perClass, classWeights: [1, 2, 0.5, 3] }, targets: indices, call: { shape, classAxis: 1 } },
  'dense, weights': { options: { alpha: perClass }, targets: soft, call: { shape, classAxis: 1, weights: perRow } },
  'background, ignored and masked rows': {
    options: { background: 4, ignoreIndex: -1 },
    targets: Int32Array.of(4, 0, -1, 2, 3, 1),
    call: { shape: [rows, classes], mask: [1, 1, 1, 1, 0, 1] },
  },
}

const setupsOf = (name: LossName) =>
  Object.entries(name === 'SoftmaxFocalLoss' ? softmaxSetups : elementSetups).filter(([, { options = {} }]) => hasOptions(name, options))

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

function checkHessian(loss: AnyLoss, { targets, call }: Setup): void {
  const { hess } = loss.valueGradAndHess(logits, targets, call)
  const slopeAt = (k: number, x: number) => loss.valueAndGrad(logits.with(k, x), targets, call).grad[k]
  expectNear(hess, logits.map((x, k) => (slopeAt(k, x + STEP) - slopeAt(k, x - STEP)) / (2 * STEP)))
}

function checkGradient(loss: AnyLoss, { targets, call }: Setup): void {
  const { grad } = loss.valueAndGrad(logits, targets, call)
  expectNear(
    grad,
    differences((x) => flat(loss.value(x, targets, call)).reduce((a, b) => a + b, 0)),
  )
}

describe.each(testedBackends())('%s', (backend) => {
  describe.each(lossNames)('%s', (name) => {
    describe.each(setupsOf(name))('%s', (_, setup) => {
      const make = (reduction: Reduction, power: number) => lossOf(name, { ...ofPower[name](power), ...setup.options, reduction, backend })

      it.each(powers)('gradient and hessian, power %d', (power) => {
        checkGradient(make('sum', power), setup)
        for (const reduction of ['sum', 'mean'] as const) checkHessian(make(reduction, power), setup)
      })

      it.each(['none', 'mean', 'mean-rows', 'mean-positives'] as const)('gradient of %s', (reduction) => checkGradient(make(reduction, 1.5), setup))

      it.each(['none', 'mean'] as const)('gradient of %s with a normalizer', (reduction) => {
        checkGradient(make(reduction, 2), { ...setup, call: { ...setup.call, normalizer: 3.7 } })
      })
    })
  })

  it.each(elementwiseNames)('the value, the gradient and the hessian do not depend on what else is asked for, %s', (name) => {
    for (const targets of [binary, soft]) {
      const loss = elementwiseOf(name, { reduction: 'none', backend })
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

  it('the second derivative of a focal star loss is never negative', () => {
    for (const power of powers) {
      const { hess } = new FocalStarLoss({ ...ofPower.FocalStarLoss(power), backend }).valueGradAndHess(logits, soft)
      expect(Math.min(...hess)).toBeGreaterThanOrEqual(0)
    }
  })
})
