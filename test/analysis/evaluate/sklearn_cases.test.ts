/** `evaluate` against more figures of scikit-learn: weights, masks, absent classes, several classes. test/conformance/evaluation/cases.py made them. */
import { describe, expect, it } from 'vitest'
import { evaluate, type Figures, type ScalarFigures, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import facts from '../../conformance/evaluation/cases.json' with { type: 'json' }

const { bins } = facts
const scalars = ['averagePrecision', 'rocAuc', 'brier', 'logLoss', 'calibrationError'] as const
type Expected = Partial<Record<(typeof scalars)[number] | 'rate', number | null>>

/** `digits`: of a softmax, log-odds are kept as float32. */
function expectFigures(found: ScalarFigures & Partial<Figures>, expected: Expected, digits: number): void {
  for (const name of [...scalars, 'rate'] as const) {
    const value = expected[name]
    if (value === undefined) continue
    if (value === null) expect(found[name], name).toBeNull()
    else expect(found[name], name).toBeCloseTo(value, digits)
  }
}

const loss = new SigmoidFocalLoss()

describe.each(facts.binary)('one class, $name', ({ logits, targets, weights, mask, raw }) => {
  const x = Float32Array.from(logits)
  const call = { ...(weights && { weights }), ...(mask && { mask }) }

  it('has their figures', () => {
    expectFigures(evaluate(x, targets, { loss, bins, ...call }).raw, raw, 10)
  })

  it('has them whatever stands in logits and targets that are left out', () => {
    const isOut = (k: number) => mask?.[k] === 0 || weights?.[k] === 0
    const [otherLogits, otherTargets] = [x.map((each, k) => (isOut(k) ? 99 : each)), targets.map((each, k) => (isOut(k) ? 1 : each))]
    expectFigures(evaluate(otherLogits, otherTargets, { loss, bins, ...call }).raw, raw, 10)
  })

  it('has them with ignored targets in place of a mask', () => {
    const ignoring = new SigmoidFocalLoss({ ignoreIndex: -1 })
    const ignored = targets.map((each, k) => (mask?.[k] === 0 ? -1 : each))
    expectFigures(evaluate(x, ignored, { loss: ignoring, bins, ...(weights && { weights }) }).raw, raw, 10)
  })
})

it.each(facts.several)('$name: each class, all of them pooled, and the mean of those that have a figure', ({ logits, targets, weights, classes, pooled, macro }) => {
  const { raw } = evaluate(Float32Array.from(logits), targets, { loss, bins, shape: [logits.length / 4, 4], ...(weights && { weights }) })
  expect(raw.classes).toHaveLength(4)
  raw.classes.forEach((found, c) => {
    expectFigures(found, classes[c], 10)
  })
  expectFigures(raw, pooled, 10)
  expect(raw.macro).not.toBeNull()
  if (raw.macro !== null) expectFigures(raw.macro, macro, 10)
})

it.each(facts.softmax)('$name: each class against the rest, and the top label', ({ logits, targets, weights, classes, top }) => {
  const softmax = new SoftmaxFocalLoss({ gamma: 0 })
  const { raw } = evaluate(Float32Array.from(logits), Int32Array.from(targets), { loss: softmax, bins, ...(weights && { weights }) })
  raw.classes.forEach((found, c) => {
    expectFigures(found, classes[c], 6)
  })
  expect(raw.classes.map(({ averagePrecision }) => averagePrecision === null)).toEqual([false, false, false, true])
  expectFigures(raw, top, 6)
})
