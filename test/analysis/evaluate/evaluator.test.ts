/** `evaluate`: what it defines where there are ties, weights, masks, absent classes, or more logits than slots. */
import { describe, expect, it } from 'vitest'
import { AsymmetricLoss, evaluate, type Figures, evaluator, type EvaluatorState, fitTemperature, HeatmapFocalLoss, type Logits, presets, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { exactFigures } from '../../support/exact_figures.js'
import { seeded } from '../../support/random.js'
import { thrownBy } from '../../support/thrown.js'

const loss = new SigmoidFocalLoss()
const names = ['averagePrecision', 'rocAuc', 'brier', 'logLoss', 'calibrationError'] as const
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const scored = (p: number, positive: boolean) => ({ p, q: 1 - p, order: p, positive })

function expectWithin(figures: Figures, exact: ReturnType<typeof exactFigures>, tolerance: number): void {
  for (const name of names) expect(Math.abs((figures[name] ?? NaN) - exact[name]) / Math.max(1, exact[name]), name).toBeLessThan(tolerance)
}

describe('more distinct logits than slots', () => {
  it.each([
    ['wide', (normal: number) => 3 * normal, 1],
    ['narrow, around 5', (normal: number) => 5 + normal / 1000, 1],
    ['wide, of 64 classes', (normal: number) => 4 * normal - 3, 64],
    ['over many magnitudes', (normal: number) => Math.min(200, Math.exp(3 * normal) - 5), 1],
  ])('%s: figures are within 1e-3 of the exact ones', (_, spread, classes) => {
    const random = seeded(5)
    const rows = classes === 1 ? 60_000 : 20_000
    const n = rows * classes
    const logits = Float64Array.from({ length: n }, () => spread(random.normal()))
    const targets = Uint8Array.from(logits, (x) => (random() < 0.3 * sigmoid(x) ? 1 : 0))
    const { raw, recalibrated } = evaluate(logits, targets, { loss, shape: [rows, classes] })
    const ofClass = (scores: typeof raw, c: number) => (classes === 1 ? scores : scores.classes[c])
    const p = loss.toProbability(logits)
    // The same loss seen from the negatives
    const q = new SigmoidFocalLoss({ alpha: 0.75 }).toProbability(logits.map((x) => -x))
    for (const c of [0, classes - 1]) {
      const examplesOf = (pOf: (k: number) => number, qOf: (k: number) => number) =>
        Array.from({ length: rows }, (_, r) => r * classes + c).map((k) => ({ p: pOf(k), q: qOf(k), order: logits[k], positive: targets[k] === 1 }))
      expectWithin(ofClass(raw, c), exactFigures(examplesOf((k) => sigmoid(logits[k]), (k) => sigmoid(-logits[k])), 15), 1e-3)
      expectWithin(ofClass(recalibrated, c), exactFigures(examplesOf((k) => p[k], (k) => q[k]), 15), 1e-3)
    }
  }, 60_000)

  it('softmax: figures are within 1e-3 of the exact ones', () => {
    const random = seeded(9)
    const [rows, classes] = [40_000, 5]
    const targets = Int32Array.from({ length: rows }, () => random.integer(classes))
    const logits = Float32Array.from({ length: rows * classes }, (_, k) => 2 * random.normal() + (k % classes === targets[Math.floor(k / classes)] ? 2 : 0))
    const softmax = new SoftmaxFocalLoss({ gamma: 2 })
    const { raw, recalibrated } = evaluate(logits, targets, { loss: softmax })
    const plain = new SoftmaxFocalLoss({ ...presets.crossEntropy })
    for (const [scores, p] of [
      [raw, plain.toProbability(Float64Array.from(logits), { shape: [rows, classes] })],
      [recalibrated, softmax.toProbability(Float64Array.from(logits), { shape: [rows, classes] })],
    ] as const) {
      expectWithin(scores.classes[3], exactFigures(Array.from(targets, (truth, r) => scored(p[r * classes + 3], truth === 3)), 15), 1e-3)
      const top = Array.from(targets, (truth, r) => {
        const row = Array.from(p.subarray(r * classes, (r + 1) * classes))
        const best = Math.max(...row)
        return scored(best, row.indexOf(best) === truth)
      })
      const { averagePrecision, rocAuc, calibrationError } = exactFigures(top, 15)
      expect(Math.abs((scores.averagePrecision ?? NaN) - averagePrecision)).toBeLessThan(1e-3)
      expect(Math.abs((scores.rocAuc ?? NaN) - rocAuc)).toBeLessThan(1e-3)
      expect(Math.abs((scores.calibrationError ?? NaN) - calibrationError)).toBeLessThan(1e-3)
      expect(scores.logLoss).toBeCloseTo(targets.reduce((sum, truth, r) => sum - Math.log(p[r * classes + truth]), 0) / rows, 9)
    }
  }, 30_000)
})

describe('what counts', () => {
  const logits = Float32Array.of(2, -1, 0.5, 0.5, -3, 1)
  const targets = [1, 0, 1, 0, 0, 0]

  it('a whole weight is that many examples', () => {
    const weighted = evaluate(logits, targets, { loss, weights: [1, 2, 3, 1, 0, 2] })
    const often = [0, 1, 1, 2, 2, 2, 3, 5, 5]
    const repeated = evaluate(Float32Array.from(often, (k) => logits[k]), often.map((k) => targets[k]), { loss })
    for (const name of names) expect(weighted.raw[name]).toBeCloseTo(repeated.raw[name] ?? NaN, 12)
    expect(weighted.raw.count).toBe(5)
    expect(weighted.raw.weight).toBe(9)
    expect(weighted.raw.thresholds).toEqual(repeated.raw.thresholds)
  })

  it('masked, ignored and weightless examples appear nowhere', () => {
    const without = evaluate(logits.subarray(0, 4), targets.slice(0, 4), { loss })
    expect(evaluate(logits, targets, { loss, mask: [1, 1, 1, 1, 0, 0] })).toEqual(without)
    expect(evaluate(logits, targets, { loss, weights: [1, 1, 1, 1, 0, 0] })).toEqual(without)
    expect(evaluate(logits, [1, 0, 1, 0, -1, -1], { loss: new SigmoidFocalLoss({ ignoreIndex: -1 }) })).toEqual(without)
    const nan = Float32Array.of(2, -1, 0.5, 0.5, NaN, NaN)
    expect(evaluate(nan, targets, { loss, mask: [1, 1, 1, 1, 0, 0] })).toEqual(without)
  })

  it('a soft label is a positive where the loss counts it as one', () => {
    const soft = [0.9, 0.2, 0.5, 0.4, 0, 0.1]
    expect(evaluate(logits, soft, { loss })).toEqual(evaluate(logits, targets, { loss }))
    expect(evaluate(logits, soft, { loss: new HeatmapFocalLoss() }).raw.rate).toBe(0)
    expect(evaluate(logits, [1, 0.9, 0, 0, 0, 0], { loss: new HeatmapFocalLoss() }).raw.rate).toBe(1 / 6)
  })

  it('softmax: rows without a class are left out, a label goes to its largest class, a masked class has no example', () => {
    const softmax = new SoftmaxFocalLoss({ background: -1 })
    const rows = Float32Array.of(1, 2, 3, 0, 5, 1)
    const alone = evaluate(rows.subarray(0, 3), Int32Array.of(1), { loss: softmax })
    expect(alone.raw.count).toBe(1)
    expect(evaluate(rows, Int32Array.of(1, -1), { loss: softmax })).toEqual(alone)
    expect(evaluate(rows, [0.2, 0.7, 0.1, 0, 0, 0], { loss: softmax, shape: [2, 3] })).toEqual(alone)
    const masked = evaluate(rows.subarray(0, 3), Int32Array.of(1), { loss: softmax, mask: [1, 1, 0] })
    expect(masked.raw.classes.map(({ count }) => count)).toEqual([1, 1, 0])
    expect(masked.raw.rate).toBe(1)
  })

  it('softmax: a class whose posterior label smoothing takes to 0 is an example all the same, unless its logit is -Infinity', () => {
    const smooth = new SoftmaxFocalLoss({ gamma: 0, labelSmoothing: 0.3 })
    const { raw, recalibrated } = evaluate(Float32Array.of(3, 0, -3, 0, 3, -Infinity), Int32Array.of(0, 1), { loss: smooth, shape: [2, 3] })
    for (const scores of [raw, recalibrated]) expect(scores.classes.map(({ count, rate }) => [count, rate])).toEqual([[2, 0.5], [2, 0.5], [1, 0]])
    expect(recalibrated.classes[2].brier).toBe(0)
  })

  it('half precision, probabilities and any axis of classes say the same', () => {
    const several = evaluate(logits, targets, { loss, shape: [3, 2] })
    const turned = (list: ArrayLike<number>) => [0, 2, 4, 1, 3, 5].map((k) => list[k])
    expect(evaluate(Float32Array.from(turned(logits)), turned(targets), { loss, shape: [2, 3], classAxis: 0 })).toEqual(several)
    const bits = Uint16Array.of(0x4000, 0xbf80, 0x3f00, 0x3f00, 0xc040, 0x3f80)
    expect(evaluate(bits, targets, { loss, shape: [3, 2], dtype: 'bfloat16' })).toEqual(several)
    const probabilities = new SigmoidFocalLoss({ inputs: 'probabilities' })
    const found = evaluate(Float64Array.from(logits, sigmoid), targets, { loss: probabilities, shape: [3, 2] })
    for (const name of names) expect(found.recalibrated[name]).toBeCloseTo(several.recalibrated[name] ?? NaN, 6)
  })
})

describe('logits that may be probabilities', () => {
  const probabilities = Float32Array.of(0.9, 0, 0.2, 1)
  const labels = [1, 0, 0, 1]
  const warning = "all logits are from 0 to 1: if they are probabilities, set inputs: 'probabilities' in the loss's options"
  const softmax = new SoftmaxFocalLoss()

  it('there is a warning where all of them are from 0 to 1', () => {
    expect(evaluate(probabilities, labels, { loss }).warnings).toEqual([warning])
    expect(evaluate(probabilities, Int32Array.of(0, 1), { loss: softmax }).warnings).toEqual([warning])
    expect(evaluate(Uint16Array.of(0x3f00, 0x3f80), [0, 1], { loss, dtype: 'bfloat16' }).warnings).toEqual([warning])
    expect(evaluate(probabilities, labels, { loss: new SigmoidFocalLoss({ inputs: 'probabilities' }) }).warnings).toEqual([])
    for (const other of [-0.001, 1.001, Infinity]) expect(evaluate(Float32Array.of(0.9, 0, 0.2, other), labels, { loss }).warnings).toEqual([])
    expect(evaluator({ loss }).result().warnings).toEqual([])
  })

  it('of chunks and parts it is about all of them', () => {
    const [one, other] = [probabilities, probabilities.map((p) => p - 0.5)].map((x) => () => evaluator({ loss }).add(x, labels))
    const through = (state: EvaluatorState) => JSON.parse(JSON.stringify(state)) as EvaluatorState
    expect(one().add(probabilities, labels).result().warnings).toEqual([warning])
    expect(one().merge(through(one().state()), evaluator({ loss }).state()).result().warnings).toEqual([warning])
    expect(other().add(probabilities, labels).result().warnings).toEqual([])
    expect(one().merge(through(other().state())).result().warnings).toEqual([])
    expect(evaluator({ loss }).merge(other().state(), one().state()).result().warnings).toEqual([])
  })
})

describe('what is not defined is null', () => {
  const figuresOf = (logits: Logits, targets: number[]) => evaluate(logits, targets, { loss }).raw

  it('without positives, without negatives, and of nothing', () => {
    const negatives = figuresOf(Float32Array.of(1, 2), [0, 0])
    expect(negatives).toMatchObject({ count: 2, rate: 0, averagePrecision: null, rocAuc: null, thresholds: null, precisionRecall: [], roc: [] })
    expect(negatives.brier).toBeGreaterThan(0)
    expect(figuresOf(Float32Array.of(1, 2), [1, 1])).toMatchObject({ rate: 1, averagePrecision: 1, rocAuc: null, roc: [] })
    const nothing = { count: 0, weight: 0, rate: null, averagePrecision: null, rocAuc: null, brier: null, logLoss: null, calibrationError: null, adaptiveCalibrationError: null }
    expect(figuresOf(new Float32Array(0), [])).toMatchObject(nothing)
    expect(evaluator({ loss: new SoftmaxFocalLoss() }).result().recalibrated).toMatchObject({ ...nothing, classes: [], macro: null })
  })

  it('a mean over classes leaves out those that have no such figure', () => {
    const { raw } = evaluate(Float32Array.of(1, 2, 3, 4), [1, 0, 0, 0], { loss, shape: [2, 2] })
    expect(raw.classes.map(({ rocAuc }) => rocAuc)).toEqual([0, null])
    expect(raw.macro?.rocAuc).toBe(0)
  })

  it('infinite logits are probabilities 0 and 1, and a wrong one costs Infinity', () => {
    const right = figuresOf(Float32Array.of(Infinity, -Infinity), [1, 0])
    expect(right).toMatchObject({ averagePrecision: 1, rocAuc: 1, brier: 0, logLoss: 0, calibrationError: 0 })
    expect(right.thresholds?.bestF1).toMatchObject({ probability: 1, logit: Infinity, f1: 1 })
    expect(figuresOf(Float32Array.of(Infinity, -Infinity), [0, 1])).toMatchObject({ rocAuc: 0, brier: 1, logLoss: Infinity })
    // Of a softmax they share the probability, whatever the others are
    const rows = Float32Array.of(Infinity, 3, Infinity, -Infinity, 5, -Infinity)
    const { raw } = evaluate(rows, Int32Array.of(2, 1), { loss: new SoftmaxFocalLoss(), shape: [2, 3], classAxis: 1, targetKind: 'class-index' })
    expect(raw).toMatchObject({ count: 2, logLoss: Math.log(2) / 2, brier: 1 / 4 })
    expect(raw.classes.map(({ count }) => count)).toEqual([1, 2, 1])
  })

  it('a margin makes ties of the scores up to it', () => {
    const logits = Float32Array.of(-9, -8, -7, 3)
    const { raw, recalibrated } = evaluate(logits, [0, 1, 0, 1], { loss: new AsymmetricLoss({ margin: 0.05 }) })
    expect(raw.rocAuc).toBe(0.75)
    expect(recalibrated.rocAuc).toBe(0.75)
    expect(recalibrated.averagePrecision).toBe(0.75)
    expect(raw.averagePrecision).toBe(0.5 + 1 / 3)
  })
})

describe('thresholds', () => {
  // From the top: yes, no, yes, yes, no, no
  const logits = Float32Array.of(5, 4, 3, 2, 1, 0)
  const targets = [1, 0, 1, 1, 0, 0]
  const thresholdsOf = (questions: object) => evaluate(logits, targets, { loss, thresholds: questions }).raw.thresholds

  it('are the highest with a recall, the lowest with a precision, the cheapest by costs', () => {
    const found = thresholdsOf({
      recall: [0.3, 0.5, 1],
      precision: [1, 0.7, 0.75],
      cost: [{ falsePositive: 1, falseNegative: 1 }, { falsePositive: 1, falseNegative: 0 }, { falsePositive: 0, falseNegative: 1 }],
    })
    expect(found?.bestF1).toEqual({ logit: 2, probability: sigmoid(2), precision: 0.75, recall: 1, f1: 6 / 7 })
    expect(found?.recall.map(({ atLeast, cut }) => [atLeast, cut.logit])).toEqual([[0.3, 5], [0.5, 3], [1, 2]])
    expect(found?.precision.map(({ cut }) => cut?.logit)).toEqual([5, 2, 2])
    expect(found?.cost.map(({ total, cut }) => [total, cut.logit])).toEqual([[1, 2], [0, null], [0, 2]])
    expect(found?.cost[1].cut).toEqual({ probability: null, logit: null, precision: 1, recall: 0, f1: 0 })
  })

  it('a precision that no threshold has is null', () => {
    const { raw } = evaluate(Float32Array.of(2, 1), [0, 1], { loss, thresholds: { precision: [0.9] } })
    expect(raw.thresholds?.precision).toEqual([{ atLeast: 0.9, cut: null }])
  })

  it('classes that share no scale have no logit in common', () => {
    const uneven = new SigmoidFocalLoss({ alpha: [0.25, 0.75] })
    const { raw, recalibrated } = evaluate(logits, targets, { loss: uneven, shape: [3, 2] })
    expect(raw.thresholds?.bestF1.logit).toBe(2)
    expect(recalibrated.thresholds?.bestF1.logit).toBeNull()
    expect(recalibrated.classes[0].thresholds?.bestF1.logit).toBe(3)
  })
})

describe('errors', () => {
  const x = Float32Array.of(1, 2)
  const refusals: readonly [string, () => unknown, string][] = [
    ['a logit that is NaN', () => evaluate(Float32Array.of(1, NaN), [0, 1], { loss }), 'RangeError: logits[1] is NaN; expected a number, as NaN is neither above nor below a threshold'],
    ['a negative weight', () => evaluate(x, [0, 1], { loss, weights: [1, -1] }), 'RangeError: weights[1] is -1; expected a finite number >= 0, to weigh an example with'],
    ['a label that is none', () => evaluate(x, [0, 2], { loss }), 'RangeError: targets[1] is 2; expected a number from 0 to 1'],
    ['a class that is none', () => evaluate(x, Int32Array.of(2), { loss: new SoftmaxFocalLoss() }), 'RangeError: targets[0] is 2; expected a class in 0..1 (classes count from 0; set background or ignoreIndex to allow others)'],
    ['a class that the mask takes out', () => evaluate(x, Int32Array.of(1), { loss: new SoftmaxFocalLoss(), mask: [1, 0] }), 'RangeError: targets[0] is 1; expected a class that mask leaves in its row'],
    ['no loss', () => evaluate(x, [0, 1], {} as never), 'TypeError: loss is undefined; expected a loss, such as new SigmoidFocalLoss()'],
    ['a loss by its name', () => evaluate(x, [0, 1], { loss: 'sigmoid' } as never), "TypeError: loss is 'sigmoid'; expected a loss, such as new SigmoidFocalLoss()"],
    ['a loss in place of the options', () => evaluate(x, [0, 1], loss as never), 'TypeError: options is a SigmoidFocalLoss; expected { loss, ... }'],
    ['a loss in place of the options of an evaluator', () => evaluator(loss as never), 'TypeError: options is a SigmoidFocalLoss; expected { loss, ... }'],
    ['a loss in place of the options of a fit', () => fitTemperature(x, [0, 1], new SoftmaxFocalLoss() as never), 'TypeError: options is a SoftmaxFocalLoss; expected { loss, ... }'],
    ['no options', () => (evaluate as (...args: unknown[]) => unknown)(x, [0, 1]), 'TypeError: options is undefined; expected an object with options, such as { loss }'],
    ['a loss of another kind', () => evaluate(x, [0, 1], { loss: { sums: () => ({}) } as never }), 'TypeError: loss is an object; expected a loss of this package, whose calibration is known'],
    ['an unknown option', () => evaluate(x, [0, 1], { loss, bin: 3 } as never), "TypeError: 'bin' is not an option of evaluate(); did you mean 'bins'?"],
    ['no bins', () => evaluator({ loss, bins: 0 }), 'RangeError: bins is 0; expected an integer from 1 to 1000'],
    ['a recall above 1', () => evaluator({ loss, thresholds: { recall: [2] } }), 'RangeError: thresholds.recall[0] is 2; expected a number from 0 to 1'],
    ['a precision alone', () => evaluator({ loss, thresholds: { precision: 0.5 as never } }), 'TypeError: thresholds.precision is 0.5; expected an array of numbers from 0 to 1'],
    ['a cost without its fellow', () => evaluator({ loss, thresholds: { cost: [{ falsePositive: 1 } as never] } }), 'TypeError: thresholds.cost[0].falseNegative is undefined; expected a finite number >= 0'],
    ['a weight of 0 in the loss', () => evaluate(x, [0, 1], { loss: new SigmoidFocalLoss({ alpha: 0 }) }), 'RangeError: evaluate() needs a weight above 0 for every class; alpha, classWeights or posWeight gives one the weight 0'],
    ['an argument too many', () => (evaluate as (...args: unknown[]) => unknown)(x, [0, 1], { loss }, 1), 'TypeError: evaluate() was given 4 arguments; expected at most 3'],
  ]
  it.each(refusals)('%s', async (_, run, message) => {
    expect(String(await thrownBy(run))).toBe(message)
  })

  it('a chunk that is refused leaves no trace', () => {
    const some = evaluator({ loss }).add(x, [0, 1])
    const before = some.result()
    expect(() => some.add(Float32Array.of(3, NaN), [0, 1])).toThrow(/NaN/)
    expect(() => some.add(Float32Array.of(3, 4), [0, 3])).toThrow(/targets\[1\]/)
    expect(() => some.add(Float32Array.of(3, 4), [0, 1], { shape: [1, 2] })).toThrow('logits has rows of 2 classes; expected 1, as in the chunks before')
    expect(some.result()).toEqual(before)
  })
})

describe('equal logits are ties of recalibrated scores too', () => {
  it('of a softmax, whose top label is the first of them', () => {
    const random = seeded(11)
    const [rows, classes] = [500, 7]
    const logits = Float32Array.from({ length: rows * classes }, () => random.integer(4))
    const targets = Int32Array.from({ length: rows }, () => random.integer(classes))
    const { raw, recalibrated } = evaluate(logits, targets, { loss: new SoftmaxFocalLoss({ labelSmoothing: 0.05 }) })
    expect(recalibrated.rate).toBe(raw.rate)
  })

  it('of classes with different weights, which share their thresholds', () => {
    const random = seeded(12)
    const logits = Float32Array.from({ length: 600 }, () => random.integer(9) - 4)
    const targets = Uint8Array.from(logits, () => random.integer(2))
    const shape = [200, 3]
    const weighted = evaluate(logits, targets, { loss: new SigmoidFocalLoss({ classWeights: [0.7, 1.1, 3.3] }), shape })
    const { recalibrated, raw } = evaluate(logits, targets, { loss, shape })
    expect(weighted.recalibrated.averagePrecision).toBe(raw.averagePrecision)
    expect(weighted.recalibrated.rocAuc).toBe(raw.rocAuc)
    expect(weighted.recalibrated.thresholds?.bestF1.logit).toBe(recalibrated.thresholds?.bestF1.logit)
    expect(weighted.recalibrated.logLoss).toBeCloseTo(recalibrated.logLoss ?? NaN, 12)
  })
})

it('chunks amount to the whole', () => {
  const random = seeded(1)
  const logits = Float32Array.from({ length: 90_000 }, () => 3 * random.normal())
  const targets = Uint8Array.from(logits, (x) => (random() < sigmoid(x - 1) ? 1 : 0))
  const whole = evaluate(logits, targets, { loss })
  const some = evaluator({ loss })
  for (let from = 0; from < 90_000; from += 7001) some.add(logits.subarray(from, from + 7001), targets.subarray(from, from + 7001))
  expect(some.result()).toEqual(whole)
})

it('small chunks of several classes amount to the whole, in any array and asked in between', () => {
  const [rows, classes] = [250_000, 3]
  const random = seeded(4)
  const logits = Float32Array.from({ length: rows * classes }, (_, k) => (k % classes) + 2 * random.normal())
  const targets = Uint8Array.from(logits, (x) => (random() < sigmoid(x - 2) ? 1 : 0))
  const mask = Uint8Array.from({ length: rows }, () => (random() < 0.9 ? 1 : 0))
  const whole = evaluate(logits, targets, { loss, shape: [rows, classes], mask })
  const [some, part] = [evaluator({ loss }), evaluator({ loss })]
  for (let from = 0, size = 1; from < rows; from += size, size = Math.min(1 + random.integer(9000), rows - from)) {
    const [start, end] = [from * classes, (from + size) * classes]
    const x = logits.subarray(start, end)
    const given = random() < 0.2 ? Float64Array.from(x) : x
    ;(random() < 0.9 ? some : part).add(given, targets.subarray(start, end), { shape: [size, classes], mask: mask.subarray(from, from + size) })
    if (random() < 0.1) part.state()
  }
  expect(some.merge(part.state()).result()).toEqual(whole)
})

describe('too many classes to tell apart', () => {
  const classes = 2049
  const rows = 6
  const random = seeded(8)
  const logits = Float32Array.from({ length: rows * classes }, () => 2 * random.normal())
  const warnings = ['there are 2049 classes, of which none has figures of its own; up to 2048 have']

  it('an element-wise loss has the figures of all elements, in parts and with weights too', () => {
    const targets = Uint8Array.from(logits, (x) => (random() < 0.3 * sigmoid(x) ? 1 : 0))
    const flat = evaluate(logits, targets, { loss })
    const shape = [rows, classes]
    const found = evaluate(logits, targets, { loss, shape })
    expect(found).toEqual({ ...flat, warnings })
    expect(found.raw).toMatchObject({ classes: [], macro: null })
    const half = (logits.length / 2) | 0
    const parts = [0, 1].map((part) => evaluator({ loss }).add(logits.subarray(part * half, (part + 1) * half), targets.subarray(part * half, (part + 1) * half), { shape: [rows / 2, classes] }).state())
    expect(evaluator({ loss }).merge(...parts).result()).toEqual(found)
    const weights = Float32Array.from(logits, (_, k) => 1 + (k % 3))
    expect(evaluate(logits, targets, { loss, shape, weights })).toEqual({ ...evaluate(logits, targets, { loss, weights }), warnings })
  })

  it('an element-wise loss that treats classes each in its own way is refused', () => {
    const targets = new Uint8Array(logits.length)
    const message = 'logits has rows of 2049 classes, which the loss or the temperature treats each in its own way; expected at most 2048 of such'
    const own = new SigmoidFocalLoss({ gamma: Array.from({ length: classes }, (_, c) => c % 3) })
    expect(() => evaluate(logits, targets, { loss: own, shape: [rows, classes] })).toThrow(new RangeError(message))
    expect(() => evaluate(logits, targets, { loss, shape: [rows, classes], temperature: Array.from({ length: classes }, () => 2) })).toThrow(new RangeError(message))
  })

  it('a softmax has the figures of its top label', () => {
    const softmax = new SoftmaxFocalLoss({ gamma: 0 })
    const targets = Int32Array.from({ length: rows }, (_, r) => 300 * r)
    const { raw, warnings: said } = evaluate(logits, targets, { loss: softmax, shape: [rows, classes] })
    expect(said).toEqual(warnings)
    expect(raw).toMatchObject({ classes: [], macro: null, count: rows })
    expect(raw.logLoss).toBeCloseTo(softmax.value(logits, targets, { shape: [rows, classes] }), 6)
    // Of one class fewer, each has its own
    const fewer = evaluate(logits.subarray(0, rows * 2048), targets, { loss: softmax, shape: [rows, 2048] })
    expect(fewer.raw.classes).toHaveLength(2048)
    expect(fewer.warnings).toEqual([])
  })

  it('300,000 classes take memory for a few rows, not for each of them', () => {
    const before = process.memoryUsage().arrayBuffers
    const many = new Float32Array(2 * 300_000)
    const softmax = evaluator({ loss: new SoftmaxFocalLoss() }).add(many, [1, 2], { shape: [2, 300_000] })
    const sigmoids = evaluator({ loss }).add(many, [1, 2], { shape: [2, 300_000] })
    // Logits, rows and labels; histograms of all classes took 3.6 GB
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40e6)
    expect(softmax.result().raw.logLoss).toBeCloseTo(Math.log(300_000), 6)
    expect(sigmoids.result().raw.count).toBe(600_000)
  })
})

it('a threshold has no logit for all classes where gammas differ, as alphas do', () => {
  const x = Float32Array.of(1, -1, 0.5, -2, 2, 0)
  const { raw, recalibrated } = evaluate(x, [1, 0, 1, 0, 0, 1], { loss: new SigmoidFocalLoss({ gamma: [0.5, 3], alpha: null }), shape: [3, 2] })
  expect(raw.thresholds?.bestF1.logit).not.toBeNull()
  expect(recalibrated.thresholds?.bestF1.logit).toBeNull()
})
