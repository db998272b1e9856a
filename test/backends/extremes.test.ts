/** Logits at the ends of their range and beyond, alone and between ordinary ones, on every backend. */
import { AsymmetricLoss, type BackendName, type ElementwiseLoss, FocalStarLoss, type Logits, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { allowed, largestError } from '../support/closeness.js'
import {
  bitsOf,
  type ElementwiseName,
  elementwiseNames,
  elementwiseOf,
  hasOptions,
  logitsOf,
  ofPower,
  type OwnOptions,
  powersOf,
  type Precision,
  precisions,
  unbalanced,
} from '../support/losses.js'
import { seeded } from '../support/random.js'
import { balanced, elementTerms, type TermOptions } from '../support/terms.js'

const powers = [0, 0.5, 5]
const huge = 3e38
const smallest = { float32: 2 ** -149, float64: Number.MIN_VALUE } as const
/** Longer than one block of the kernel. */
const LONG = 5000

/** NaN of several payloads, as bits of either precision. */
function nans(precision: Precision): Logits {
  return precision === 'float32'
    ? new Float32Array(Uint32Array.of(0x7fc00000, 0xffc00000, 0x7f800001, 0x7fffffff, 0xff800001).buffer)
    : new Float64Array(BigUint64Array.of(0x7ff8000000000000n, 0xfff8000000000000n, 0x7ff0000000000001n, 0x7fffffffffffffffn).buffer)
}

/** The options under which a loss has another formula. */
const variants = (name: ElementwiseName): OwnOptions[] =>
  [{}, { softTargets: 'mixture' } as const, { beta: 0 }, { margin: 0 }, { constantModulator: true }].filter((options) => hasOptions(name, options))

interface Lost {
  /** Value, gradient and hessian of a negative. */
  readonly negative: readonly [number, number, number]
  /** The value of a positive. */
  readonly positive: number
}

/** What the logit `x`, far on the wrong side, costs. */
const lost: Record<ElementwiseName, (x: number, options: TermOptions) => Lost> = {
  SigmoidFocalLoss: linear,
  FocalStarLoss: (x, { gamma = 0, beta = 0 }) => linear(x - beta / gamma),
  QualityFocalLoss: linear,
  VarifocalLoss: linear,
  HeatmapFocalLoss: linear,
  // 1 - p_m is never less than the margin
  AsymmetricLoss: (x, { margin = 0, gammaNegative = 0 }) => ({ negative: [(1 - margin) ** gammaNegative * -Math.log(margin), 0, 0], positive: x }),
}

function linear(cost: number): Lost {
  return { negative: [cost, 1, 0], positive: cost }
}

function expectClose(actual: readonly number[], expected: readonly number[], limit: number): void {
  expect(largestError(actual, expected), `${actual.join(', ')} for ${expected.join(', ')}`).toBeLessThanOrEqual(limit)
}

const isFinite = (numbers: ArrayLike<number>) => Array.from(numbers).every(Number.isFinite)

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    const ordinary = logitsOf(precision, Array.from({ length: LONG }, (_, k) => 8 * Math.sin(k)))
    const targets = Uint8Array.from(ordinary, (_, k) => k % 2)

    describe.each(elementwiseNames)('%s', (name) => {
      describe.each(powers)('power %d', (power) => {
        const options = { ...ofPower[name](power), ...unbalanced(name) }
        const limit = (output: 'value' | 'grad' | 'hess') => allowed(precision, output, ...powersOf(name, options))
        const make = (more: OwnOptions = {}) => elementwiseOf(name, { ...options, ...more, reduction: 'none', backend })
        const element = { ...make().options, ...balanced(name, null) }

        /** Value, gradient and hessian of one logit; zeros without their signs. */
        const at = (x: number, y: number) => {
          const { value, grad, hess } = make().valueGradAndHess(logitsOf(precision, [x]), [y])
          return [value[0] + 0, grad[0] + 0, hess[0] + 0]
        }

        it('is exact where one side has won', () => {
          for (const x of [1e4, huge, Infinity]) {
            const rounded = logitsOf(precision, [x])[0]
            const costs = lost[name](rounded, element)
            expectClose(at(x, 0), costs.negative, limit('value'))
            expectClose(at(-x, 1), [costs.positive, -1, 0], limit('value'))
            for (const won of [at(x, 1), at(-x, 0)]) expect(won).toEqual([0, 0, 0])
          }
        })

        it('is right at 0 and 100', () => {
          for (const [x, y] of [[0, 0], [0, 1], [-0, 0], [100, 0], [100, 1], [-100, 0], [-100, 1]]) {
            // Of a hard label, value and gradient are one term each
            const { value, grad } = elementTerms[name](x, y, element)
            const [v, g] = at(x, y)
            expect(largestError([v], [value])).toBeLessThanOrEqual(limit('value'))
            expect(largestError([y === 1 ? -g : g], [grad])).toBeLessThanOrEqual(limit('grad'))
          }
        })

        it('gives NaN for NaN of any payload, and refuses a NaN target', () => {
          for (const loss of variants(name).map(make)) {
            const bad = nans(precision)
            for (const y of [0, 0.3, 1]) {
              const { value, grad, hess } = loss.valueGradAndHess(bad, new Float64Array(bad.length).fill(y))
              expect([...value, ...grad, ...hess].every(Number.isNaN)).toBe(true)
              const both = loss.valueAndGrad(bad, new Float64Array(bad.length).fill(y))
              expect([...both.value, ...both.grad].every(Number.isNaN)).toBe(true)
            }
            const y = Float64Array.from(targets).fill(NaN, 7, 8)
            const output = ordinary.slice().fill(3)
            expect(() => loss.valueGradAndHess(ordinary, y, { grad: output })).toThrow(/^targets\[7\] is NaN; expected/)
            expect(() => loss.valueAndGrad(ordinary, y, { grad: output })).toThrow(/^targets\[7\] is NaN; expected/)
            expect(output.every((each) => each === 3)).toBe(true)
          }
        })

        it('leaves the neighbours of such logits right', () => {
          const strange = [NaN, Infinity, -Infinity, huge, -huge, 1e4, -1e4, 100, -100]
          const places = new Set([0, 1, 40, 47, 48, 95, 96, 500, 4031, 4032, LONG - 1])
          for (const soft of [0, 0.3]) {
            const y = Float64Array.from(targets, (each) => Math.abs(each - soft))
            const plain = make().valueGradAndHess(ordinary, y)
            const terms = Array.from(ordinary, (x, k) => elementTerms[name](x, y[k], element))
            for (const i of strange.keys()) {
              const mixed = ordinary.slice()
              for (const place of places) mixed[place] = strange[(place + i) % strange.length]
              const result = make().valueGradAndHess(mixed, y)
              const others = (array: ArrayLike<number>) => Array.from(array).filter((_, k) => !places.has(k))
              for (const output of ['value', 'grad', 'hess'] as const) {
                const error = largestError(others(result[output]), others(plain[output]), others(terms.map((term) => term[output])))
                expect(error).toBeLessThanOrEqual(2 * limit(output))
              }
            }
          }
        })

        it('leaves out what is masked, whatever it is', () => {
          const x = ordinary.slice()
          const mask = Uint8Array.from(x, (_, k) => Number(k % 3 !== 0))
          mask.forEach((keep, k) => {
            if (keep === 0) x[k] = [NaN, Infinity, -Infinity, huge][k % 4]
          })
          const { value, grad, hess } = make().valueGradAndHess(x, targets, { mask })
          expect(isFinite(value) && isFinite(grad) && isFinite(hess)).toBe(true)
          mask.forEach((keep, k) => {
            if (keep === 0 && (value[k] !== 0 || grad[k] !== 0 || hess[k] !== 0)) expect.fail(`element ${k} is masked`)
          })
          const sums = make().sums(x, targets, { mask })
          expect(sums.elements).toBe(mask.reduce((a, b) => a + b, 0))
          expect(Number.isFinite(sums.sum)).toBe(true)
        })

        it('sums many that are as large as a float can be', () => {
          const x = new Float32Array(LONG).fill(-huge)
          const yes = new Uint8Array(LONG).fill(1)
          const loss = elementwiseOf(name, { ...options, backend })
          const { value, grad } = loss.valueAndGrad(x, yes)
          expect(value / x[0]).toBeCloseTo(-1, 12)
          expect(new Set(grad)).toEqual(new Set([Math.fround(-1 / LONG)]))
          expect(loss.sums(x, yes).sum / (LONG * -x[0])).toBeCloseTo(1, 12)
        })

        it('treats the smallest logits as zero', () => {
          const tiny = smallest[precision]
          for (const y of [0, 1]) {
            expect(at(tiny, y)).toEqual(at(0, y))
            expect(at(-tiny, y)).toEqual(at(0, y))
            expect(at(-0, y)).toEqual(at(0, y))
          }
        })

        it('stays finite under weights of 1e30, and scales by them', () => {
          const x = ordinary.subarray(0, 100)
          const y = targets.subarray(0, 100)
          const [plain, heavy] = [undefined, new Float64Array(100).fill(1e30)].map((weights) => make().valueGradAndHess(x, y, { weights }))
          expect(largestError(heavy.value, plain.value.map((each) => each * 1e30))).toBeLessThanOrEqual(4e-6)
          expect(largestError(heavy.grad, plain.grad.map((each) => each * 1e30))).toBeLessThanOrEqual(4e-6)
          expect(isFinite(heavy.hess)).toBe(true)
          const [tiny, large] = [1e-30, 1e30].map((classWeights) => elementwiseOf(name, { ...options, classWeights, backend }))
          expect(large.value(x, y) / tiny.value(x, y) / 1e60).toBeCloseTo(1, 5)
        })
      })
    })

    describe.each(powers)('SoftmaxFocalLoss, gamma %d', (gamma) => {
      const loss = new SoftmaxFocalLoss({ gamma, reduction: 'none', backend })
      const of = (row: ArrayLike<number>, target: number) => {
        const x = logitsOf(precision, row)
        const { value, grad } = loss.valueAndGrad(x, [target], { shape: [1, x.length] })
        return [value[0] + 0, ...Array.from(grad, (each) => each + 0)]
      }

      it('is exact where one class has won', () => {
        const three = logitsOf(precision, [huge])[0]
        expect(of([Infinity, 1], 0)).toEqual([0, 0, 0])
        expect(of([Infinity, 1], 1)).toEqual([Infinity, 1, -1])
        expect(of([-Infinity, 1, 1], 0)).toEqual([Infinity, -1, 0.5, 0.5])
        expect(of([-Infinity, 1], 1)).toEqual([0, 0, 0])
        expect(of([huge, 0, 0], 1)).toEqual([three, 1, -1, 0])
        expect(of([-huge, 0], 0)).toEqual([three, -1, 1])
        expect(of([1e4, 0, -1e4], 0)).toEqual([0, 0, 0, 0])
        expect(of([1e4, 0, -1e4], 2)).toEqual([2e4, 1, 0, -1])
      })

      it('gives NaN for NaN and for infinities that share the top', () => {
        for (const bad of nans(precision)) expect(of([bad, 1, 2], 1)).toEqual([NaN, NaN, NaN, NaN])
        expect(of([Infinity, Infinity, 1], 2)).toEqual([NaN, NaN, NaN, NaN])
        expect(of([-Infinity, -Infinity], 0)).toEqual([NaN, NaN, NaN])
      })

      it('leaves the neighbours of such rows right', () => {
        const indices = Int32Array.from({ length: LONG / 5 }, (_, r) => r % 5)
        const plain = loss.valueAndGrad(ordinary, indices)
        const mixed = ordinary.slice()
        const strange = [NaN, Infinity, -Infinity, huge, -huge, 1e4]
        const rows = new Set([0, 1, 7, 300, 806, 807, 999])
        for (const r of rows) mixed[r * 5 + (r % 3)] = strange[r % strange.length]
        const { value, grad } = loss.valueAndGrad(mixed, indices)
        const others = (array: ArrayLike<number>, width: number) => Array.from(array).filter((_, k) => !rows.has(Math.floor(k / width)))
        expect(largestError(others(value, 1), others(plain.value, 1))).toBeLessThanOrEqual(2 * allowed(precision, 'value', gamma))
        expect(largestError(others(grad, 5), others(plain.grad, 5))).toBeLessThanOrEqual(2 * allowed(precision, 'grad', gamma))
      })
    })
  })

  it.each(precisions)('any finite power is one of 0 or 1 in the end, %s', (precision) => {
    for (const power of [50, 1e15, 1e30, 1e300, Number.MAX_VALUE]) {
      const x = logitsOf(precision, [-80, -30, -1, -1e-30, 0, 1, 17, 30, 40, 80])
      for (const name of elementwiseNames) {
        for (const options of variants(name)) {
          const loss = elementwiseOf(name, { ...ofPower[name](power), ...unbalanced(name), ...options, reduction: 'none', backend })
          for (const y of [0, 1e-9, 0.3, 1]) {
            // The largest logit sends its block along another path, so that there are two
            for (const logits of [x, logitsOf(precision, [...x, huge])]) {
              const labels = new Float64Array(logits.length).fill(y)
              const { value, grad, hess } = loss.valueGradAndHess(logits, labels)
              const both = loss.valueAndGrad(logits, labels)
              expect({ name, power, y, finite: isFinite([...value, ...grad, ...hess, ...both.value, ...both.grad]) }).toMatchObject({ finite: true })
            }
          }
        }
      }
      for (const name of ['SigmoidFocalLoss', 'QualityFocalLoss', 'VarifocalLoss', 'HeatmapFocalLoss'] as const) {
        const loss = elementwiseOf(name, { ...ofPower[name](power), ...unbalanced(name), reduction: 'none', backend })
        const { value, grad, hess } = loss.valueGradAndHess(logitsOf(precision, [-30, -1, 0, huge]), [0, 0, 0, 0])
        expect([...value.slice(0, 3)].every((each) => each < 1e-14)).toBe(true)
        expect([value[3], grad[3], hess[3] + 0]).toEqual([logitsOf(precision, [huge])[0], 1, 0])
      }
      const softmax = new SoftmaxFocalLoss({ gamma: power, reduction: 'none', backend }).valueAndGrad(logitsOf(precision, [0, 1, -30, 0]), Int32Array.of(1, 0))
      expect(isFinite([...softmax.value, ...softmax.grad])).toBe(true)
    }
  }, 30_000)

  it.each(precisions)('a steep focal star loss is a ramp, and a late one silent, %s', (precision) => {
    const x = logitsOf(precision, [-huge, -2, 0, 3, huge])
    const steep = new FocalStarLoss({ gamma: 1e300, beta: 0, reduction: 'none', backend }).valueGradAndHess(x, [0, 0, 0, 0, 0])
    expectClose(Array.from(steep.value, (each) => (each < 1e-14 ? 0 : each)), [0, 0, 0, 3, x[4]], allowed(precision, 'value'))
    expect([...steep.grad]).toEqual([0, 0, 0.5, 1, 1])
    const late = new FocalStarLoss({ gamma: 1, beta: 1e300, reduction: 'none', backend }).valueGradAndHess(x.subarray(1, 4), [0, 0, 0])
    for (const array of Object.values(late)) expect([...array]).toEqual([0, 0, 0])
  })

  it.each(precisions)('a margin of any size has its limits, %s', (precision) => {
    for (const margin of [1e-300, 1e-40, 1e-3, 0.5, 0.99]) {
      for (const gammaNegative of [0, 0.5, 1, 4]) {
        const options = { margin, gammaNegative, reduction: 'none' } as const
        const x = logitsOf(precision, [-huge, -100, -1, -1e-30, 0, smallest[precision], 1e-38, 1e-9, 1, 4.6, 100, huge])
        const { value, grad, hess } = new AsymmetricLoss({ ...options, backend }).valueGradAndHess(x, new Uint8Array(x.length))
        expect(isFinite([...value, ...grad, ...hess])).toBe(true)
        x.forEach((each, k) => {
          if (1 / (1 + Math.exp(-each)) < margin) expect([value[k], grad[k], hess[k]]).toEqual([0, 0, 0])
        })
        // All that a negative can cost
        expect(value[11] / ((1 - margin) ** gammaNegative * -Math.log(margin))).toBeCloseTo(1, precision === 'float32' ? 5 : 12)
      }
    }
  })

  describe('any finite float32', () => {
    const random = seeded(20_000)
    const bits = Uint32Array.from({ length: 20_000 }, () => Math.floor(random() * 2 ** 32))
    // Exponents 255 are the infinities and NaN; these become ones of 254
    const x = new Float32Array(bits.map((pattern) => ((pattern >>> 23) & 0xff) === 0xff ? pattern ^ 0x00800000 : pattern).buffer)
    const labels: Record<string, ArrayLike<number>> = {
      hard: Uint8Array.from(x, () => random.integer(2)),
      soft: Float32Array.from(x, () => random()),
    }

    it('gives finite results', () => {
      expect(isFinite(x)).toBe(true)
      const before = bitsOf(x)
      for (const gamma of [0, 0.1, 0.5, 1, 2, 3.7, 5]) {
        for (const name of elementwiseNames) {
          for (const options of variants(name)) {
            const loss = elementwiseOf(name, { ...ofPower[name](gamma), ...options, reduction: 'none', backend })
            for (const y of Object.values(labels)) expectFinite(loss, x, Float32Array.from(y), backend)
          }
        }
        const softmax = new SoftmaxFocalLoss({ gamma, reduction: 'none', backend })
        const index = Int32Array.from({ length: 5000 }, (_, r) => bits[r] % 4)
        // The difference of two logits may be larger than any float32, so these are of half the size
        const half = x.map((each) => each / 2)
        const { value, grad } = softmax.valueAndGrad(half, index)
        expect([isFinite(value), isFinite(grad)]).toEqual([true, true])
        const dense = softmax.valueAndGrad(half, Float32Array.from(labels.soft), { shape: [5000, 4] })
        // A row's loss adds four terms up, which may be past the largest float32; the gradient may not
        expect(isFinite(dense.grad)).toBe(true)
        expect(dense.value.every((each) => !Number.isNaN(each))).toBe(true)
      }
      expect(bitsOf(x)).toEqual(before)
    }, 30_000)
  })
})

