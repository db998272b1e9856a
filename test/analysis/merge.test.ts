/** Parts of the data, each explained and evaluated alone and merged through JSON, against the whole. */
import { describe, expect, it } from 'vitest'
import { evaluate, evaluator, type EvaluatorState, type ExplainerState, fitTemperature, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { expectClose } from '../support/explanations.js'
import { lossOf } from '../support/losses.js'
import { seeded } from '../support/random.js'
import { thrownBy } from '../support/thrown.js'

const throughJson = <T>(value: T) => JSON.parse(JSON.stringify(value)) as T

const random = seeded(8)
const [rows, classes] = [30_000, 3]
const targets = Int32Array.from({ length: rows }, () => random.integer(classes))
const logits = Float32Array.from({ length: rows * classes }, (_, k) => 3 * random.normal() + (k % classes === targets[Math.floor(k / classes)] ? 2 : -1))
const weights = Float32Array.from({ length: rows }, () => 0.5 + random())
const ends = [0, 100, 100, 9000, 20_000, rows]
const parts = ends.slice(1).map((end, i) => {
  const from = ends[i]
  return [logits.subarray(from * classes, end * classes), targets.subarray(from, end), { weights: weights.subarray(from, end) }] as const
})

describe.each(['SigmoidFocalLoss', 'SoftmaxFocalLoss'] as const)('%s', (name) => {
  const loss = lossOf(name, {})

  it('merged evaluations are that of the whole', () => {
    const temperature = fitTemperature(logits, targets, { loss, weights })
    const whole = evaluate(logits, targets, { loss, temperature, weights })
    const states = parts.map(([x, y, call]) => throughJson(evaluator({ loss, temperature }).add(x, y, call).state()))
    const merged = evaluator({ loss, temperature }).merge(...states).result()
    expectClose(merged, whole, 1e-12)
    expect(merged.warnings).toEqual(whole.warnings)
    expect(merged.warnings).toHaveLength(1)
    // Two levels, and in any order
    const twice = evaluator({ loss, temperature }).merge(states[4], evaluator({ loss, temperature }).merge(states[3], states[0]).state(), states[2])
    expectClose(twice.result(), whole, 1e-12)
    expect(JSON.stringify(twice.state()).length).toBeLessThan(6e6)
  }, 30_000)

  it('unweighted ones are so to the bit, but for the sums of a softmax', () => {
    const states = parts.map(([x, y]) => throughJson(evaluator({ loss }).add(x, y).state()))
    const [merged, whole] = [evaluator({ loss }).merge(...states), evaluator({ loss }).add(logits, targets)]
    if (name === 'SigmoidFocalLoss') expect(merged.result()).toEqual(whole.result())
    expectClose(merged.result(), whole.result(), 1e-12)
  }, 30_000)

  it('merged explanations are that of the whole, classes and hardest examples too', () => {
    const options = { gammas: [0, 2], hardest: 20, perClass: true }
    const whole = loss.explain(logits, targets, { ...options, weights })
    const states = parts.map(([x, y, call]) => throughJson(loss.explainer(options).add(x, y, call).state()))
    const merged = loss.explainer(options).merge(...states).result()
    expectClose(merged, whole, 1e-12)
    expect(merged.losses[0].hardest).toEqual(whole.losses[0].hardest)
  }, 30_000)

  it('the totals of classes are those of each class alone', () => {
    const { losses } = loss.explain(logits, targets, { perClass: true, weights })
    const [{ all, classes: each = [] }] = losses
    expect(each).toHaveLength(classes)
    expect(each.reduce((sum, { all: { count } }) => sum + count, 0)).toBe(all.count)
    expect(each.reduce((sum, { all: { lossShare } }) => sum + lossShare, 0)).toBeCloseTo(1, 9)
    expect(each[1].positives.count).toBe(targets.filter((c) => c === 1).length)
    // The others are masked out
    const isOther = (k: number) => (name === 'SigmoidFocalLoss' ? k % classes !== 1 : targets[Math.floor(k / classes)] !== 1)
    const mask = name === 'SigmoidFocalLoss' ? logits.map((_, k) => (isOther(k) ? 0 : 1)) : Float32Array.from(targets, (c) => (c === 1 ? 1 : 0))
    const alone = loss.explain(logits, targets, { weights, mask }).losses[0]
    for (const of of ['all', 'positives', 'negatives'] as const) {
      expect(each[1][of].count).toBe(alone[of].count)
      for (const field of ['loss', 'gradient', 'effectiveCount'] as const) expect(each[1][of][field] / (alone[of][field] || 1)).toBeCloseTo(alone[of][field] === 0 ? 0 : 1, 6)
    }
  }, 30_000)
})

it('an infinite log loss goes through JSON', () => {
  const loss = new SoftmaxFocalLoss()
  const state = throughJson(evaluator({ loss }).add(Float32Array.of(Infinity, 0), Int32Array.of(1)).state())
  expect(evaluator({ loss }).merge(state).result().raw.logLoss).toBe(Infinity)
})

it('nothing adds nothing', () => {
  const loss = new SigmoidFocalLoss()
  const empty = evaluator({ loss })
  expect(evaluator({ loss }).merge(empty.state()).result()).toEqual(empty.result())
  const explainer = loss.explainer()
  expect(loss.explainer().merge(explainer.state()).result()).toEqual(explainer.result())
})

describe('what is refused, and leaves no trace', () => {
  const loss = new SigmoidFocalLoss()
  const other = new SigmoidFocalLoss({ gamma: 1 })
  const one = evaluator({ loss }).add(Float32Array.of(1, 2), [0, 1]).state()
  const two = evaluator({ loss }).add(Float32Array.of(1, 2), [0, 1], { shape: [1, 2] }).state()
  const explained = loss.explainer({ perClass: true }).add(Float32Array.of(1, 2), [0, 1]).state()
  const named = ({ options: { reduction: _reduction, backend: _backend, ...others } }: SigmoidFocalLoss) => JSON.stringify({ name: 'sigmoid', ...others })
  const refusals: readonly [string, () => unknown, string][] = [
    ['nothing', () => evaluator({ loss }).merge(null as never), 'TypeError: part is null; expected an object with options'],
    ['a state of the other kind', () => evaluator({ loss }).merge(explained as never), "TypeError: part.kind is 'explanation'; expected 'evaluation', as state() returns it"],
    ['another version', () => evaluator({ loss }).merge({ ...one, version: 2 } as never), 'RangeError: part.version is 2; expected 1'],
    ['another loss', () => evaluator({ loss: other }).merge(one), `RangeError: part is of the loss ${named(loss)}; expected ${named(other)}`],
    ['another temperature', () => evaluator({ loss, temperature: 2 }).merge(one), 'RangeError: part is of the temperature null; expected [2]'],
    ['other classes', () => evaluator({ loss }).merge(one, two), 'RangeError: part has 2 classes; expected 1, as before'],
    ['other options', () => loss.explainer({ perClass: true, bins: [0, 1] }).merge(explained), 'RangeError: part was made with {"compared":[{"gamma":2,"alpha":0.25}],"edges":[0,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,0.99,0.999,1],"hardest":10,"perClass":true}; expected {"compared":[{"gamma":2,"alpha":0.25}],"edges":[0,1],"hardest":10,"perClass":true}'],
    ['other classes to explain', () => loss.explainer({ perClass: true }).add(Float32Array.of(1, 2), [0, 1], { shape: [1, 2] }).merge(explained), 'RangeError: part has 1 class; expected 2, as before'],
  ]
  it.each(refusals)('%s', async (_, run, message) => {
    expect(String(await thrownBy(run))).toBe(message)
  })

  describe('a part that is damaged', () => {
    /** With the value at a path taken by another. */
    const damaged = <T>(state: T, path: string, value: unknown): T => {
      const copy = throughJson(state)
      const names = path.split('.')
      let at = copy as Record<string, unknown>
      for (const name of names.slice(0, -1)) at = at[name] as Record<string, unknown>
      at[names[names.length - 1]] = value
      return copy
    }
    const softmax = new SoftmaxFocalLoss()
    const row = evaluator({ loss: softmax }).add(Float32Array.of(1, 2), Int32Array.of(1)).state()
    const damages: readonly [string, () => unknown, string][] = [
      ...(
        [
          ['from0To1', null, 'TypeError: part.from0To1 is null; expected true or false'],
          ['examples', null, 'TypeError: part.examples is null; expected an object with options'],
          ['examples.classes', [], 'RangeError: part.examples.classes is an array of length 0; expected an array of 1 histograms, one for each class'],
          ['examples.classes.0.level', 40, 'RangeError: part.examples.classes[0].level is 40; expected an integer from 0 to 31'],
          ['examples.classes.0.keys', 'AAAA', "TypeError: part.examples.classes[0].keys is 'AAAA'; expected an array of integers >= 0, which add up to fewer than 2^32"],
          ['examples.classes.0.keys.1', -3, 'RangeError: part.examples.classes[0].keys[1] is -3; expected integers >= 0, which add up to fewer than 2^32'],
          ['examples.classes.0.keys.1', 2 ** 31, 'RangeError: part.examples.classes[0].keys is an array of length 2; expected integers that add up to fewer than 2^32'],
          ['examples.classes.0.positives', [1], 'RangeError: part.examples.classes[0].positives is an array of length 1; expected an array of 2 finite numbers >= 0'],
          ['examples.classes.0.negatives.0', null, 'RangeError: part.examples.classes[0].negatives[0] is null; expected finite numbers >= 0'],
          ['examples.classes.0.counts', [0, 1], 'RangeError: part.examples.classes[0].counts[0] is 0; expected finite numbers > 0'],
        ] as const
      ).map(([path, value, message]) => [path, () => evaluator({ loss }).merge(damaged(one, path, value)), message] as [string, () => unknown, string]),
      ['a softmax without its top labels', () => evaluator({ loss: softmax }).merge(damaged(row, 'examples.raw.top', undefined)), 'TypeError: part.examples.raw.top is undefined; expected an object with options'],
      ['a softmax with a sum that is none', () => evaluator({ loss: softmax }).merge(damaged(row, 'examples.recalibrated.brier', '1')), "RangeError: part.examples.recalibrated.brier is '1'; expected a finite number >= 0"],
      ...(
        [
          ['rows', -1, 'RangeError: part.rows is -1; expected an integer >= 0'],
          ['tallies', [], 'RangeError: part.tallies is an array of length 0; expected an array of 1 sums, for each loss compared'],
          ['tallies.0.groups', [1, 2], 'RangeError: part.tallies[0].groups is an array of length 2; expected an array of 100 finite numbers >= 0'],
          ['tallies.0.slots.0', 40_000, 'RangeError: part.tallies[0].slots[0] is 40000; expected integers from 0 to 32767'],
          ['tallies.0.losses', [], 'RangeError: part.tallies[0].losses is an array of length 0; expected an array of 2 finite numbers >= 0'],
          ['tallies.0.hardest.0', {}, 'RangeError: part.tallies[0].hardest[0] is an object; expected examples'],
        ] as const
      ).map(([path, value, message]) => [path, () => loss.explainer({ perClass: true }).merge(damaged(explained, path, value)), message] as [string, () => unknown, string]),
    ]
    it.each(damages)('%s', async (_, run, message) => {
      expect(String(await thrownBy(run))).toBe(message)
    })
  })

  it('two parts of which the second is refused', () => {
    const some = evaluator({ loss })
    const states: EvaluatorState[] = [one, two]
    expect(() => some.merge(...states)).toThrow(RangeError)
    expect(some.result()).toEqual(evaluator({ loss }).result())
    const explainer = loss.explainer({ perClass: true })
    const parts: ExplainerState[] = [explained, { ...explained, classes: 2 }]
    expect(() => explainer.merge(...parts)).toThrow(RangeError)
    expect(explainer.result()).toEqual(loss.explainer({ perClass: true }).result())
  })
})
