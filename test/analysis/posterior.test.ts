/** toProbability and priorBias: where the expected loss is least, found again by other ways than the formula. */
import { describe, expect, it } from 'vitest'
import { AsymmetricLoss, FocalStarLoss, presets, SigmoidFocalLoss, SoftmaxFocalLoss, type SoftmaxFocalOptions } from 'focal-loss'
import { type AnyOptions, type ElementwiseName, elementwiseOf } from '../support/losses.js'
import { seeded } from '../support/random.js'

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const logit = (p: number) => Math.log(p / (1 - p))

const elementCases: [ElementwiseName, AnyOptions][] = [
  ['SigmoidFocalLoss', {}],
  ['SigmoidFocalLoss', { gamma: 0, alpha: null }],
  ['SigmoidFocalLoss', { gamma: 0.5, alpha: 0.9 }],
  ['SigmoidFocalLoss', { gamma: 2, alpha: null }],
  ['SigmoidFocalLoss', { gamma: 2.7, alpha: 0.25 }],
  ['SigmoidFocalLoss', { gamma: 5, alpha: 0.01, classWeights: 3 }],
  ['FocalStarLoss', {}],
  ['FocalStarLoss', { gamma: 0.3, beta: 10, alpha: 0.25 }],
  ['FocalStarLoss', { gamma: 50, beta: 0 }],
  ['QualityFocalLoss', {}],
  ['QualityFocalLoss', { beta: 0.5 }],
  ['VarifocalLoss', {}],
  ['VarifocalLoss', { gamma: 3.3, alpha: 0.1, classWeights: 2 }],
  ['HeatmapFocalLoss', {}],
  ['HeatmapFocalLoss', { gamma: 0.7, beta: 0 }],
  ['AsymmetricLoss', {}],
  ['AsymmetricLoss', { margin: 0 }],
  ['AsymmetricLoss', { gammaPositive: 0.5, gammaNegative: 1.5, margin: 0.3 }],
]

