/** `fitTemperature`: the least log loss, by the package's own cross entropy; and what `evaluate` says of it. */
import { describe, expect, it } from 'vitest'
import { evaluate, fitTemperature, presets, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { seeded } from '../../support/random.js'
import { thrownBy } from '../../support/thrown.js'

const sigmoidOf = (x: number) => 1 / (1 + Math.exp(-x))
const crossEntropy = new SigmoidFocalLoss({ ...presets.crossEntropy })
const loss = new SigmoidFocalLoss()

/** Logits `factor` times too sure of themselves, of each class in turn. */
function overconfident(n: number, factors: readonly number[], seed = 1) {
  const random = seeded(seed)
  const honest = Float64Array.from({ length: n }, () => 2 * random.normal() - 1)
  const targets = Uint8Array.from(honest, (x) => (random() < sigmoidOf(x) ? 1 : 0))
  return { logits: honest.map((x, k) => x * factors[k % factors.length]), targets }
}

/** A mean log loss that is larger on both sides. */
function expectLeast(lossAt: (temperature: number) => number, temperature: number): void {
  expect(lossAt(temperature * 1.001)).toBeGreaterThan(lossAt(temperature))
  expect(lossAt(temperature / 1.001)).toBeGreaterThan(lossAt(temperature))
}

describe('sigmoid', () => {
  it('finds the temperature of least log loss', () => {
    const { logits, targets } = overconfident(20_000, [3])
    const weights = Float64Array.from(targets, (_, k) => 0.5 + (k % 3))
    const { temperature, logLoss, logLossBefore } = fitTemperature(logits, targets, { loss, weights })
    const total = weights.reduce((a, b) => a + b)
    const lossAt = (T: number) => crossEntropy.sums(logits.map((x) => x / T), targets, { weights }).sum / total
    expect(temperature).toBeGreaterThan(2.8)
    expect(temperature).toBeLessThan(3.2)
    expectLeast(lossAt, temperature as number)
    expect(logLoss).toBeCloseTo(lossAt(temperature as number), 12)
    expect(logLossBefore).toBeCloseTo(lossAt(1), 12)
  })

  it('one for each class', () => {
    const { logits, targets } = overconfident(30_000, [3, 0.5, 1])
    const shape = [10_000, 3]
    const { temperature, logLoss } = fitTemperature(logits, targets, { loss, shape, perClass: true })
    expect((temperature as number[]).map((each) => Math.round(each * 10) / 10)).toEqual([3, 0.5, 1])
    for (const c of [0, 1, 2]) {
      const mine = (array: Float64Array | Uint8Array) => array.filter((_, k) => k % 3 === c)
      expect(fitTemperature(mine(logits) as Float64Array, mine(targets), { loss }).temperature).toBeCloseTo((temperature as number[])[c], 9)
    }
    const cooled = logits.map((x, k) => x / (temperature as number[])[k % 3])
    expect(logLoss).toBeCloseTo(crossEntropy.value(cooled, targets), 12)
    expect(logLoss).toBeLessThan(fitTemperature(logits, targets, { loss, shape }).logLoss)
  })

  it('a class without a best temperature has that of all', () => {
    const { logits, targets } = overconfident(2000, [3])
    targets.forEach((_, k) => {
      if (k % 2 === 1) targets[k] = 0
    })
    const certain = logits.map((x, k) => (k % 2 === 1 ? -Math.abs(x) : x))
    const call = { loss, shape: [1000, 2] }
    const [own, other] = fitTemperature(certain, targets, { ...call, perClass: true }).temperature as number[]
    expect(other).toBe(fitTemperature(certain, targets, call).temperature)
    expect(own).toBe(fitTemperature(certain.filter((_, k) => k % 2 === 0), targets.filter((_, k) => k % 2 === 0), { loss }).temperature)
  })

  it('masked, ignored and infinite logits change nothing', () => {
    const { logits, targets } = overconfident(500, [2])
    const plain = fitTemperature(logits, targets, { loss })
    const more = Float64Array.from([...logits, NaN, 40, Infinity])
    const labels = [...targets, 1, -1, 1]
    const masked = fitTemperature(more, labels, { loss: new SigmoidFocalLoss({ ignoreIndex: -1 }), mask: [...targets.map(() => 1), 0, 1, 1] })
    expect(masked.temperature).toBe(plain.temperature)
  })
})

it('softmax', () => {
  const random = seeded(4)
  const [rows, classes] = [5000, 4]
  const targets = Int32Array.from({ length: rows }, () => random.integer(classes))
  const logits = Float64Array.from({ length: rows * classes }, (_, k) => 4 * random.normal() + (k % classes === targets[Math.floor(k / classes)] ? 5 : 0))
  const softmax = new SoftmaxFocalLoss()
  const { temperature, logLoss } = fitTemperature(logits, targets, { loss: softmax })
  const plain = new SoftmaxFocalLoss({ ...presets.crossEntropy })
  const lossAt = (T: number) => plain.value(logits.map((x) => x / T), targets)
  expectLeast(lossAt, temperature as number)
  expect(logLoss).toBeCloseTo(lossAt(temperature as number), 12)
  const { tempered, best } = evaluate(logits, targets, { loss: softmax, temperature: temperature })
  expect(tempered?.logLoss).toBeCloseTo(logLoss, 9)
  expect(best).toBe('tempered')
})

describe('evaluate', () => {
  const { logits, targets } = overconfident(4000, [3])
  const fitted = fitTemperature(logits, targets, { loss })

  it('judges the tempered scores', () => {
    const { raw, tempered, best } = evaluate(logits, targets, { loss, temperature: fitted })
    expect(tempered?.logLoss).toBeCloseTo(fitted.logLoss, 5)
    expect(raw.logLoss).toBeCloseTo(fitted.logLossBefore, 5)
    expect(tempered?.averagePrecision).toBe(raw.averagePrecision)
    expect(tempered?.thresholds?.bestF1.logit).toBe(raw.thresholds?.bestF1.logit)
    expect(tempered?.thresholds?.bestF1.probability).toBeCloseTo(sigmoidOf((raw.thresholds?.bestF1.logit ?? NaN) / (fitted.temperature as number)), 12)
    expect(best).toBe('tempered')
    expect(evaluate(logits, targets, { loss }).tempered).toBeNull()
  })

  it('says which scores are best', () => {
    const honest = overconfident(4000, [1])
    expect(evaluate(honest.logits, honest.targets, { loss }).best).toBe('raw')
    expect(evaluate(honest.logits, honest.targets, { loss: crossEntropy }).best).toBe('raw')
    // Where focal loss is least for the truth, its calibration is the truth
    const flattened = honest.logits.map((x) => loss.priorBias(sigmoidOf(x)))
    expect(evaluate(flattened, honest.targets, { loss }).best).toBe('recalibrated')
    expect(evaluate(new Float32Array(0), [], { loss }).best).toBeNull()
  })

  it('warns of a temperature that was fitted on the data itself, in whatever chunks and order', () => {
    const own = ['the temperature was fitted on the data that it is judged on, and looks better than it is']
    expect(evaluate(logits, targets, { loss, temperature: fitted }).warnings).toEqual(own)
    expect(evaluate(logits.toReversed(), targets.toReversed(), { loss, temperature: fitted }).warnings).toEqual(own)
    expect(evaluate(logits, targets, { loss, temperature: JSON.parse(JSON.stringify(fitted)) as typeof fitted }).warnings).toEqual(own)
    expect(evaluate(logits.subarray(1), targets.subarray(1), { loss, temperature: fitted }).warnings).toEqual([])
    expect(evaluate(logits, targets.map((y) => 1 - y), { loss, temperature: fitted }).warnings).toEqual([])
    expect(evaluate(logits, targets, { loss, temperature: 3 }).warnings).toEqual([])
  })
})

describe('errors', () => {
  const x = Float32Array.of(1, -1, 2, -2)
  const softmax = new SoftmaxFocalLoss()
  const least = 'RangeError: logits have no best temperature: the log loss '
  const refusals: readonly [string, () => unknown, string][] = [
    ['no data', () => fitTemperature(new Float32Array(0), [], { loss }), 'RangeError: logits have no best temperature: nothing depends on it'],
    ['no score that is wrong', () => fitTemperature(x, [1, 0, 1, 0], { loss }), `${least}falls all the way to a temperature of 0, as no score is on the wrong side of 0`],
    ['scores that are upside down', () => fitTemperature(x, [0, 1, 0, 1], { loss }), `${least}is least where all scores are equal, as high ones are no more often right than low ones`],
    ['a softmax with one per class', () => fitTemperature(x, Int32Array.of(0, 1), { loss: softmax, perClass: true }), 'TypeError: perClass is true; expected false, as a softmax has one temperature'],
    ['a logit that is NaN', () => fitTemperature(Float32Array.of(NaN), [1], { loss }), 'RangeError: logits[0] is NaN; expected a number, as NaN is neither above nor below a threshold'],
    ['an unknown option', () => fitTemperature(x, [0, 1, 0, 1], { loss, perclass: true } as never), "TypeError: 'perclass' is not an option of fitTemperature(); did you mean 'perClass'?"],
    ['a temperature of 0', () => evaluate(x, [0, 1, 0, 1], { loss, temperature: 0 }), 'RangeError: temperature is 0; expected a finite number > 0'],
    ['temperatures of a softmax', () => evaluate(x, Int32Array.of(0, 1), { loss: softmax, temperature: [1, 2] }), 'TypeError: temperature is an array of length 2; expected a number > 0 or what fitTemperature() returns'],
    ['temperatures of other classes', () => evaluate(x, [0, 1, 0, 1], { loss, shape: [2, 2], temperature: [1, 2, 3] }), 'RangeError: temperature has 3 entries; expected one per class, 2'],
    ['a temperature as text', () => evaluate(x, [0, 1, 0, 1], { loss, temperature: '2' as never }), "TypeError: temperature is '2'; expected a number > 0, an array of such (one per class) or what fitTemperature() returns"],
  ]
  it.each(refusals)('%s', async (_, run, message) => {
    expect(String(await thrownBy(run))).toBe(message)
  })
})
