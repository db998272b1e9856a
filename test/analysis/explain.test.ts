/** `explain` against lists of all losses, sorted and added up plainly; on every backend, in chunks and whole. */
import { describe, expect, it } from 'vitest'
import { type Explanation, type FocalResolved, type Logits, presets, SigmoidFocalLoss, type SigmoidFocalOptions, SoftmaxFocalLoss } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import { type Case, curveErrors, examplesOf, explainPlainly, numbersOf } from '../support/explanations.js'
import { lossNames, lossOf } from '../support/losses.js'
import { randomProblems } from '../support/problems.js'
import { seeded } from '../support/random.js'
import { thrownBy } from '../support/thrown.js'

const defaultEdges = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 0.999, 1]

/** Every number within `tolerance` of the other's, relative to the larger, and everything else equal. */
function expectClose(actual: object, expected: object, tolerance: number): void {
  const [came, wanted] = [numbersOf(actual), numbersOf(expected)]
  expect([...came.keys()].join()).toBe([...wanted.keys()].join())
  // A p_t is 1 less a distance, with the rounding of 1
  const isClose = (a: number, b: number) => a === b || Math.abs(a - b) < Math.max(4e-16, tolerance * Math.max(Math.abs(a), Math.abs(b)))
  const off = [...wanted].filter(([name, value]) => !isClose(value, came.get(name) ?? NaN))
  expect(off.map(([name, value]) => `${name}: ${came.get(name)}, expected ${value}`)).toEqual([])
}

