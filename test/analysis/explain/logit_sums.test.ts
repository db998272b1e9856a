/** Explanations from moments of the logits against those that add up every loss, which weights of 1 bring about. */
import { describe, expect, it } from 'vitest'
import { evaluator, type ExplainerOptions, type Logits, SigmoidFocalLoss, SoftmaxFocalLoss, type Targets } from 'focal-loss'
import { curveErrors, examplesOf, numbersOf } from '../../support/explanations.js'
import { seeded } from '../../support/random.js'

const random = seeded(12)
const n = 80_000
const normal = (spread: number, middle: number) => Float32Array.from({ length: n }, () => spread * random.normal() + middle)
const labels = Uint8Array.from({ length: n }, () => (random() < 0.1 ? 1 : 0))
const classes = Int32Array.from({ length: n / 8 }, () => random.integer(8))
const all = { gammas: [0, 0.5, 1, 2, 3.3, 5, 7], alphas: [null, 0.25], perClass: true, hardest: 30 }

function expectAlike(loss: SigmoidFocalLoss | SoftmaxFocalLoss, logits: Logits, targets: Targets, options: ExplainerOptions, call: object, tolerance = 1e-9): void {
  const rows = 'classAxis' in call || targets.length < logits.length ? targets.length : logits.length
  const explained = loss.explain(logits, targets, { ...options, ...call })
  const each = loss.explain(logits, targets, { ...options, ...call, weights: new Float32Array(rows).fill(1) })
  const numbers = (of: typeof explained) => numbersOf(of.losses.map(({ curves: _, ...others }) => others))
  const [came, wanted] = [numbers(explained), numbers(each)]
  expect(came.size).toBe(wanted.size)
  const off = [...wanted].filter(([name, value]) => {
    const isCount = name.endsWith('count')
    const isOfClass = name.includes('classes.')
    return Math.abs((came.get(name) ?? NaN) - value) > (isCount ? 0 : (isOfClass ? 100 : 1) * tolerance * Math.abs(value))
  })
  expect(off.map(([name, value]) => `${name} is ${came.get(name)}, not ${value}`)).toEqual([])
}

describe('as if every loss were added up', { timeout: 60_000 }, () => {
  it.each([
    ['one class', normal(3, -2), { shape: [n, 1] }],
    ['eight classes', normal(3, -2), { shape: [n / 8, 8] }],
    ['classes before positions', normal(4, 0), { shape: [10, 8, n / 80], classAxis: 1 }],
    ['close together', normal(1e-4, -4.595), { shape: [n, 1] }],
    ['far beyond the slots', normal(80, 0), { shape: [n / 8, 8] }],
  ])('%s', (_, logits, call) => {
    expectAlike(new SigmoidFocalLoss(), logits, labels, all, { ...call, targetKind: 'labels' })
  })

  it('many bins, a mask, an ignored label, and indices', () => {
    const mask = Uint8Array.from({ length: n }, () => (random() < 0.9 ? 1 : 0))
    const some = Int8Array.from(labels, (label) => (random() < 0.05 ? -1 : label))
    expectAlike(new SigmoidFocalLoss({ ignoreIndex: -1 }), normal(2, 0), some, { gammas: [0, 2], bins: 3000 }, { targetKind: 'labels', mask })
    const indices = Int32Array.from(classes, (c) => (random() < 0.1 ? -1 : random() < 0.5 ? 8 : c))
    expectAlike(new SigmoidFocalLoss({ ignoreIndex: -1, background: 8, classWeights: 3 }), normal(2, 0), indices, all, {})
  })

  it('rows of a softmax, where some are background, some ignored and some masked', () => {
    const indices = Int32Array.from(classes, (c) => (random() < 0.1 ? -1 : random() < 0.5 ? 8 : c))
    const mask = Uint8Array.from(classes, () => (random() < 0.9 ? 1 : 0))
    expectAlike(new SoftmaxFocalLoss({ ignoreIndex: -1, background: 8, classWeights: 2 }), normal(3, 0), indices, { ...all, alphas: undefined }, { mask })
    expectAlike(new SoftmaxFocalLoss(), normal(30, 0), classes, { ...all, alphas: undefined }, {})
  })
})

it('every point of a curve is exact', { timeout: 60_000 }, () => {
  const logits = normal(3, -1)
  for (const gamma of [0, 2, 5]) {
    const { curves } = new SigmoidFocalLoss({ gamma }).explain(logits, labels).losses[0]
    const examples = examplesOf({ name: 'SigmoidFocalLoss', options: { gamma }, logits, targets: labels, shape: [n, 1, 1], dense: true })
    for (const side of ['positives', 'negatives'] as const) {
      const { off, step } = curveErrors(curves[side], examples.filter(({ positive }) => positive === (side === 'positives')))
      expect(off).toBeLessThan(1e-9)
      expect(step).toBeLessThan(1 / 200)
    }
  }
})

it('rows of equal logits are in the bin that begins with their p_t', () => {
  const loss = new SoftmaxFocalLoss()
  const ofRows = loss.explain(new Float32Array(200).fill(0.7), new Int32Array(100), { shape: [100, 2], bins: 2 }).losses[0].bins
  expect(ofRows.map(({ positives }) => positives.count)).toEqual([0, 100])
  const { bins } = new SigmoidFocalLoss().explain(new Float32Array(100), labels.subarray(0, 100), { bins: 2 }).losses[0]
  expect(bins[0].positives.count + bins[0].negatives.count).toBe(0)
})

it('a target that is none is named by its place, and nothing is counted', () => {
  const targets = classes.slice()
  targets[9_000] = 9
  const explainer = new SoftmaxFocalLoss().explainer()
  expect(() => explainer.add(normal(1, 0), targets)).toThrow('targets[9000] is 9; expected a class in 0..7')
  expect(explainer.result().losses[0].all.count).toBe(0)
})

it('a label above 1 is refused beside soft ones, which are as much too small', () => {
  const [logits, soft] = [Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 2]]
  const loss = new SigmoidFocalLoss()
  const explainer = loss.explainer()
  const message = 'targets[8] is 2; expected'
  expect(() => explainer.add(logits, soft)).toThrow(message)
  expect(explainer.result().losses[0].all.count).toBe(0)
  const scores = evaluator({ loss })
  expect(() => scores.add(logits, soft)).toThrow(message)
  expect(scores.result().raw.count).toBe(0)
})

it('parts amount to the whole', { timeout: 60_000 }, () => {
  const logits = normal(3, -2)
  const loss = new SigmoidFocalLoss()
  const whole = loss.explainer(all).add(logits, labels).result()
  const ends = [0, 10, 5000, 40_000, n]
  const states = ends.slice(1).map((end, i) => loss.explainer(all).add(logits.subarray(ends[i], end), labels.subarray(ends[i], end)).state())
  const merged = numbersOf(loss.explainer(all).merge(...states).result())
  for (const [name, value] of numbersOf(whole)) expect(Math.abs((merged.get(name) ?? NaN) - value), name).toBeLessThanOrEqual(1e-12 * Math.abs(value))
})
