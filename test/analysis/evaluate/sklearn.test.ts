/** `evaluate` against the figures of scikit-learn: test/conformance/evaluation. */
import { describe, expect, it } from 'vitest'
import { type Cut, evaluate, type Figures, presets, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import micrographs from '../../conformance/evaluation/micrographs.json' with { type: 'json' }
import facts from '../../conformance/evaluation/sklearn.json' with { type: 'json' }

type Binary = (typeof facts.binary)[number]['raw']

const { bins } = facts
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

function expectFigures(figures: Figures, expected: Binary): void {
  for (const name of ['averagePrecision', 'rocAuc', 'brier', 'logLoss'] as const) expect(figures[name], name).toBeCloseTo(expected[name], 10)
  const best = figures.thresholds?.bestF1
  for (const name of ['f1', 'precision', 'recall', 'probability'] as const) expect(best?.[name], name).toBeCloseTo(expected.bestF1[name], 10)
  // A curve of theirs has every score
  const isAmong = ([xs, ys]: readonly (readonly number[])[], x: number, y: number) => xs.some((each, i) => Math.abs(each - x) < 1e-10 && Math.abs(ys[i] - y) < 1e-10)
  for (const { precision, recall } of figures.precisionRecall) expect(isAmong(expected.precisionRecall, precision, recall), `${precision} ${recall}`).toBe(true)
  for (const { falsePositiveRate, recall } of figures.roc) expect(isAmong(expected.roc, falsePositiveRate, recall), `${falsePositiveRate} ${recall}`).toBe(true)
  expect(figures.precisionRecall.length).toBeGreaterThan(20)
  expect(figures.roc.length).toBeGreaterThan(20)
  if (expected.uniform === undefined || expected.quantile === undefined) return
  const filled = figures.reliability.filter(({ count }) => count > 0)
  expect(filled.map(({ count }) => count)).toEqual(expected.uniform.counts)
  filled.forEach(({ meanScore, rate }, i) => {
    expect(meanScore).toBeCloseTo(expected.uniform?.mean[i] ?? NaN, 10)
    expect(rate).toBeCloseTo(expected.uniform?.rate[i] ?? NaN, 10)
  })
  expect(figures.calibrationError).toBeCloseTo(expected.uniform.error, 10)
  expect(figures.adaptiveCalibrationError).toBeCloseTo(expected.quantile.error, 10)
}

describe.each(facts.binary)('one class $name', ({ logits, targets, weights, raw, recalibrated }) => {
  const loss = new SigmoidFocalLoss()
  const x = Float32Array.from(logits)
  const call = { weights: weights ?? undefined }
  const found = evaluate(x, targets, { loss, bins, ...call })

  it('has the figures of sigmoid(x)', () => {
    expectFigures(found.raw, raw)
  })

  it('has the figures of toProbability(x)', () => {
    expectFigures(found.recalibrated, recalibrated)
  })

  it('gives each threshold as a probability and as the logit that decides the same', () => {
    const cuts = [found.raw, found.recalibrated].map((scores): Cut => scores.thresholds?.bestF1 ?? { probability: null, logit: null })
    expect(cuts[0].logit).toBe(cuts[1].logit)
    expect(cuts[0].probability).toBeCloseTo(sigmoid(cuts[0].logit ?? NaN), 12)
    expect(cuts[1].probability).toBeCloseTo(loss.toProbability(Float64Array.of(cuts[1].logit ?? NaN))[0], 12)
    expect(x).toContain(cuts[0].logit)
  })
})

it('several classes: all elements in one heap, and the mean over classes', () => {
  const { logits, targets, micro, macro } = facts.several
  const { raw } = evaluate(Float32Array.from(logits), targets, { loss: new SigmoidFocalLoss(), shape: [150, 3] })
  expect(raw.classes).toHaveLength(3)
  for (const name of ['averagePrecision', 'rocAuc'] as const) {
    expect(raw[name]).toBeCloseTo(micro[name], 10)
    expect(raw.macro?.[name]).toBeCloseTo(macro[name], 10)
  }
})

it('softmax: the top label, and each class against the rest', () => {
  const { logits, targets, accuracy, logLoss, brier, calibrationError, macro } = facts.softmax
  const loss = new SoftmaxFocalLoss({ ...presets.crossEntropy })
  const { raw, recalibrated } = evaluate(Float32Array.from(logits), Int32Array.from(targets), { loss, bins })
  for (const scores of [raw, recalibrated]) {
    expect(scores.rate).toBeCloseTo(accuracy, 10)
    // Log-odds are kept as float32
    expect(scores.logLoss).toBeCloseTo(logLoss, 6)
    expect(scores.brier).toBeCloseTo(brier, 6)
    expect(scores.calibrationError).toBeCloseTo(calibrationError, 6)
    expect(scores.macro?.averagePrecision).toBeCloseTo(macro.averagePrecision, 6)
    expect(scores.macro?.rocAuc).toBeCloseTo(macro.rocAuc, 6)
    expect(scores.thresholds?.bestF1.logit).toBeNull()
  }
})

it('the cell detector on micrographs: 14,400 logits, many of them ties', () => {
  const bits = new Uint16Array(Uint8Array.from(Buffer.from(micrographs.logits, 'base64')).buffer)
  const targets = new Uint8Array(bits.length)
  for (const k of micrographs.positives) targets[k] = 1
  const found = evaluate(bits, targets, { loss: new SigmoidFocalLoss(), bins: micrographs.bins, dtype: 'bfloat16' })
  for (const kind of ['raw', 'recalibrated'] as const) {
    const [figures, expected] = [found[kind], micrographs[kind]]
    for (const name of ['averagePrecision', 'rocAuc', 'brier', 'logLoss', 'calibrationError'] as const) expect(figures[name], `${kind} ${name}`).toBeCloseTo(expected[name], 10)
    for (const name of ['f1', 'precision', 'recall', 'probability'] as const) expect(figures.thresholds?.bestF1[name], `${kind} ${name}`).toBeCloseTo(expected.bestF1[name], 10)
  }
})
