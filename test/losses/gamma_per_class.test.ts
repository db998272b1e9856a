/** Gamma per class: each class as a loss of its gamma has it; and label smoothing of the cross entropy alone. */
import { gradcheck, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { largestError } from '../support/closeness.js'
import { logitsOf, precisions } from '../support/losses.js'
import { seeded } from '../support/random.js'
import { thrownBy } from '../support/thrown.js'

const ROWS = 130
const gammas = [0, 0.5, 2, 3.7, 5]
const random = seeded(4)
const numbers = Array.from({ length: ROWS * 5 }, (_, k) => (k % 41 === 7 ? 200 : 1) * random.between(-12, 12))
const soft = Float32Array.from(numbers, (_, k) => [0, 1, 0, random()][k % 4])
const indices = Int32Array.from({ length: ROWS }, (_, r) => r % 6)
const shape = [ROWS, 5]

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    const limit = precision === 'float32' ? 2e-5 : 1e-12
    const logits = logitsOf(precision, numbers)

    it.each([['labels', soft], ['class indices', indices]] as const)('sigmoid: a class is as under a loss of its gamma, %s', (_, targets) => {
      const options = { alpha: 0.25, background: 5, classWeights: [1, 2, 0.5, 3, 1], reduction: 'none', backend } as const
      const all = new SigmoidFocalLoss({ ...options, gamma: gammas }).valueGradAndHess(logits, targets, { shape })
      const both = new SigmoidFocalLoss({ ...options, gamma: gammas }).valueAndGrad(logits, targets, { shape })
      gammas.forEach((gamma, c) => {
        const one = new SigmoidFocalLoss({ ...options, gamma, backend: 'js' }).valueGradAndHess(Float64Array.from(logits), targets, { shape })
        const ofClass = (array: ArrayLike<number>) => Array.from(array).filter((_, k) => k % 5 === c)
        // A soft label's derivatives pass through 0: relative to what they are made of
        const terms = ofClass(one.value).map((value, r) => value * (gamma + 1) ** 2 + Math.abs(ofClass(one.grad)[r]))
        expect(largestError(ofClass(all.value), ofClass(one.value))).toBeLessThan(limit)
        for (const { grad } of [all, both]) expect(largestError(ofClass(grad), ofClass(one.grad), targets === soft ? terms : undefined)).toBeLessThan(limit)
        expect(largestError(ofClass(all.hess), ofClass(one.hess), terms)).toBeLessThan(10 * limit)
      })
    })

    it('softmax: a row is as under a loss of the gamma of its class', () => {
      const options = { background: 5, classWeights: [1, 2, 0.5, 3, 1], reduction: 'none', backend } as const
      const loss = new SoftmaxFocalLoss({ ...options, gamma: gammas })
      const { value, grad } = loss.valueAndGrad(logits, indices, { shape })
      gammas.forEach((gamma, c) => {
        const one = new SoftmaxFocalLoss({ ...options, gamma, backend: 'js' }).valueAndGrad(Float64Array.from(logits), indices, { shape })
        for (let r = 0; r < ROWS; r++) {
          if (indices[r] !== c) continue
          expect(largestError([value[r]], [one.value[r]])).toBeLessThan(limit)
          expect(largestError(grad.subarray(5 * r, 5 * r + 5), one.grad.subarray(5 * r, 5 * r + 5))).toBeLessThan(limit)
        }
      })
      // Labels of one 1, and over another axis
      const labels = Float32Array.from(numbers, (_, k) => Number(indices[Math.floor(k / 5)] === k % 5))
      const dense = loss.valueAndGrad(logits, labels, { shape })
      expect(largestError(dense.value, value)).toBe(0)
      expect(largestError(dense.grad, grad)).toBe(0)
      const across = (array: ArrayLike<number>) => logitsOf(precision, Array.from({ length: 5 * ROWS }, (_, k) => array[(k % ROWS) * 5 + Math.floor(k / ROWS)]))
      const apart = loss.valueAndGrad(across(logits), indices, { shape: [5, ROWS], classAxis: 0 })
      expect(largestError(apart.value, value)).toBe(0)
      expect(largestError(apart.grad, across(grad))).toBe(0)
    })

    it('has the gradient of its value, and the derivative of its gradient', () => {
      if (precision === 'float32') return
      const near = Float64Array.from(numbers.slice(0, 40), (x) => x / 20)
      const call = { shape: [8, 5] }
      const losses = [
        new SigmoidFocalLoss({ gamma: gammas, backend }),
        new SigmoidFocalLoss({ gamma: gammas, labelSmoothing: 0.2, backend }),
        new SigmoidFocalLoss({ gamma: 1.5, labelSmoothing: 0.2, labelSmoothingOf: 'cross-entropy', backend }),
        new SoftmaxFocalLoss({ gamma: gammas, backend }),
        new SoftmaxFocalLoss({ gamma: gammas, labelSmoothing: 0.2, backend }),
      ]
      for (const loss of losses) expect(gradcheck(loss, near, soft.slice(0, 40), { call }).worst?.error).toBeLessThan(1e-7)
      const step = 1e-4
      for (const loss of losses) {
        const { hess } = loss.valueGradAndHess(near, soft.slice(0, 40), call)
        hess.forEach((each, k) => {
          const [up, down] = [step, -step].map((by) => loss.valueAndGrad(near.map((x, j) => (j === k ? x + by : x)), soft.slice(0, 40), call).grad[k])
          expect(each).toBeCloseTo((up - down) / (2 * step), 7)
        })
      }
    })

    it('apex: the cross entropy of the smoothed label, under the modulator and alpha of the hard one', () => {
      const e = 0.2
      const x = logitsOf(precision, numbers)
      const targets = Float64Array.from(numbers, (_, k) => Number(k % 3 === 0))
      for (const gamma of [0, 1.5, 2]) {
        const loss = new SigmoidFocalLoss({ gamma, alpha: 0.25, labelSmoothing: e, labelSmoothingOf: 'cross-entropy', reduction: 'none', backend })
        const { value, grad } = loss.valueAndGrad(x, targets)
        x.forEach((logit, k) => {
          const y = targets[k]
          const z = y === 1 ? -logit : logit
          const softplus = Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))
          const [q, p] = [1 / (1 + Math.exp(-z)), 1 / (1 + Math.exp(z))]
          const weight = (y === 1 ? 0.25 : 0.75) * q ** gamma
          // apex: coeff_f (base + off_a), and its derivative, as written in its kernel
          const entropy = softplus - (e / 2) * z
          const slope = weight * (gamma * p * entropy + q - e / 2)
          const size = weight * (gamma * p * entropy + q + e / 2)
          expect(Math.abs(value[k] - weight * entropy)).toBeLessThanOrEqual(limit * weight * Math.abs(entropy) + 1e-37)
          expect(Math.abs(grad[k] - (y === 1 ? -slope : slope))).toBeLessThanOrEqual(limit * size + 1e-37)
        })
      }
      // A smoothing of 0 is the loss without
      const plain = new SigmoidFocalLoss({ reduction: 'none', backend }).value(x, targets)
      expect(new SigmoidFocalLoss({ labelSmoothingOf: 'cross-entropy', reduction: 'none', backend }).value(x, targets)).toEqual(plain)
    })

    it('is finite far out, and has the limits of infinities', () => {
      const x = logitsOf(precision, [Infinity, -Infinity, 1e30, -1e30, NaN, 3e4, -3e4, 100, -100, 88])
      for (const [y, gamma] of [[0, 2], [1, 2], [0, 0], [1, 0], [1, 0.1], [0.3, 2]]) {
        const options = { labelSmoothing: 0.1, labelSmoothingOf: 'cross-entropy', reduction: 'none' } as const
        const targets = new Float64Array(10).fill(y)
        for (const given of [{ ...options, gamma }, { gamma: [gamma, 1], reduction: 'none' }, { ...options, gamma: [gamma, 2] }] as const) {
          const call = { shape: [5, 2] }
          const { value, grad, hess } = new SigmoidFocalLoss({ ...given, backend }).valueGradAndHess(x, targets, call)
          const exact = new SigmoidFocalLoss({ ...given, backend: 'js' }).valueGradAndHess(Float64Array.from(x), targets, call)
          expect(largestError(value, exact.value)).toBeLessThan(limit)
          expect(largestError(grad, exact.grad)).toBeLessThan(limit)
          expect(largestError(hess, exact.hess)).toBeLessThan(limit)
        }
      }
    })

    it('softmax: is finite far out, and has the limits of infinities', () => {
      const x = logitsOf(precision, [1e30, -1e30, 0, 3e4, -3e4, 0, 90, -90, 60, Infinity, 0, 1, -Infinity, 0, 1, NaN, 0, 1])
      const shares = Float64Array.from(x, (_, k) => [0.7, 0.2, 0.1][k % 3])
      for (const gamma of [[0, 0.5, 2], [3.7, 0, 0.3]]) {
        for (const targets of [Int32Array.of(0, 1, 2, 1, 0, 0), Int32Array.of(1, 0, 1, 0, 1, 2), shares]) {
          const call = { shape: [6, 3], weights: [1, 1e5, 1e5, 1, 1, 1] }
          const options = { gamma, reduction: 'none' } as const
          const { value, grad, hess } = new SoftmaxFocalLoss({ ...options, backend }).valueGradAndHess(x, targets, call)
          const exact = new SoftmaxFocalLoss({ ...options, backend: 'js' }).valueGradAndHess(Float64Array.from(x), targets, call)
          expect(largestError(value, exact.value)).toBeLessThan(limit)
          expect(largestError(grad, exact.grad)).toBeLessThan(limit)
          expect(largestError(hess, exact.hess)).toBeLessThan(limit)
        }
      }
    })

    it('probabilities: as logits, by the chain rule, and finite at the ends', () => {
      const p = logitsOf(precision, [0.1, 0.5, 0.9, 0.3, 0.7, 0, 1, 0, 1, 0.25])
      for (const y of [0, 1, 0.4]) {
        const targets = new Float64Array(10).fill(y)
        for (const options of [{ gamma: [0.5, 2, 3, 1, 4] }, { gamma: 2.5, labelSmoothing: 0.1, labelSmoothingOf: 'cross-entropy' as const }]) {
          const call = { shape: [2, 5] }
          const ofP = new SigmoidFocalLoss({ ...options, inputs: 'probabilities', reduction: 'none', backend }).valueGradAndHess(p, targets, call)
          const exact = new SigmoidFocalLoss({ ...options, inputs: 'probabilities', reduction: 'none', backend: 'js' }).valueGradAndHess(p, targets, call)
          expect(ofP.value.every(Number.isFinite) && ofP.grad.every(Number.isFinite) && ofP.hess.every(Number.isFinite)).toBe(true)
          for (const output of ['value', 'grad', 'hess'] as const) expect(largestError(ofP[output], exact[output])).toBeLessThan(limit)
          const logits = Float64Array.from(p, (each) => Math.log(each / (1 - each)))
          const ofX = new SigmoidFocalLoss({ ...options, reduction: 'none', backend: 'js' }).valueAndGrad(logits, targets, call)
          for (const k of [0, 1, 2, 3, 4, 9]) {
            expect(Math.abs(ofP.value[k] / ofX.value[k] - 1)).toBeLessThan(1e-6)
            expect(Math.abs(ofP.grad[k] - ofX.grad[k] / (p[k] * (1 - p[k])))).toBeLessThan(1e-6 * (1 + Math.abs(ofP.grad[k])))
          }
        }
      }
      const rows = logitsOf(precision, [0.5, 0.25, 0.25, 1, 0, 0])
      const softmax = new SoftmaxFocalLoss({ gamma: [0.5, 2, 3], inputs: 'probabilities', reduction: 'none', backend }).valueAndGrad(rows, Int32Array.of(1, 0))
      expect(softmax.value[0]).toBeCloseTo(0.75 ** 2 * Math.log(4), 6)
      expect(softmax.value[1]).toBe(0)
    })

    it('masks, weights, ignored indices and reductions are those of the others', async () => {
      const mask = Uint8Array.from(numbers, (_, k) => Number(k % 5 === indices[Math.floor(k / 5)] || k % 3 > 0))
      const weights = Float64Array.from({ length: ROWS }, (_, r) => r % 4)
      for (const reduction of ['sum', 'mean', 'mean-rows', 'mean-positives'] as const) {
        for (const Loss of [SigmoidFocalLoss, SoftmaxFocalLoss]) {
          const options = { gamma: gammas, background: 5, ignoreIndex: 3, reduction }
          const call = { shape, mask, weights }
          const one = new Loss({ ...options, backend }).valueAndGrad(logits, indices, call)
          const exact = new Loss({ ...options, backend: 'js' }).valueAndGrad(Float64Array.from(logits), indices, call)
          expect(largestError([one.value], [exact.value])).toBeLessThan(limit)
          expect(largestError(one.grad, exact.grad)).toBeLessThan(limit)
          expect(await new Loss({ ...options, backend }).valueAndGradAsync(logits, indices, call)).toEqual(one)
        }
      }
    })
  })

  it('names what is wrong', async () => {
    const x = new Float32Array(6)
    const run = (options: object, call: object = { shape: [2, 3] }) => () => new SigmoidFocalLoss({ backend, ...options }).value(x, new Float32Array(6), call)
    const bad = [
      [run({ gamma: [1, 2] }), new RangeError('gamma has 2 entries; expected one per class, 3')],
      [run({ gamma: [1, -2, 1] }), new RangeError('gamma[1] is -2; expected a finite number >= 0')],
      [run({ gamma: [] }), new RangeError('gamma is an empty array; expected one number per class')],
      [run({ gamma: [1, 2, 3], alpha: [0.5, 0.5] }), new RangeError('alpha has 2 entries; expected one per class, and gamma has 3')],
      [run({ gamma: [1, 2, 3], softTargets: 'mixture' }), new RangeError("softTargets is 'mixture'; expected 'linear', as gamma is one per class or labelSmoothingOf is 'cross-entropy'")],
      [run({ labelSmoothingOf: 'both' }), new RangeError("labelSmoothingOf is 'both'; expected one of 'target', 'cross-entropy'")],
    ] as const
    for (const [run, error] of bad) expect(await thrownBy(run)).toEqual(error)
  })
})