describe('toProbability of an element-wise loss', () => {
  it('finds 0.01 in the 0.108 that alpha 0.25, gamma 2 is trained to', () => {
    const [eta] = new SigmoidFocalLoss().toProbability(Float64Array.of(logit(0.108)))
    expect(eta).toBeCloseTo(0.01, 3)
    // A score of one half stands for three quarters
    expect(new SigmoidFocalLoss().toProbability(Float64Array.of(0))[0]).toBeCloseTo(0.75, 14)
  })

  it('is the sigmoid for cross entropy', () => {
    const x = Float64Array.from({ length: 61 }, (_, i) => i - 30)
    const eta = new SigmoidFocalLoss(presets.crossEntropy).toProbability(x)
    x.forEach((each, i) => expect(eta[i] / sigmoid(each)).toBeCloseTo(1, 13))
  })

  it.each([...elementCases, ...(['AsymmetricLoss', 'QualityFocalLoss', 'VarifocalLoss'] as const).map((name) => [name, { constantModulator: true }])] as typeof elementCases)(
    'is where the expected gradient vanishes, %s %o',
    (name, options) => {
      const loss = elementwiseOf(name, { ...options, reduction: 'none', backend: 'js' })
      const x = Float64Array.from({ length: 81 }, (_, i) => (i - 40) / 4)
      const eta = loss.toProbability(x)
      const [down, up] = [0, 1].map((y) => loss.valueAndGrad(x, new Float64Array(x.length).fill(y)).grad)
      x.forEach((_, i) => {
        // Below a margin nothing pulls down, and only a posterior of 0 stays there
        if (down[i] === 0) expect(eta[i]).toBe(0)
        const terms = Math.abs(eta[i] * up[i]) + Math.abs((1 - eta[i]) * down[i])
        // The last bit of eta is much of 1 - eta, where eta is near 1
        const rounding = Number.EPSILON * (Math.abs(down[i]) + Math.abs(up[i]))
        const slope = eta[i] * up[i] + (1 - eta[i]) * down[i]
        expect(Math.abs(slope)).toBeLessThanOrEqual(1e-12 * terms + rounding)
      })
    },
  )

  it.each(elementCases)('is where a search finds the least expected loss, %s %o', (name, options) => {
    const loss = elementwiseOf(name, { ...options, reduction: 'none', backend: 'js' })
    const lossAt = (x: number, y: number) => loss.value(Float64Array.of(x), [y])[0]
    for (const eta of [0.003, 0.2, 0.5, 0.97]) {
      const expected = (x: number) => eta * lossAt(x, 1) + (1 - eta) * lossAt(x, 0)
      let [low, high] = [-60, 60]
      for (let step = 0; step < 200; step++) {
        const [a, b] = [low + (high - low) / 3, high - (high - low) / 3]
        if (expected(a) < expected(b)) high = b
        else low = a
      }
      expect(loss.toProbability(Float64Array.of(low))[0]).toBeCloseTo(eta, 5)
    }
  })

  it.each(elementCases)('is monotone, and exact at the ends, %s %o', (name, options) => {
    const loss = elementwiseOf(name, options)
    const x = Float64Array.from({ length: 4001 }, (_, i) => (i - 2000) / 10)
    const eta = loss.toProbability(x)
    // But for the last bit
    eta.forEach((each, i) => expect(each).toBeGreaterThanOrEqual(i === 0 ? 0 : eta[i - 1] * (1 - 2 * Number.EPSILON)))
    expect([...loss.toProbability(Float64Array.of(-Infinity, Infinity, -1e300, 1e300, NaN))]).toEqual([0, 1, 0, 1, NaN])
    expect(eta[0]).toBeLessThan(1e-20)
  })

  it('is 0 up to a margin, and may end below 1', () => {
    const loss = new AsymmetricLoss({ gammaPositive: 0, gammaNegative: 0, margin: 0.05 })
    // Nothing is gained by scores below the margin. At p = 1 both sides fall as 1 - p does: by 1 / 0.05 and by 1
    const x = Float64Array.of(-50, logit(0.0499), logit(0.051), 30, 700, 800, Infinity)
    const eta = loss.toProbability(x)
    expect([eta[0], eta[1]]).toEqual([0, 0])
    expect(eta[2]).toBeGreaterThan(0)
    for (const each of eta.slice(3)) expect(each).toBeCloseTo(20 / 21, 12)
    expect(() => loss.priorBias(0.96)).toThrow(new RangeError('prior is 0.96; expected at most 0.9524, which the largest logits stand for under this loss'))
    expect(() => loss.priorBias([0.5, 0.97])).toThrow(/^prior\[1\] is 0.97; expected at most 0.9524/)
    expect(loss.toProbability(Float64Array.of(loss.priorBias(0.95)))[0]).toBeCloseTo(0.95, 12)
    // However rare positives are, the bias is not below the margin's logit
    expect(loss.priorBias(1e-12)).toBeGreaterThanOrEqual(logit(0.05))
  })

  it('knows each class’s alpha, on any axis, in place', () => {
    const loss = new SigmoidFocalLoss({ alpha: [0.25, 0.5] })
    const x = Float32Array.of(0, 0, 0, 0)
    expect([...loss.toProbability(x)]).toEqual([0.75, 0.5, 0.75, 0.5])
    expect(loss.toProbability(x, { shape: [2, 2], classAxis: 0, out: x })).toBe(x)
    expect([...x]).toEqual([0.75, 0.75, 0.5, 0.5])
  })

  it('takes label smoothing back', () => {
    const smoothing = 0.2
    const loss = new SigmoidFocalLoss({ gamma: 0, alpha: null, labelSmoothing: smoothing })
    // Cross entropy learns 0.8 eta + 0.1
    const [eta, below] = loss.toProbability(Float64Array.of(logit(0.8 * 0.3 + 0.1), -20))
    expect(eta).toBeCloseTo(0.3, 12)
    expect(below).toBe(0)
  })
})