describe.each(testedBackends())('%s', (backend) => {
  it('agrees with sorted lists on random problems of every kind', async () => {
    const seen = { explained: 0, refused: 0, notFinite: 0, rows: 0, soft: 0, hard: 0 }
    for (const { name, options: given, logits, targets, call, dense } of randomProblems(400, 11)) {
      const options = { ...given, backend }
      const loss = lossOf(name, options)
      const one: Case = { name, options, logits, targets, dense, ...call }
      const { shape, targetKind, weights, mask } = call
      const explain = () => loss.explain(logits, targets, { shape, classAxis: 1, targetKind, weights, mask, hardest: 7 })
      const refusal = String(await thrownBy(() => loss.sums(logits, targets, { shape, classAxis: 1, targetKind, weights, mask })))
      if (refusal !== 'nothing was thrown') {
        seen.refused++
        expect(String(await thrownBy(explain))).toBe(refusal)
        continue
      }
      const examples = examplesOf(one)
      if (examples.some((each) => !Number.isFinite(each.loss))) {
        seen.notFinite++
        expect(String(await thrownBy(explain))).toMatch(/^RangeError: the loss of (row \d+|logits\[\d+\]) is (NaN|Infinity); expected a finite number/)
        continue
      }
      // An infinite logit has no p_t in plain arithmetic; weight 0 may have hidden its loss
      if (examples.some(({ positive, probability }) => positive && Number.isNaN(probability))) continue
      const explanation = explain()
      const [{ curves, gamma, alpha, ...others }] = explanation.losses
      expect({ example: explanation.example, gamma, alpha }).toEqual({
        example: name === 'SoftmaxFocalLoss' ? 'row' : 'element',
        gamma: (loss.options as Partial<FocalResolved>).gamma,
        alpha: (loss.options as Partial<FocalResolved>).alpha,
      })
      expectClose(others, explainPlainly(examples, defaultEdges, 7), 1e-9)
      for (const side of ['positives', 'negatives'] as const) {
        const group = examples.filter(({ positive }) => positive === (side === 'positives'))
        if (group.length === 0) expect(curves[side]).toEqual([])
        else {
          expect(curves[side][0]).toEqual({ examples: 0, loss: 0 })
          expect(curves[side].at(-1)?.examples).toBe(1)
          const { off, step } = curveErrors(curves[side], group)
          expect(off).toBeLessThan(1e-9)
          expect(step).toBeLessThan(1 / 200)
        }
      }
      seen.explained++
      if (explanation.example === 'row') seen.rows++
      if (dense) seen.soft++
      seen.hard += others.hardest.length
    }
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0)
    expect(seen.explained).toBeGreaterThan(300)
  }, 60_000)

  it.each(lossNames.filter((name) => !name.startsWith('S')))('%s agrees with sorted lists', (name) => {
    const random = seeded(6)
    const shape: [number, number, number] = [300, 4, 1]
    const logits = Float32Array.from({ length: 1200 }, () => random.normal() * 3)
    const targets = Float32Array.from({ length: 1200 }, () => random.pick([0, 0, 0, 1, random()]))
    const loss = lossOf(name, { backend })
    const { gamma, alpha, curves, ...others } = loss.explain(logits, targets, { shape, classAxis: 1, hardest: 5 }).losses[0]
    const { gamma: ownGamma, alpha: ownAlpha } = loss.options as { gamma?: number; alpha?: number | null }
    expect({ gamma, alpha }).toEqual({ gamma: ownGamma, alpha: ownAlpha })
    const examples = examplesOf({ name, options: { backend }, logits, targets, shape, dense: true })
    expectClose(others, explainPlainly(examples, defaultEdges, 5), 1e-9)
    expect(others.positives.count).toBe(lossOf(name, { backend }).sums(logits, targets).positives)
    expect(curveErrors(curves.negatives, examples.filter(({ positive }) => !positive)).off).toBeLessThan(1e-9)
  })

  it('compares many gammas and alphas as that many losses would', () => {
    const random = seeded(2)
    const logits = Float32Array.from({ length: 40_000 }, () => random.normal() * 3 - 2)
    const targets = Int32Array.from({ length: 500 }, () => random.integer(81))
    const loss = new SigmoidFocalLoss({ background: 80, classWeights: 2, backend })
    const { losses } = loss.explain(logits, targets, { gammas: [0, 0.5, 2], alphas: [null, 0.25] })
    expect(losses.map(({ alpha, gamma }) => [alpha, gamma])).toEqual([[null, 0], [null, 0.5], [null, 2], [0.25, 0], [0.25, 0.5], [0.25, 2]])
    for (const { alpha, gamma, ...one } of losses) {
      const alone = new SigmoidFocalLoss({ background: 80, classWeights: 2, gamma, alpha, reduction: 'sum', backend })
      expect(alone.explain(logits, targets)).toEqual({ example: 'element', losses: [{ gamma, alpha, ...one }] })
      const { sum, elements, positives } = alone.sums(logits, targets)
      expect(one.all.loss / sum).toBeCloseTo(1, 6)
      expect([one.all.count, one.positives.count]).toEqual([elements, positives])
    }
  })

  it.each(['SigmoidFocalLoss', 'SoftmaxFocalLoss'] as const)('%s: chunks amount to the whole', (name) => {
    const random = seeded(3)
    const rows = 3000
    const logits = Float32Array.from({ length: rows * 20 }, () => random.normal() * 4)
    const targets = Int16Array.from({ length: rows }, () => random.integer(22) - 1)
    const weights = Float32Array.from({ length: rows }, () => random())
    const loss = lossOf(name, { background: 20, ignoreIndex: -1, backend })
    const options = { gammas: [0, 2], hardest: 50 }
    const whole = loss.explain(logits, targets, { ...options, weights })
    const explainer = loss.explainer(options)
    for (let from = 0; from < rows; ) {
      const to = Math.min(rows, from + 1 + random.integer(700))
      explainer.add(logits.subarray(from * 20, to * 20), targets.subarray(from, to), { weights: weights.subarray(from, to) })
      from = to
    }
    // The sums are added up in the same order; a vector and a tail of one may differ in a last digit
    expectClose(explainer.result(), whole, backend === 'js' ? 1e-15 : 1e-6)
    expect(whole.losses[1].hardest).toHaveLength(50)
  })

  it('reads classes along any axis', () => {
    const random = seeded(4)
    const logits = Float64Array.from({ length: 2 * 3 * 7000 }, () => random.normal() * 3)
    const targets = Uint8Array.from({ length: 2 * 7000 }, () => random.integer(3))
    const last = new Float64Array(logits.length)
    for (let o = 0; o < 2; o++) for (let c = 0; c < 3; c++) for (let i = 0; i < 7000; i++) last[(o * 7000 + i) * 3 + c] = logits[(o * 3 + c) * 7000 + i]
    const sorted = (explanation: Explanation) => explanation.losses.map((one) => ({ ...one, hardest: one.hardest.toSorted((a, b) => a.row - b.row || a.class - b.class) }))
    for (const name of ['SigmoidFocalLoss', 'SoftmaxFocalLoss'] as const) {
      const loss = lossOf(name, { backend })
      expectClose(sorted(loss.explain(logits, targets, { shape: [2, 3, 70, 100], classAxis: 1 })), sorted(loss.explain(last, targets)), 1e-12)
    }
  })

  // Every anchor is background with p = 0.01, as in the first step of the paper: all p_t are 0.99, give or take a last digit
  it('gives the sums of the first step of the RetinaNet paper', () => {
    const [anchors, classes] = [100_000, 80]
    const [logits, targets] = [new Float32Array(anchors * classes).fill(-Math.log(99)), new Int32Array(anchors).fill(classes)]
    const explain = (options: SigmoidFocalOptions) =>
      new SigmoidFocalLoss({ ...presets.mmcv, ...options, backend }).explain(logits, targets, { bins: [0, 0.5, 0.98, 1] }).losses[0]
    const [crossEntropy, focal] = [explain(presets.crossEntropy), explain({})]
    expect(crossEntropy.all.loss).toBeCloseTo(80_402.69, 0)
    expect(crossEntropy.all.gradient / 8e4).toBeCloseTo(1, 5)
    expect(focal.all.loss).toBeCloseTo(6.03, 2)
    for (const { all, positives, negatives, bins, curves } of [crossEntropy, focal]) {
      expect(negatives).toEqual({ ...all, count: 8e6, lossShare: 1, gradientShare: 1 })
      expect(positives).toEqual({ count: 0, loss: 0, lossShare: 0, gradient: 0, gradientShare: 0, effectiveCount: 0 })
      // Equal losses: all of them count
      expect(all.effectiveCount / 8e6).toBeCloseTo(1, 9)
      expect(bins.map((bin) => bin.negatives.count)).toEqual([0, 0, 8e6])
      expect(curves).toEqual({ positives: [], negatives: [{ examples: 0, loss: 0 }, { examples: 1, loss: 1 }] })
    }
  }, 120_000)

  it('takes the p_t of a soft label as 1 - |y - p|, and the rows of a softmax as distributions', () => {
    const logit = (p: number) => Math.log(p / (1 - p))
    const edges = [0, 0.5, 0.75, 0.85, 1]
    const element = new SigmoidFocalLoss({ backend }).explain(Float64Array.from([0.9, 0.2, 0.6], logit), [0.7, 0.2, 0.4], { bins: edges })
    const [{ bins, positives, hardest }] = element.losses
    expect(positives.count).toBe(1)
    expect(bins.map((bin) => [bin.positives.count, bin.negatives.count])).toEqual([[0, 0], [0, 0], [1, 1], [0, 1]])
    const probabilityOf = (row: number) => hardest.find((one) => one.row === row)?.probability
    expect([0, 1, 2].map(probabilityOf)).toEqual([expect.closeTo(0.8, 12), expect.closeTo(1, 12), expect.closeTo(0.8, 12)])

    const softmax = new SoftmaxFocalLoss({ backend, labelSmoothing: 0.1 })
    const x = Float64Array.from([0.5, 0.3, 0.2, 0.5, 0.3, 0.2, 0.5, 0.3, 0.2], Math.log)
    const row = softmax.explain(x, [0, 1, 0, 0.5, 0.25, 0.25, 0, 0, 0], { shape: [3, 3] }).losses[0]
    // Smoothing gives the row without labels a loss, but no p_t
    expect([row.all.count, row.positives.count, row.negatives.count]).toEqual([3, 2, 1])
    expect(row.negatives.loss).toBeGreaterThan(0)
    expect(row.hardest.map((one) => [one.row, one.class, one.probability])).toEqual([
      [0, 1, expect.closeTo(0.3, 12)],
      [1, 0, expect.closeTo(0.95, 12)],
    ])
  })

  it('lists the hardest in a fixed order: by loss, then as they come', () => {
    const logits = new Float32Array(100).fill(0)
    logits[40] = logits[70] = 3
    const explain = (hardest: number) => new SigmoidFocalLoss({ backend }).explain(logits, new Uint8Array(100), { hardest }).losses[0].hardest
    expect(explain(4).map(({ row }) => row)).toEqual([40, 70, 0, 1])
    expect(explain(0)).toEqual([])
    expect(explain(1000)).toHaveLength(100)
  })

  it('is plain data, and zeros where there is nothing', () => {
    const loss = new SigmoidFocalLoss({ backend })
    const some = loss.explain(Float32Array.of(1, -2, 0), [1, 0, 0])
    expect(JSON.parse(JSON.stringify(some))).toEqual(some)
    const nothing = { count: 0, loss: 0, lossShare: 0, gradient: 0, gradientShare: 0 }
    const empty: Explanation = {
      example: 'element',
      losses: [
        {
          gamma: 2,
          alpha: 0.25,
          all: { ...nothing, effectiveCount: 0 },
          positives: { ...nothing, effectiveCount: 0 },
          negatives: { ...nothing, effectiveCount: 0 },
          bins: [{ from: 0, to: 0.5, positives: nothing, negatives: nothing }, { from: 0.5, to: 1, positives: nothing, negatives: nothing }],
          curves: { positives: [], negatives: [] },
          hardest: [],
        },
      ],
    }
    const none: Logits[] = [new Float32Array(0), new Float64Array(0)]
    for (const logits of none) expect(loss.explain(logits, [], { bins: 2 })).toEqual(empty)
    expect(loss.explainer({ bins: 2 }).result()).toEqual(empty)
    expect(loss.explain(Float32Array.of(1, 2), [1, 0], { bins: 2, mask: [0, 0] })).toEqual(empty)
    expect(new SoftmaxFocalLoss({ backend }).explain(new Float32Array(0), new Int32Array(3), { shape: [3, 0] }).losses[0].all.count).toBe(0)
    expect(loss.explain(new Float32Array(0), [], { perClass: true }).losses[0].classes).toEqual([])
  })

  it('has finite numbers where losses are tiny, huge or nothing', () => {
    const loss = new SigmoidFocalLoss({ gamma: 5, alpha: null, backend })
    for (const logits of [Float64Array.of(-400, -600, -1e9), Float32Array.of(3e38, -3e38, 1), Float64Array.of(1e150, -1e150, 0)]) {
      const numbers = [...numbersOf(loss.explain(logits, [0, 0, 0])).values()]
      expect(numbers.filter((each) => !Number.isFinite(each))).toEqual([])
      expect(loss.explain(logits, [0, 0, 0]).losses[0].curves.negatives.at(-1)?.examples).toBe(1)
    }
  })

  it('counts nothing of a chunk that it refuses', () => {
    const loss = new SigmoidFocalLoss({ backend })
    const explainer = loss.explainer({ gammas: [0, 2], alphas: [1, 0] })
    const logits = new Float32Array(50_000).fill(1)
    const targets = new Uint8Array(50_000)
    explainer.add(logits, targets)
    const before = explainer.result()
    logits[49_999] = Infinity
    expect(() => explainer.add(logits, targets)).toThrow(new RangeError('the loss of logits[49999] is Infinity; expected a finite number, to share the sum by'))
    targets[49_000] = 7
    expect(() => explainer.add(logits, targets)).toThrow(new RangeError('targets[49000] is 7; expected a number from 0 to 1'))
    expect(explainer.result()).toEqual(before)
  })
})