describe('calibration', () => {
  it('inverts the gamma of each class', () => {
    const x = Float64Array.of(-2, 0.5, -1, 1, 0, 3)
    const all = new SigmoidFocalLoss({ gamma: [0.5, 2, 4] }).toProbability(x)
    x.forEach((logit, k) => expect(all[k]).toBeCloseTo(new SigmoidFocalLoss({ gamma: [0.5, 2, 4][k % 3] }).toProbability(Float64Array.of(logit))[0], 14))
    const bias = new SigmoidFocalLoss({ gamma: [0.5, 2, 4] }).priorBias([0.1, 0.01, 0.3])
    expect(Array.from(new SigmoidFocalLoss({ gamma: [0.5, 2, 4] }).toProbability(bias))).toEqual([0.1, 0.01, 0.3].map((p): unknown => expect.closeTo(p, 12)))
    expect(() => new SigmoidFocalLoss({ gamma: [0.5, 2, 4] }).priorBias(0.1)).toThrow(new TypeError('prior is 0.1; expected an array of 3, as gamma is one'))
    const softmax = new SoftmaxFocalLoss({ gamma: [0.5, 2, 4] })
    expect(Array.from(softmax.toProbability(softmax.priorBias([0.2, 0.3, 0.5]), { shape: [1, 3] }))).toEqual([0.2, 0.3, 0.5].map((p): unknown => expect.closeTo(p, 12)))
  })

  it('of smoothing that only the cross entropy has: where the expected gradient vanishes, monotone, 0 and 1 at the ends', () => {
    const loss = new SigmoidFocalLoss({ labelSmoothing: 0.1, labelSmoothingOf: 'cross-entropy', reduction: 'none' })
    const x = Float64Array.from({ length: 401 }, (_, k) => (k - 200) / 10)
    const eta = loss.toProbability(x)
    const [down, up] = [0, 1].map((y) => loss.valueAndGrad(x, new Float64Array(x.length).fill(y)).grad)
    x.forEach((_, k) => {
      if (k > 0) expect(eta[k]).toBeGreaterThanOrEqual(eta[k - 1])
      if (eta[k] > 0 && eta[k] < 1) expect(Math.abs(eta[k] * up[k] + (1 - eta[k]) * down[k])).toBeLessThan(1e-12)
    })
    expect([eta[0], eta[400]]).toEqual([expect.closeTo(0, 12), 1])
    expect(loss.toProbability(Float64Array.of(loss.priorBias(0.05)))[0]).toBeCloseTo(0.05, 12)
  })
})