it.each(testedBackends())('a small gamma of a smoothed cross entropy leaves something where sigmoid(x) is 0 in double, on %s', (backend) => {
  const loss = new SigmoidFocalLoss({ gamma: 0.1, alpha: null, labelSmoothing: 0.1, labelSmoothingOf: 'cross-entropy', reduction: 'none', backend })
  for (const [x, y] of [[-799, 0], [799, 1]] as const) {
    const { value, grad } = loss.valueAndGrad(Float64Array.of(x), [y])
    // q^0.1 is e^-79.9, and q' / q is 1 or -1
    expect(value[0] / (Math.exp(-79.9) * 0.05 * 799)).toBeCloseTo(1, 12)
    expect(grad[0] / (Math.exp(-79.9) * (0.1 * 0.05 * 799 - 0.05) * (y === 0 ? 1 : -1))).toBeCloseTo(1, 12)
  }
})

function expectFinite(loss: ElementwiseLoss<'none'>, x: Float32Array, y: Float32Array, backend: BackendName): void {
  const { value, grad, hess } = loss.valueGradAndHess(x, y)
  for (const array of [value, grad, hess]) {
    const at = array.findIndex((each) => !Number.isFinite(each))
    if (at >= 0) expect.fail(`${backend}: logit ${x[at]} with target ${y[at]} gives ${array[at]}`)
  }
}
