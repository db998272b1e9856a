/** Labels and probabilities that are missing, or a rounding step away from 0 and 1: what every backend takes, and what it refuses. */
import { describe, expect, it } from 'vitest'
import { AsymmetricLoss, FocalStarLoss, HeatmapFocalLoss, type Numbers, presets, QualityFocalLoss, SigmoidFocalLoss, SoftmaxFocalLoss, VarifocalLoss } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import { bitsOf } from '../support/losses.js'

const missing = 'targets[2] is NaN; expected a number from 0 to 1 (ignoreIndex: NaN leaves targets that are NaN out)'
/** The float32 next to 1 from above. */
const aboveOne = 1.0000001192092896

describe.each(testedBackends())('%s', (backend) => {
  describe('NaN among targets', () => {
    const x = Float32Array.of(0.5, 0.5, 0.5)
    const options = { gamma: 2, alpha: null, backend } as const
    const arrays: readonly [string, Numbers][] = [
      ['a plain array', [0, 1, NaN]],
      ['float32', Float32Array.of(0, 1, NaN)],
      ['float64', Float64Array.of(0, 1, NaN)],
    ]

    it.each(arrays)('is an error without ignoreIndex, %s', (_, targets) => {
      const grad = Float32Array.of(7, 7, 7)
      expect(() => new SigmoidFocalLoss(options).valueAndGrad(x, targets, { grad })).toThrow(new RangeError(missing))
      expect(() => new SigmoidFocalLoss({ ...options, ignoreIndex: -1 }).value(x, targets)).toThrow('or ignoreIndex -1')
      expect([...grad]).toEqual([7, 7, 7])
      // Masked, it is nobody's label
      expect(new SigmoidFocalLoss(options).value(x, targets, { mask: [1, 1, 0] })).toBeCloseTo(0.22249255, 7)
    })

    it.each(arrays)('counts nowhere where ignoreIndex is NaN, %s', (_, targets) => {
      const loss = new SigmoidFocalLoss({ ...options, ignoreIndex: NaN })
      const { value, grad, hess } = loss.valueGradAndHess(x, targets)
      expect(value).toBeCloseTo(0.22249255, 7)
      expect([grad[2], hess[2]]).toEqual([0, 0])
      expect(grad[0]).toBeGreaterThan(0)
      expect(loss.sums(x, targets)).toMatchObject({ elements: 2, rows: 2, positives: 1 })
      expect(loss.accumulator().add(x, targets).value).toBeCloseTo(value, 6)
      expect(loss.explain(x, targets).losses[0].all.count).toBe(2)
    })

    it('on other threads, too', async () => {
      const loss = new SigmoidFocalLoss({ ...options, ignoreIndex: NaN })
      const many = Float32Array.from({ length: 20_000 }, (_, k) => Math.sin(k))
      const targets = Float32Array.from(many, (_, k) => (k % 5 === 0 ? NaN : k % 3 === 0 ? 1 : 0.25))
      const expected = loss.valueAndGrad(many, targets)
      const { value, grad } = await loss.valueAndGradAsync(many, targets)
      expect([value, bitsOf(grad)]).toEqual([expected.value, bitsOf(expected.grad)])
      const labels = targets.map((y) => (Number.isNaN(y) ? 0 : y))
      const mask = Uint8Array.from(targets, (y) => Number(!Number.isNaN(y)))
      const masked = new SigmoidFocalLoss(options).valueAndGrad(many, labels, { mask })
      expect([masked.value, bitsOf(masked.grad)]).toEqual([expected.value, bitsOf(expected.grad)])
    }, 30_000)

    it('leaves rows of class indices out', () => {
      const logits = Float64Array.of(2, 1, 0, 0, 1, 2)
      for (const Loss of [SigmoidFocalLoss, SoftmaxFocalLoss]) {
        const loss = new Loss({ ignoreIndex: NaN, reduction: 'sum', backend })
        const call = { shape: [2, 3], targetKind: 'class-index' } as const
        const { value, grad } = loss.valueAndGrad(logits, Float32Array.of(1, NaN), call)
        expect(value).toBeCloseTo(new Loss({ reduction: 'sum', backend }).value(logits.slice(0, 3), Int32Array.of(1)), 12)
        expect([...grad.slice(3)]).toEqual([0, 0, 0])
        expect(loss.value(logits, [1, NaN], { shape: [2, 3] })).toBe(value)
        expect(() => new Loss({ backend }).value(logits, [1, NaN], { shape: [2, 3] })).toThrow('targets[1] is NaN; expected an integer, the index of a class')
      }
    })

    it('leaves whole rows of a softmax out, and is an error in a part of one', () => {
      const logits = Float64Array.of(1, 2, 3, 4)
      const loss = new SoftmaxFocalLoss({ ignoreIndex: NaN, backend })
      const call = { shape: [2, 2] }
      const { value, grad } = loss.valueAndGrad(logits, Float32Array.of(0.5, 0.5, NaN, NaN), call)
      expect(value).toBeCloseTo(new SoftmaxFocalLoss({ backend }).value(logits.slice(0, 2), [0.5, 0.5], { shape: [1, 2] }), 12)
      expect([...grad.slice(2)]).toEqual([0, 0])
      expect(loss.sums(logits, [0.5, 0.5, NaN, NaN], call)).toMatchObject({ rows: 1, elements: 2, positives: 2 })
      // Along another axis
      expect(loss.value(Float64Array.of(1, 3, 2, 4), [0.5, NaN, 0.5, NaN], { ...call, classAxis: 0 })).toBe(value)
      const part = new RangeError('targets[2] is NaN; expected a number from 0 to 1, or NaN in all of its row, which is then ignored')
      expect(() => loss.value(logits, [0.5, 0.5, NaN, 0], call)).toThrow(part)
      expect(loss.value(logits, [0.5, 0.5, NaN, 0], { ...call, mask: [1, 0] })).toBe(value)
      expect(() => new SoftmaxFocalLoss({ backend }).value(logits, [0.5, 0.5, NaN, NaN], call)).toThrow(RangeError)
    })

    it('among logits still comes through', () => {
      expect(new SigmoidFocalLoss(options).value(Float32Array.of(NaN, 1), [0, 1])).toBeNaN()
      expect(new SoftmaxFocalLoss({ backend }).value(Float32Array.of(NaN, 1), Int32Array.of(1))).toBeNaN()
    })
  })

  describe('a rounding step outside of [0, 1]', () => {
    it('a label counts as 0 or 1', () => {
      const x = Float64Array.of(2, -1, 0.5)
      for (const Loss of [QualityFocalLoss, SigmoidFocalLoss, FocalStarLoss, VarifocalLoss, HeatmapFocalLoss, AsymmetricLoss]) {
        const loss = new Loss({ reduction: 'sum', backend })
        const exact = loss.valueGradAndHess(x, [1, 0, 1])
        for (const targets of [Float32Array.of(aboveOne, -1e-7, aboveOne), Float64Array.of(1 + 9e-7, -9e-7, 1)]) {
          expect(loss.valueGradAndHess(x, targets)).toEqual(exact)
          // Labels that are not all 0 and 1 have another formula, which may differ in the last bit
          const { value, grad } = loss.valueAndGrad(x, targets)
          expect(value).toBeCloseTo(exact.value, 12)
          grad.forEach((each, k) => expect(each).toBeCloseTo(exact.grad[k], 12))
          expect(loss.sums(x, targets)).toEqual({ ...loss.sums(x, [1, 0, 1]), sum: value })
        }
      }
      expect(new QualityFocalLoss({ backend }).value(Float64Array.of(2), Float32Array.of(aboveOne))).toBeCloseTo(0.0018035628, 10)
      const softmax = new SoftmaxFocalLoss({ backend })
      const row = { shape: [1, 3] }
      expect(softmax.valueAndGrad(x, Float32Array.of(aboveOne, -1e-7, 0), row)).toEqual(softmax.valueAndGrad(x, Float32Array.of(1, 0, 0), row))
    })

    it('beyond 1e-6 it is an error, and a call of which the one is masked or ignored is none', () => {
      const x = Float64Array.of(2, -1)
      const loss = new QualityFocalLoss({ ignoreIndex: 255, backend })
      expect(() => loss.value(x, Float32Array.of(1, 1.0000011920928955))).toThrow('targets[1] is 1.0000011920928955; expected a number from 0 to 1')
      expect(() => loss.value(x, [-1.1e-6, 1])).toThrow('targets[0] is -0.0000011; expected a number from 0 to 1')
      expect(() => loss.value(x, [aboveOne, 2])).toThrow('targets[1] is 2')
      const alone = loss.value(x.slice(0, 1), [1])
      expect(loss.value(x, [aboveOne, 255])).toBeCloseTo(alone, 12)
      expect(loss.value(x, [aboveOne, 7], { mask: [1, 0] })).toBeCloseTo(alone, 12)
    })

    it('a probability counts as 0 or 1; in half precision within two units in the last place', () => {
      const loss = new SigmoidFocalLoss({ inputs: 'probabilities', reduction: 'none', backend })
      expect(loss.valueAndGrad(Float32Array.of(aboveOne, -1e-7), [1, 0])).toEqual(loss.valueAndGrad(Float32Array.of(1, 0), [1, 0]))
      expect(() => loss.value(Float32Array.of(1.00001), [1])).toThrow("logits[0] is 1.0000100135803223; expected a number from 0 to 1, as inputs is 'probabilities'")
      const bits = { float16: [0x3c00, 0x3c02, 0x3c03], bfloat16: [0x3f80, 0x3f82, 0x3f83] } as const
      for (const dtype of ['float16', 'bfloat16'] as const) {
        const [one, two, three] = bits[dtype]
        expect(loss.valueAndGrad(Uint16Array.of(two), [1], { dtype })).toEqual(loss.valueAndGrad(Uint16Array.of(one), [1], { dtype }))
        expect(() => loss.value(Uint16Array.of(three), [1], { dtype })).toThrow(RangeError)
      }
      expect([...loss.toProbability(Float64Array.of(1 + 5e-7))]).toEqual([1])
      expect(() => loss.toProbability(Float64Array.of(1.1))).toThrow('logits[0] is 1.1')
    })
  })

  describe('rows of probabilities', () => {
    const off = Float64Array.of(0.2, 0.8, 0.99, 0.01, 0.5, 0.4)
    const three = { shape: [3, 2] }
    const options = { inputs: 'probabilities', backend } as const

    it('whose sum is off are an error with the row and the sum', () => {
      const loss = new SoftmaxFocalLoss(options)
      const message = "row 2 of logits has the sum 0.9; expected the sum 1, within 0.001 (renormalize: true divides rows by theirs), as inputs is 'probabilities'"
      expect(() => loss.value(off, Int32Array.of(0, 1, 1), three)).toThrow(new RangeError(message))
      expect(() => loss.value(Float64Array.of(0.2, 0.99, 0.5, 0.8, 0.01, 0.4), Int32Array.of(0, 1, 1), { shape: [2, 3], classAxis: 0 })).toThrow(message)
      expect(() => loss.value(off, [1, 0, 1, 0, 1, 0], three)).toThrow(message)
      expect(() => loss.value(off, Int32Array.of(0, 1, 1), { shape: [3, 2], weights: [1, 1, 0] })).toThrow(message)
      expect(() => loss.toProbability(off, three)).toThrow(message)
      expect(loss.value(off, Int32Array.of(0, 1, 1), { ...three, mask: [1, 1, 0] })).toBeGreaterThan(0)
      expect(new SoftmaxFocalLoss({ ...options, ignoreIndex: -1 }).value(off, Int32Array.of(0, 1, -1), three)).toBeGreaterThan(0)
      expect(loss.value(Float64Array.of(0.5, 0.5009), Int32Array.of(0))).toBeGreaterThan(0)
      expect(() => loss.value(Float64Array.of(0.5, 0.5011), Int32Array.of(0))).toThrow('row 0 of logits has the sum 1.0011')
      expect(loss.value(Float64Array.of(NaN, 0.5), Int32Array.of(0))).toBeNaN()
    })

    it('in half precision are off by two units in the last place', () => {
      const loss = new SoftmaxFocalLoss(options)
      // 0.5 and 0.5015 in float16
      expect(loss.value(Uint16Array.of(0x3800, 0x3803), Int32Array.of(0), { dtype: 'float16' })).toBeGreaterThan(0)
      expect(() => loss.value(Uint16Array.of(0x3800, 0x3805), Int32Array.of(0), { dtype: 'float16' })).toThrow('within 0.001953125')
    })

    it('are divided by their sums as Keras does', () => {
      const loss = new SoftmaxFocalLoss({ ...presets.kerasCategorical, ...options, reduction: 'sum' })
      const p = Float64Array.of(0.99, 0.5, 0.5)
      const { value, grad } = loss.valueAndGrad(p, Int32Array.of(0))
      expect(value).toBeCloseTo(0.0440762212, 9)
      // The loss does not change with the row's scale, so the gradient is across the row
      expect(grad.reduce((sum, g, k) => sum + g * p[k], 0)).toBeCloseTo(0, 12)
      const step = 1e-6
      p.forEach((_, k) => {
        const at = (by: number) => loss.value(p.map((each, j) => (j === k ? each + by : each)), Int32Array.of(0))
        expect(grad[k]).toBeCloseTo((at(step) - at(-step)) / (2 * step), 8)
      })
      const half = p.map((each) => each / 2)
      expect(loss.value(half, Int32Array.of(0))).toBeCloseTo(value, 12)
      expect(loss.valueAndGrad(half, [0.5, 0.25, 0.25], { shape: [3, 1], classAxis: 0 }).grad.reduce((sum, g, k) => sum + g * half[k], 0)).toBeCloseTo(0, 12)
      expect(() => loss.value(new Float64Array(3), Int32Array.of(0))).toThrow("row 0 of logits has the sum 0; expected a sum above 0, as inputs is 'probabilities'")
      // At a probability of 0 the gradient is as far as the type reaches, and no further
      const [edge, plain] = [backend, 'js' as const].map((on) =>
        new SoftmaxFocalLoss({ renormalize: true, ...options, backend: on }).valueAndGrad(Float64Array.of(0, 0.05, 0.05), [0.5, 0.25, 0.25], { shape: [1, 3], normalizer: 3 }),
      )
      expect(edge.grad[0] / plain.grad[0]).toBeCloseTo(1, 12)
      // Logits have no sum to be divided by
      expect(new SoftmaxFocalLoss({ ...presets.kerasCategorical, backend }).value(p.map(Math.log), Int32Array.of(0))).toBeCloseTo(value, 12)
    })
  })

  describe('peaks of a heatmap', () => {
    const x = Float32Array.of(2, -1, -3)
    const stored = Float32Array.of(0.9995, 0.6, 0)

    it('that are no 1 are none by default, which positives shows, and count from positiveFrom on', () => {
      expect(new HeatmapFocalLoss({ backend }).sums(x, stored).positives).toBe(0)
      const loss = new HeatmapFocalLoss({ positiveFrom: 0.999, backend })
      const exact = new HeatmapFocalLoss({ backend })
      expect(loss.valueAndGrad(x, stored)).toEqual(exact.valueAndGrad(x, Float32Array.of(1, 0.6, 0)))
      expect(loss.valueGradAndHess(x, stored)).toEqual(exact.valueGradAndHess(x, Float32Array.of(1, 0.6, 0)))
      expect(loss.sums(x, stored)).toEqual(exact.sums(x, Float32Array.of(1, 0.6, 0)))
      expect(loss.explain(x, stored).losses[0].positives.count).toBe(1)
      expect(loss.options.positiveFrom).toBe(0.999)
    })

    it('are compared in the type of the targets', () => {
      const loss = new HeatmapFocalLoss({ positiveFrom: 0.9, backend })
      for (const targets of [Float32Array.of(0.9, 0.6, 0), Float64Array.of(0.9, 0.6, 0)]) expect(loss.sums(x, targets).positives).toBe(1)
      expect(loss.sums(x, Uint8Array.of(1, 0, 0)).positives).toBe(1)
      expect(loss.sums(x, Int32Array.of(2), { shape: [1, 3] }).positives).toBe(1)
    })
  })
})

it('a least peak is above 0, and at most 1', () => {
  expect(() => new HeatmapFocalLoss({ positiveFrom: 0 })).toThrow(new RangeError('positiveFrom is 0; expected a number from 0.0001 to 1'))
  expect(() => new HeatmapFocalLoss({ positiveFrom: 1.5 })).toThrow(RangeError)
  expect(() => new SoftmaxFocalLoss({ renormalize: 1 as unknown as boolean })).toThrow(new TypeError('renormalize is 1; expected true or false'))
})