const softmaxOptions: SoftmaxFocalOptions[] = [
  {},
  { gamma: 0 },
  { gamma: 0.5, classWeights: [1, 2, 3, 0.5] },
  { gamma: 3.3, alpha: [0.1, 1, 10, 1] },
]

describe('toProbability of softmax focal', () => {
  it.each(softmaxOptions)('is where the expected gradient vanishes, %o', (options) => {
    const random = seeded(7)
    const loss = new SoftmaxFocalLoss({ ...options, reduction: 'sum', backend: 'js' })
    const shape = [50, 4]
    const x = Float64Array.from({ length: 200 }, () => random.between(-6, 6))
    const eta = loss.toProbability(x, { shape })
    for (let r = 0; r < 50; r++) expect(eta.slice(4 * r, 4 * r + 4).reduce((a, b) => a + b)).toBeCloseTo(1, 13)
    const { grad } = loss.valueAndGrad(x, eta, { shape })
    for (const each of grad) expect(Math.abs(each)).toBeLessThan(1e-13)
  })

  it('is the softmax for cross entropy, and one of two classes as sigmoid focal', () => {
    const [first] = new SoftmaxFocalLoss({ gamma: 0 }).toProbability(Float64Array.of(1, 2, 3), { shape: [1, 3] })
    expect(first).toBeCloseTo(Math.exp(1) / (Math.exp(1) + Math.exp(2) + Math.exp(3)), 14)
    const two = new SoftmaxFocalLoss({ gamma: 2 }).toProbability(Float64Array.of(1.7, 0), { shape: [1, 2] })
    expect(two[0]).toBeCloseTo(new SigmoidFocalLoss({ gamma: 2, alpha: null }).toProbability(Float64Array.of(1.7))[0], 14)
  })

  it('is exact at the ends', () => {
    const loss = new SoftmaxFocalLoss()
    const ends = Float64Array.of(900, 0, -900, /**/ -Infinity, 0, 0, /**/ NaN, 0, 0)
    expect([...loss.toProbability(ends, { shape: [3, 3] })]).toEqual([1, 0, 0, 0, 0.5, 0.5, NaN, NaN, NaN])
  })

  it('reads any class axis', () => {
    const loss = new SoftmaxFocalLoss()
    const rows = loss.toProbability(Float64Array.of(1, 2, 3, 4, 5, 7), { shape: [2, 3] })
    const columns = loss.toProbability(Float64Array.of(1, 4, 2, 5, 3, 7), { shape: [3, 2], classAxis: 0 })
    expect([...columns]).toEqual([0, 3, 1, 4, 2, 5].map((k) => rows[k]))
  })

  it('takes label smoothing back', () => {
    const loss = new SoftmaxFocalLoss({ gamma: 0, labelSmoothing: 0.3 })
    const learned = [0.6, 0.3, 0.1].map((eta) => Math.log(0.7 * eta + 0.1))
    const eta = loss.toProbability(Float64Array.from(learned), { shape: [1, 3] })
    ;[0.6, 0.3, 0.1].forEach((each, c) => expect(eta[c]).toBeCloseTo(each, 12))
  })
})

