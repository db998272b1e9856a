/** Weights from counts against the paper's formula, in exact arithmetic where there is some; and weights of positives alone, as PyTorch has them. */
import { describe, expect, it } from 'vitest'
import { classBalancedWeights, presets, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { testedBackends } from '../support/backends.js'

describe('classBalancedWeights()', () => {
  it('is the inverse of the effective number, with the mean 1', () => {
    // beta = 1/2: the effective numbers of 1, 2 and 3 are 1, 3/2 and 7/4; the mean of 1, 2/3 and 4/7 is 47/63
    const weights = classBalancedWeights([1, 2, 3], { beta: 0.5 })
    ;[63 / 47, 42 / 47, 36 / 47].forEach((expected, c) => expect(weights[c]).toBeCloseTo(expected, 14))
  })

  it('goes from weights that are all the same to the inverse of the counts', () => {
    expect([...classBalancedWeights([5, 70, 900], { beta: 0 })]).toEqual([1, 1, 1])
    expect([...classBalancedWeights([1, 3], { beta: 1 })]).toEqual([1.5, 0.5])
    const near = classBalancedWeights([10, 1_000_000], { beta: 1 - 2 ** -50 })
    const limit = classBalancedWeights([10, 1_000_000], { beta: 1 })
    expect(near[1] / limit[1]).toBeCloseTo(1, 8)
  })

  it('has 0.999 for beta where nothing is said', () => {
    expect([...classBalancedWeights([50, 5000])]).toEqual([...classBalancedWeights([50, 5000], { beta: 0.999 })])
    const effective = (n: number) => (1 - 0.999 ** n) / (1 - 0.999)
    const [rare, common] = classBalancedWeights([50, 5000])
    expect(rare / common).toBeCloseTo(effective(5000) / effective(50), 10)
  })

  it('weighs a class without samples as one with a single sample, and leaves the others as they are', () => {
    const weights = classBalancedWeights([0, 20, 400])
    const present = classBalancedWeights([20, 400])
    expect([...weights.subarray(1)]).toEqual([...present])
    expect(weights[0] / weights[1]).toBeCloseTo((1 - 0.999 ** 20) / (1 - 0.999), 10)
  })

  it('takes typed arrays, one class, and counts that are sums of weights', () => {
    expect([...classBalancedWeights(Int32Array.of(7))]).toEqual([1])
    expect([...classBalancedWeights(Float64Array.of(0.5, 0.5))]).toEqual([1, 1])
    expect([...classBalancedWeights([1, 1e300])].every(Number.isFinite)).toBe(true)
  })

  it.each([
    [[], 'counts is an empty array; expected a class with a sample'],
    [[0, 0], 'counts are all 0; expected a class with a sample'],
    [[1, -1], 'counts[1] is -1; expected a finite number >= 0'],
    [[1, NaN], 'counts[1] is NaN; expected a finite number >= 0'],
  ])('refuses %j', (counts, message) => {
    expect(() => classBalancedWeights(counts)).toThrow(new RangeError(message))
  })

  it('refuses what is no list of counts, and options that are none', () => {
    const untyped = classBalancedWeights as (...args: unknown[]) => unknown
    expect(() => untyped(3)).toThrow(new TypeError('counts is 3; expected an array of numbers, one per class'))
    expect(() => untyped([1], { beta: 2 })).toThrow(new RangeError('beta is 2; expected a number from 0 to 1'))
    expect(() => untyped([1], { gamma: 2 })).toThrow(new TypeError("'gamma' is not an option of classBalancedWeights(); expected one of beta"))
    expect(() => untyped([1], {}, 1)).toThrow(TypeError)
  })

  it('is what a loss takes', () => {
    const loss = new SoftmaxFocalLoss({ classWeights: classBalancedWeights([900, 90, 10]), backend: 'js' })
    expect(loss.value(Float64Array.of(1, 0, 0), [2], { shape: [1, 3] })).toBeGreaterThan(loss.value(Float64Array.of(0, 1, 0), [0], { shape: [1, 3] }))
  })
})

describe('presets.weightedCrossEntropy({ counts })', () => {
  it("gives every class the same weight in all, as scikit-learn's 'balanced'", () => {
    const { classWeights } = presets.weightedCrossEntropy({ counts: [90, 10] })
    expect(classWeights).toEqual([100 / 180, 5])
    expect(presets.weightedCrossEntropy({ counts: Uint8Array.of(1, 0, 1) })).toEqual({ gamma: 0, alpha: null, classWeights: [2 / 3, 0, 2 / 3] })
  })

  it('refuses what it does not know', () => {
    const untyped = presets.weightedCrossEntropy as (...args: unknown[]) => unknown
    expect(() => untyped({ counts: [0] })).toThrow('counts are all 0; expected a class with a sample')
    expect(() => untyped({ counts: [1], beta: 1 })).toThrow(/beta/)
  })
})

describe.each(testedBackends())('posWeight on %s', (backend) => {
  const x = Float64Array.of(1.5, -0.5, 0.25, -2)
  const logSigmoid = (z: number) => -Math.log1p(Math.exp(-z))
  /** PyTorch's documentation of BCEWithLogitsLoss. */
  const torch = (z: number, y: number, weight: number) => -(weight * y * logSigmoid(z) + (1 - y) * logSigmoid(-z))

  it.each([
    ['hard', [1, 0, 1, 0], 'linear'],
    ['soft', [0.75, 0.25, 1, 0.5], 'mixture'],
  ] as const)("is PyTorch's pos_weight: %s labels", (_, labels, softTargets) => {
    const options = { gamma: 0, alpha: null, softTargets, reduction: 'none', backend } as const
    const one = new SigmoidFocalLoss({ ...options, posWeight: 3 }).value(x, Float64Array.from(labels))
    labels.forEach((y, k) => expect(one[k]).toBeCloseTo(torch(x[k], y, 3), 12))
    const each = new SigmoidFocalLoss({ ...options, posWeight: [3, 0.5] }).value(x, Float64Array.from(labels), { shape: [2, 2] })
    labels.forEach((y, k) => expect(each[k]).toBeCloseTo(torch(x[k], y, k % 2 === 0 ? 3 : 0.5), 12))
  })

  it('multiplies alpha and classWeights', () => {
    const options = { reduction: 'none', backend } as const
    const plain = new SigmoidFocalLoss({ ...options, alpha: 0.25 }).value(x, [1, 0, 1, 0])
    const weighted = new SigmoidFocalLoss({ ...options, alpha: 0.25, posWeight: 4, classWeights: [1, 2] }).value(x, [1, 0, 1, 0], { shape: [2, 2] })
    ;[4, 2, 4, 2].forEach((factor, k) => expect(weighted[k]).toBeCloseTo(factor * plain[k], 12))
  })
})

describe('posWeight', () => {
  it('is inverted by toProbability(), as every weight is', () => {
    // A model that is sure of 2/3 under a weight of 2 has seen as many positives as negatives
    const [p] = new SigmoidFocalLoss({ gamma: 0, alpha: null, posWeight: 2, backend: 'js' }).toProbability(Float64Array.of(Math.log(2)))
    expect(p).toBeCloseTo(0.5, 12)
  })

  it('is shown as it is, checked, and as long as the other lists', () => {
    expect(new SigmoidFocalLoss().options.posWeight).toBeNull()
    expect(new SigmoidFocalLoss({ posWeight: Float32Array.of(1, 2) }).options.posWeight).toEqual([1, 2])
    expect(() => new SigmoidFocalLoss({ posWeight: -1 })).toThrow(new RangeError('posWeight is -1; expected a finite number >= 0'))
    expect(() => new SigmoidFocalLoss({ alpha: [0.5, 0.5, 0.5], posWeight: [1, 2] })).toThrow(new RangeError('posWeight has 2 entries; expected one per class, and alpha has 3'))
  })
})
