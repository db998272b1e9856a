/** Losses of probabilities: against their definitions, the logits' path and differences; at 0 and 1; on every backend. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { gradcheck, type Logits, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { tfLoss } from 'focal-loss/tfjs'
import { describe, expect, it } from 'vitest'
import { fromBits, toBits } from '../../src/arrays/half.js'
import { rangeOf } from '../../src/formulas/number_range.js'
import { testedBackends } from '../support/backends.js'
import { allowed, largestError } from '../support/closeness.js'
import { goldenCases } from '../support/golden.js'
import { bitsOf, elementwiseNames, elementwiseOf, logitsOf, lossNames, lossOf, precisions } from '../support/losses.js'
import { labels, middle, ofRows, spread, variants } from '../support/probabilities.js'
import { seeded } from '../support/random.js'

const inputs = 'probabilities'

const named = variants.map(([name, options]) => [`${name} ${JSON.stringify(options)}`, name, options] as const)

const random = seeded(12)
const logitOf = (p: number) => Math.log(p / (1 - p))

describe('the formulas', () => {
  it.each(named)('%s are those of logits, by the chain rule', (_, name, options) => {
    const given = { ...options, reduction: 'none', backend: 'js' } as const
    const actual = elementwiseOf(name, { ...given, inputs }).valueGradAndHess(middle, labels)
    const onLogits = elementwiseOf(name, given).valueGradAndHess(middle.map(logitOf), labels)
    const slope = middle.map((p) => p * (1 - p))
    const grad = onLogits.grad.map((each, k) => each / slope[k])
    const hess = onLogits.hess.map((each, k) => (each - onLogits.grad[k] * (1 - 2 * middle[k])) / slope[k] ** 2)
    // What they are made of: a label or the change of variables may leave little of it
    const terms = (of: Float64Array, power: number) => of.map((each, k) => Math.abs(each) + (actual.value[k] + Math.abs(onLogits.grad[k])) / slope[k] ** power)
    expect(largestError(actual.value, onLogits.value)).toBeLessThan(1e-12)
    expect(largestError(actual.grad, grad, terms(grad, 1))).toBeLessThan(1e-12)
    expect(largestError(actual.hess, hess, terms(hess, 2))).toBeLessThan(1e-11)
  })

  it.each(named.filter(([, , { constantModulator }]) => constantModulator !== true))('%s have the gradient of their values', (_, name, options) => {
    const away = (p: number, k: number) => Math.abs(p - labels[k]) > 0.02 && Math.abs(p - 0.05) > 0.02 && p > 0.02 && p < 0.98
    const [p, y] = [middle.filter(away), labels.filter((_, k) => away(middle[k], k))]
    const loss = elementwiseOf(name, { ...options, inputs, reduction: 'sum', backend: 'js' })
    expect(gradcheck(loss, p, y, { step: 1e-4 })).toMatchObject({ passed: true })
  })

  it('keep their digits in both tails', () => {
    for (const gamma of [0, 0.5, 1, 2, 5]) {
      const loss = new SigmoidFocalLoss({ gamma, alpha: null, inputs, reduction: 'none', backend: 'js' })
      const p = Float64Array.from({ length: 126 }, (_, k) => 2 ** -(k + 1))
      const negative = loss.valueGradAndHess(p, new Uint8Array(126))
      const term = p.map((each) => -Math.log1p(-each))
      expect(largestError(negative.value, p.map((each, k) => each ** gamma * term[k]))).toBeLessThan(1e-14)
      const grad = p.map((each, k) => gamma * each ** (gamma - 1) * term[k] + each ** gamma / (1 - each))
      expect(largestError(negative.grad, grad)).toBeLessThan(1e-14)
      const positive = loss.valueGradAndHess(p, new Uint8Array(126).fill(1))
      const left = p.map((each) => 1 - each)
      expect(largestError(positive.value, p.map((each, k) => left[k] ** gamma * -Math.log(each)))).toBeLessThan(1e-14)
      const slope = p.map((each, k) => -gamma * left[k] ** (gamma - 1) * -Math.log(each) - left[k] ** gamma / each)
      expect(largestError(positive.grad, slope)).toBeLessThan(1e-14)
      // The second derivative of a sure negative: gamma (gamma + 1) p^(gamma - 1), and 1 for cross entropy
      const sure = negative.hess.subarray(60)
      const bend = p.subarray(60).map((each) => (gamma === 0 ? 1 : gamma * (gamma + 1) * each ** (gamma - 1)))
      expect(largestError(sure, bend)).toBeLessThan(1e-14)
    }
  })

  it('of a softmax take each class by itself', () => {
    const p = Float64Array.of(0.7, 0.2, 0.1, 0.05, 0.9, 0.05)
    const y = [0.5, 0.5, 0, 0, 1, 0]
    const loss = new SoftmaxFocalLoss({ gamma: 2, classWeights: [1, 2, 3], inputs, reduction: 'sum', backend: 'js' })
    const { value, grad } = loss.valueAndGrad(p, y, { shape: [2, 3] })
    const weight = Array.from(p, (_, k) => y[k] * [1, 2, 3][k % 3])
    const expected = Array.from(p, (each, k) => weight[k] * (1 - each) ** 2 * -Math.log(each))
    expect(value).toBeCloseTo(expected.reduce((a, b) => a + b), 13)
    const slopes = Array.from(p, (each, k) => weight[k] * (2 * (1 - each) * Math.log(each) - (1 - each) ** 2 / each) + 0)
    expect(largestError(grad, slopes)).toBeLessThan(1e-14)
    // So small a step that rows still sum to 1
    expect(gradcheck(loss, p, y, { call: { shape: [2, 3] }, step: 1e-4 }).passed).toBe(true)
  })
})

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    const p = spread(precision)
    const kinds = { 'hard labels': (k: number) => k % 2, 'soft labels': (k: number) => (k * 0.37) % 1, 'both': (k: number) => [0, 1, 0.25][k % 3] }

    it.each(named)('%s is the plain backend in double', (_, name, options) => {
      for (const labelOf of Object.values(kinds)) {
        const y = Float32Array.from(p, (_, k) => labelOf(k))
        const given = { ...options, inputs, reduction: 'none' } as const
        const exact = elementwiseOf(name, { ...given, backend: 'js' }).valueGradAndHess(Float64Array.from(p), y)
        const actual = elementwiseOf(name, { ...given, backend }).valueGradAndHess(p, y)
        const { largest } = rangeOf(precision === 'float32' ? 0 : 1)
        const bounded = (of: Float64Array) => of.map((each) => Math.max(-largest, Math.min(largest, each)))
        const [grad, hess] = [bounded(exact.grad), bounded(exact.hess)]
        const limit = precision === 'float32' ? 1.2e-7 : 1e-12
        // Where terms of soft labels cancel, rounding in double shows
        const slack = (of: Float64Array, power: number) => of.map((each, k) => Math.abs(each) + 1e-3 * (exact.value[k] / Math.min(p[k], 1 - p[k]) ** power))
        expect(largestError(actual.value, exact.value)).toBeLessThanOrEqual(limit)
        expect(largestError(actual.grad, grad, slack(grad, 1))).toBeLessThanOrEqual(limit)
        expect(largestError(actual.hess, hess, slack(hess, 2))).toBeLessThanOrEqual(limit)
      }
    })

    it.each(named)('%s has a value and a gradient as exact as those of logits', (_, name, options) => {
      // Packs with an element beyond the formulas, and packs without
      for (const given of [p, logitsOf(precision, [...middle, ...middle])]) {
        for (const labelOf of Object.values(kinds)) {
          const y = Float32Array.from(given, (_, k) => labelOf(k))
          const of = { ...options, inputs, reduction: 'none' } as const
          const exact = elementwiseOf(name, { ...of, backend: 'js' }).valueAndGrad(Float64Array.from(given), y)
          const actual = elementwiseOf(name, { ...of, backend }).valueAndGrad(given, y)
          const { largest } = rangeOf(precision === 'float32' ? 0 : 1)
          const grad = exact.grad.map((each) => Math.max(-largest, Math.min(largest, each)))
          // The terms of a soft label's gradient may cancel
          const terms = grad.map((each, k) => Math.abs(each) + (y[k] === 0 || y[k] === 1 ? 0 : exact.value[k] / Math.min(given[k], 1 - given[k])))
          const limit = allowed(precision, 'value', options.gamma ?? 0, options.beta ?? 0)
          expect(largestError(actual.value, exact.value)).toBeLessThanOrEqual(limit)
          expect(largestError(actual.grad, grad, terms)).toBeLessThanOrEqual(limit)
        }
      }
    })

    it('gives an element the same bits whatever is beside it, and a hard label the same as bytes and as floats', () => {
      if (precision === 'float64') return
      const [given, y] = [logitsOf(precision, [...middle, ...middle]), Float32Array.from([...labels, ...labels], (label) => Math.round(label))]
      for (const gamma of [0, 2, 1.7]) {
        const loss = new SigmoidFocalLoss({ gamma, inputs, reduction: 'none', backend })
        const bits = ({ value, grad }: { value: Logits; grad: Logits }) => [value, grad].map((array) => bitsOf(array.slice(0, 200)))
        const expected = bits(loss.valueAndGrad(given, y))
        const [far, soft, mask] = [given.slice(), y.slice(), new Uint8Array(given.length).fill(1)]
        for (let k = 203; k < given.length; k += 7) [far[k], soft[k], mask[k]] = [k % 2, 0.25, 0]
        expect(bits(loss.valueAndGrad(given, Uint8Array.from(y)))).toEqual(expected)
        expect(bits(loss.valueAndGrad(given, soft))).toEqual(expected)
        expect(bits(loss.valueAndGrad(far, y))).toEqual(expected)
        expect(bits(loss.valueAndGrad(given, y, { mask }))).toEqual(expected)
        expect(bits(loss.valueAndGrad(given.slice(0, 200), y.slice(0, 200)))).toEqual(expected)
      }
    })

    it.each(named)('%s is finite at 0 and 1, and the plain backend in this type', (_, name, options) => {
      const ends = logitsOf(precision, [0, 1, 0, 1, 0, 1, -0])
      const y = Float32Array.of(0, 1, 1, 0, 0.3, 0.3, 0)
      const given = { ...options, inputs, reduction: 'none' } as const
      const expected = elementwiseOf(name, { ...given, backend: 'js' }).valueGradAndHess(ends, y)
      const actual = elementwiseOf(name, { ...given, backend }).valueGradAndHess(ends, y)
      for (const output of ['value', 'grad', 'hess'] as const) {
        expect(actual[output].every(Number.isFinite)).toBe(true)
        expect(largestError(actual[output], expected[output])).toBeLessThanOrEqual(precision === 'float32' ? 1.2e-7 : 1e-12)
      }
    })

    it('has its limits at 0 and 1, and the nearest probability where they are infinite', () => {
      const { least, belowOne, largest } = rangeOf(precision === 'float32' ? 0 : 1)
      const of = (p: number, y: number, gamma: number) => {
        const loss = new SigmoidFocalLoss({ gamma, alpha: null, inputs, reduction: 'none', backend })
        const { value, grad, hess } = loss.valueGradAndHess(logitsOf(precision, [p]), [y])
        return [value[0], grad[0], hess[0]].map((each) => each + 0)
      }
      const close = (actual: number[], expected: number[]) => expect(largestError(actual, expected)).toBeLessThan(3e-7)
      for (const [p, y, sign] of [[1, 1, -1], [0, 0, 1]] as const) {
        expect(of(p, y, 0)).toEqual([0, sign, 1])
        expect(of(p, y, 1)).toEqual([0, 0, 2])
        expect(of(p, y, 2)).toEqual([0, 0, 0])
        const gap = p === 1 ? 1 - belowOne : least
        close(of(p, y, 0.5), [0, 0, 0.75 / Math.sqrt(gap)])
      }
      close(of(0, 1, 2), [-Math.log(least), -1 / least + 2 * Math.log(least), largest])
      const gap = 1 - belowOne
      close(of(1, 0, 0), [-Math.log(gap), 1 / gap, 1 / gap / gap])
      close(of(1, 0, 2), [belowOne ** 2 * -Math.log(gap), 2 * -Math.log(gap) * belowOne + belowOne ** 2 / gap, of(belowOne, 0, 2)[2]])
    })

    it.each(named)('%s goes through NaN', (_, name, options) => {
      const loss = elementwiseOf(name, { ...options, inputs, reduction: 'none', backend })
      const { value, grad, hess } = loss.valueGradAndHess(logitsOf(precision, [NaN, NaN, NaN, 0.5]), [1, 0.5, 0, 0])
      for (const output of [value, grad, hess]) expect(Array.from(output, Number.isNaN)).toEqual([true, true, true, false])
      for (const p of [NaN, 0, 0.5, 1]) {
        expect(() => loss.value(logitsOf(precision, [0.5, p]), [0, NaN])).toThrow(/^targets\[1\] is NaN; expected a number from 0 to 1/)
      }
    })

    it('refuses what is no probability before anything is written', () => {
      for (const name of lossNames) {
        const loss = lossOf(name, { inputs, reduction: 'mean', backend })
        for (const [at, bad, size] of [[3, 1.5, 30], [17, -0.25, 30], [40_001, Infinity, 60_000], [7, -Infinity, 30]] as const) {
          const logits = logitsOf(precision, new Float32Array(size).fill(1 / 3))
          logits[at] = logits[at + 9] = bad
          const grad = logits.slice().fill(7)
          const classes = new Int32Array(size / 3)
          expect(() => loss.valueAndGrad(logits, classes, { grad })).toThrow(
            new RangeError(`logits[${at}] is ${bad}; expected a number from 0 to 1, as inputs is 'probabilities'`),
          )
          expect(grad.every((each) => each === 7)).toBe(true)
          // What does not count is not looked at
          const mask = new Uint8Array(size / 3).fill(1)
          mask[Math.floor(at / 3)] = mask[Math.floor((at + 9) / 3)] = 0
          const masked = loss.valueAndGrad(logits, classes, { mask })
          expect(Number.isFinite(masked.value)).toBe(true)
          expect(masked.grad[at]).toBe(0)
        }
        const ignoring = lossOf(name, { inputs, ignoreIndex: -1, reduction: 'mean', backend })
        expect(ignoring.value(logitsOf(precision, [9, 9, 0.5, 0.5]), Int32Array.of(-1, 1))).toBeGreaterThan(0)
      }
    })

    it.each(lossNames)('%s is the plain backend over layouts, weights, masks and reductions, and in place', (name) => {
      const size = 3 * 7 * 401
      const drawn = Array.from({ length: size }, (_, k) => (k % 50 === 0 ? k % 100 === 0 : random())).map(Number)
      const classes = Int32Array.from({ length: size / 3 }, () => random.integer(3))
      const soft = Float32Array.from(drawn, () => random())
      const mask = Uint8Array.from({ length: size / 3 }, () => random.integer(4))
      const weights = Float32Array.from({ length: size / 3 }, () => random.between(0, 4))
      for (const [shape, classAxis, inner] of [[[size / 3, 3], 1, 1], [[401, 3, 7], 1, 7], [[3, size / 3], 0, size / 3]] as const) {
        const p = logitsOf(precision, name === 'SoftmaxFocalLoss' ? ofRows(drawn, inner) : drawn)
        for (const targets of [classes, soft]) {
          for (const reduction of ['none', 'mean', 'mean-rows', 'mean-positives'] as const) {
            const options = { inputs, reduction, classWeights: [1, 0.5, 2] } as const
            const call = { shape, classAxis, mask, weights, normalizer: reduction === 'none' ? 3 : undefined }
            const expected = lossOf(name, { ...options, backend: 'js' }).valueAndGrad(p, targets, call)
            const grad = p.slice()
            const actual = lossOf(name, { ...options, backend }).valueAndGrad(grad, targets, { ...call, grad })
            expect(actual.grad).toBe(grad)
            const inFloat = precision === 'float32' && name === 'SigmoidFocalLoss'  // all else is computed in double
            const limit = inFloat ? allowed(precision, 'value', 2) : precision === 'float32' ? 2e-7 : 1e-12
            const list = (value: number | Logits) => (typeof value === 'number' ? [value] : value)
            expect(largestError(list(actual.value), list(expected.value))).toBeLessThanOrEqual(limit)
            // One element's part in a mean over all of them, of which a soft label may leave little
            const part = (k: number) => (inFloat && targets === soft ? 1 / Math.min(p[k], 1 - p[k]) : 1) / (reduction === 'none' ? 3 : size)
            const terms = Array.from(expected.grad, (each, k) => Math.abs(each) + part(k))
            expect(largestError(grad, expected.grad, terms)).toBeLessThanOrEqual(limit)
          }
        }
      }
    })
  })

  it.each(['float16', 'bfloat16'] as const)('%s', (dtype) => {
    const bits = new Uint16Array(0x10000)
    const one = dtype === 'float16' ? 0x3c00 : 0x3f80
    const p = bits.map((_, k) => k).subarray(0, one + 1)
    const y = Float32Array.from(p, (_, k) => [0, 1, 0.25][k % 3])
    for (const name of elementwiseNames) {
      const given = { inputs, reduction: 'none' } as const
      const expected = elementwiseOf(name, { ...given, backend: 'js' }).valueGradAndHess(p, y, { dtype })
      const actual = elementwiseOf(name, { ...given, backend }).valueGradAndHess(p, y, { dtype })
      for (const output of ['value', 'grad', 'hess'] as const) {
        const [found, wanted] = [fromBits(actual[output], dtype), fromBits(expected[output], dtype)]
        expect(found.every(Number.isFinite)).toBe(true)
        // At most one step apart, as one is rounded by way of float32
        expect(largestError(found, wanted, wanted.map((each) => Math.max(Math.abs(each), 1e-6)))).toBeLessThan(dtype === 'float16' ? 1e-3 : 8e-3)
      }
    }
    const clipped = new Uint16Array(2)
    toBits(Float64Array.of(0.5, 1.5), dtype, clipped)
    expect(() => new SigmoidFocalLoss({ inputs, backend }).value(clipped, [0, 1], { dtype })).toThrow('logits[1] is 1.5; expected a number from 0 to 1')
  })

  it('has the golden values of logits', () => {
    let compared = 0
    for (const { loss: name, options, shape, logits, targets, expected } of goldenCases) {
      if (name === 'SoftmaxFocalLoss') continue
      const loss = elementwiseOf(name, { ...options, inputs, reduction: 'none', backend })
      const p = Float64Array.from(logits, (x) => 1 / (1 + Math.exp(-x)))
      const { value, grad } = loss.valueAndGrad(p, targets, { shape })
      logits.forEach((x, k) => {
        if (Math.abs(x) > 8) return
        const slope = p[k] * (1 - p[k])
        expect(Math.abs(value[k] - expected.value[k])).toBeLessThanOrEqual(1e-11 * Math.abs(expected.value[k]))
        expect(Math.abs(grad[k] * slope - expected.grad[k])).toBeLessThanOrEqual(1e-10 * (Math.abs(expected.grad[k]) + expected.value[k]))
        compared++
      })
    }
    expect(compared).toBeGreaterThan(300)
  })

  it('is a loss of TensorFlow.js, too', async () => {
    await tf.setBackend('cpu')
    const p = tf.tensor2d([[0.9, 0.2], [0.4, 0.7]])
    const y = tf.tensor2d([[1, 0], [0, 1]])
    const perSample = tfLoss(tf, new SigmoidFocalLoss({ inputs, backend }))(y, p)
    const mean = new SigmoidFocalLoss({ inputs, backend }).value(Float32Array.of(0.9, 0.2, 0.4, 0.7), [1, 0, 0, 1])
    expect(tf.mean(perSample).dataSync()[0]).toBeCloseTo(mean, 6)
    expect(() => tfLoss(tf, new SigmoidFocalLoss({ inputs, backend }))(y, tf.mul(p, 2))).toThrow('expected a number from 0 to 1')
  })
})

describe('what scores mean', () => {
  it('starts from the probability that a model gives', () => {
    const x = Float64Array.of(-3, -0.5, 0, 2, 9)
    const p = x.map((each) => 1 / (1 + Math.exp(-each)))
    for (const name of elementwiseNames) {
      const [onLogits, onProbabilities] = [lossOf(name, {}), lossOf(name, { inputs })]
      expect(largestError(onProbabilities.toProbability(p), onLogits.toProbability(x))).toBeLessThan(1e-11)
      expect(Array.from(onProbabilities.toProbability(Float64Array.of(0, 1)))).toEqual([0, 1])
      expect(onProbabilities.priorBias(0.01)).toBe(onLogits.priorBias(0.01))
      expect(() => onProbabilities.toProbability(Float64Array.of(0.5, 2))).toThrow("logits[1] is 2; expected a number from 0 to 1, as inputs is 'probabilities'")
    }
    const row = Float64Array.of(1, 2, -1)
    const whole = row.reduce((sum, each) => sum + Math.exp(each), 0)
    const softmax = row.map((each) => Math.exp(each) / whole)
    const call = { shape: [1, 3] }
    expect(largestError(new SoftmaxFocalLoss({ inputs }).toProbability(softmax, call), new SoftmaxFocalLoss().toProbability(row, call))).toBeLessThan(1e-12)
  })
})