describe('priorBias', () => {
  it.each(elementCases)('is the inverse of toProbability, %s %o', (name, options) => {
    const loss = elementwiseOf(name, options)
    for (const prior of [1e-9, 0.01, 0.5, 0.999]) {
      const bias = loss.priorBias(prior)
      expect(loss.toProbability(Float64Array.of(bias))[0] / prior).toBeCloseTo(1, 9)
    }
  })

  it('is as far out as it has to be', () => {
    const loss = new FocalStarLoss({ gamma: 1e-4, beta: 0 })
    expect(loss.priorBias(0.01) / -1e4).toBeCloseTo(Math.log(99), 9)
  })

  it('is the logit of 0.108 for a prior of 0.01, and the paper’s rule on request', () => {
    const loss = new SigmoidFocalLoss()
    expect(sigmoid(loss.priorBias(0.01))).toBeCloseTo(0.108, 3)
    expect(loss.priorBias({ prior: 0.01, rule: 'retinanet' })).toBeCloseTo(-Math.log(99), 14)
    expect(new SigmoidFocalLoss(presets.crossEntropy).priorBias(0.01)).toBeCloseTo(-Math.log(99), 12)
  })

  it('is one per class for an array', () => {
    const loss = new SigmoidFocalLoss({ alpha: [0.25, 0.5] })
    const biases = loss.priorBias([0.01, 0.01])
    expect(biases[0]).toBeCloseTo(new SigmoidFocalLoss().priorBias(0.01), 12)
    expect(biases[1]).toBeCloseTo(new SigmoidFocalLoss({ alpha: 0.5 }).priorBias(0.01), 12)
  })

  it.each(softmaxOptions)('of softmax is the inverse of toProbability, %o', (options) => {
    const loss = new SoftmaxFocalLoss(options)
    const priors = [0.001, 0.009, 0.29, 0.7]
    const biases = loss.priorBias(priors)
    expect(biases.reduce((sum, b) => sum + Math.exp(b), 0)).toBeCloseTo(1, 12)
    const eta = loss.toProbability(biases, { shape: [1, 4] })
    priors.forEach((prior, c) => expect(eta[c] / prior).toBeCloseTo(1, 9))
  })
})

describe('bad input', () => {
  const loss = new SigmoidFocalLoss()
  const softmax = new SoftmaxFocalLoss()
  const x = new Float32Array(4)

  it.each<[string, () => unknown, Error]>([
    ['prior 0', () => loss.priorBias(0), new RangeError('prior is 0; expected a number between 0 and 1, both excluded')],
    ['a prior of NaN', () => loss.priorBias(NaN), new RangeError('prior is NaN; expected a number between 0 and 1, both excluded')],
    ['no prior', () => loss.priorBias(undefined as never), new TypeError('prior is undefined; expected a number between 0 and 1, both excluded')],
    ['no priors', () => loss.priorBias([]), new RangeError('prior is an empty array; expected one number per class')],
    ['another rule', () => loss.priorBias({ prior: 0.1, rule: 'mine' as never }), new RangeError("rule is 'mine'; expected one of 'retinanet'")],
    ['one prior for a softmax', () => softmax.priorBias(0.1), new TypeError('prior is 0.1; expected an array, one number per class')],
    ['priors of another sum', () => softmax.priorBias([0.5, 0.25]), new RangeError('prior has the sum 0.75; expected 1, as a softmax gives every row one class')],
    ['no shape', () => softmax.toProbability(x), new TypeError('shape is undefined; expected [rows, classes]')],
    ['a wrong shape', () => softmax.toProbability(x, { shape: [3, 2] }), new RangeError('shape [3, 2] has 6 elements; expected 4, as many as logits')],
    ['an unknown option', () => loss.toProbability(x, { shap: [4] } as never), new TypeError("'shap' is not an option of toProbability(); did you mean 'shape'?")],
    ['a plain array', () => loss.toProbability([1] as never), new TypeError('logits is an array of length 1; expected a Float32Array or a Float64Array (Float32Array.from(logits) makes one)')],
    ['a short output', () => loss.toProbability(x, { out: new Float32Array(3) }), new RangeError('out has length 3; expected 4')],
    ['an output half on the logits', () => loss.toProbability(x.subarray(0, 2), { out: x.subarray(1, 3) }), new RangeError('out overlaps logits in memory; expected memory of its own (or exactly the logits)')],
  ])('%s', (_, call, error) => {
    expect(call).toThrow(error)
  })

  it('a weight that leaves nothing to invert', () => {
    for (const alpha of [0, 1]) expect(() => new SigmoidFocalLoss({ alpha }).toProbability(x)).toThrow(/weight above 0 for every class/)
    expect(() => new SoftmaxFocalLoss({ alpha: [1, 0] }).priorBias([0.5, 0.5])).toThrow(/weight above 0 for every class/)
  })

  it('nothing gives nothing', () => {
    expect(loss.toProbability(new Float32Array(0))).toHaveLength(0)
  })
})
