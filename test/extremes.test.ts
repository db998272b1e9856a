/** Logits at the ends of their range and beyond, alone and between ordinary ones, on every backend. */
import { describe, expect, it } from 'vitest'
import { type BackendName, type Logits, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { testedBackends } from './backends.js'
import { allowed, largestError } from './support/closeness.js'
import { bitsOf, logitsOf, type Precision, precisions } from './support/losses.js'
import { seeded } from './support/random.js'
import { sigmoidTerms } from './support/terms.js'

const gammas = [0, 0.5, 5]
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

const isFinite = (numbers: ArrayLike<number>) => Array.from(numbers).every(Number.isFinite)

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    const ordinary = logitsOf(precision, Array.from({ length: LONG }, (_, k) => 8 * Math.sin(k)))
    const targets = Uint8Array.from(ordinary, (_, k) => k % 2)
    const exact = (x: number, y: number, gamma: number) => {
      const z = y === 1 ? -x : x
      const s = z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z))
      const loss = Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))
      const grad = s ** gamma * (gamma * (1 / (1 + Math.exp(z))) * loss + s)
      return { value: s ** gamma * loss, grad: y === 1 ? -grad : grad }
    }

    describe.each(gammas)('sigmoid, gamma %d', (gamma) => {
      const make = (softTargets: 'linear' | 'mixture' = 'linear') =>
        new SigmoidFocalLoss({ gamma, alpha: null, softTargets, reduction: 'none', backend })

      /** Value, gradient and hessian of one logit; zeros without their signs. */
      const at = (x: number, y: number) => {
        const { value, grad, hess } = make().valueGradAndHess(logitsOf(precision, [x]), [y])
        return [value[0] + 0, grad[0] + 0, hess[0] + 0]
      }

      it('is exact where one side has won', () => {
        const big = [1e4, huge, Infinity]
        for (const x of big) {
          const rounded = logitsOf(precision, [x])[0]
          expect(at(x, 0)).toEqual([rounded, 1, 0])
          expect(at(-x, 1)).toEqual([rounded, -1, 0])
          for (const won of [at(x, 1), at(-x, 0)]) expect(won).toEqual([0, 0, 0])
        }
      })

      it('is right at 0 and 100', () => {
        for (const [x, y] of [[0, 0], [0, 1], [-0, 0], [100, 0], [100, 1], [-100, 0], [-100, 1]]) {
          const { value, grad } = exact(x, y, gamma)
          const [v, g] = at(x, y)
          expect(largestError([v], [value])).toBeLessThanOrEqual(allowed(precision, 'value', gamma))
          expect(largestError([g], [grad])).toBeLessThanOrEqual(allowed(precision, 'grad', gamma))
        }
      })

      it('gives NaN for NaN of any payload, and for a NaN target', () => {
        for (const softTargets of ['linear', 'mixture'] as const) {
          const bad = nans(precision)
          for (const y of [0, 0.3, 1]) {
            const { value, grad, hess } = make(softTargets).valueGradAndHess(bad, new Float64Array(bad.length).fill(y))
            expect([...value, ...grad, ...hess].every(Number.isNaN)).toBe(true)
          }
          const { value, grad, hess } = make(softTargets).valueGradAndHess(ordinary, Float64Array.from(targets).fill(NaN, 7, 8))
          expect([value[7], grad[7], hess[7]]).toEqual([NaN, NaN, NaN])
          expect(isFinite(value.slice(8)) && isFinite(grad.slice(8)) && isFinite(hess.slice(0, 7))).toBe(true)
        }
      })

      it('leaves the neighbours of such logits right', () => {
        const strange = [NaN, Infinity, -Infinity, huge, -huge, 1e4, -1e4, 100, -100]
        const places = new Set([0, 1, 40, 47, 48, 95, 96, 500, 4031, 4032, LONG - 1])
        for (const soft of [0, 0.3]) {
          const y = Float64Array.from(targets, (each) => Math.abs(each - soft))
          const plain = make().valueGradAndHess(ordinary, y)
          const terms = Array.from(ordinary, (x, k) => sigmoidTerms(x, y[k], { gamma, softTargets: 'linear', positive: 1, negative: 1 }))
          for (const i of strange.keys()) {
            const mixed = ordinary.slice()
            for (const place of places) mixed[place] = strange[(place + i) % strange.length]
            const { value, grad, hess } = make().valueGradAndHess(mixed, y)
            const others = (array: ArrayLike<number>) => Array.from(array).filter((_, k) => !places.has(k))
            const error = (a: Logits, b: Logits, of: 'value' | 'grad' | 'hess') =>
              largestError(others(a), others(b), others(terms.map((term) => term[of])))
            expect(error(value, plain.value, 'value')).toBeLessThanOrEqual(2 * allowed(precision, 'value', gamma))
            expect(error(grad, plain.grad, 'grad')).toBeLessThanOrEqual(2 * allowed(precision, 'grad', gamma))
            expect(error(hess, plain.hess, 'hess')).toBeLessThanOrEqual(2 * allowed(precision, 'hess', gamma))
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
        const loss = new SigmoidFocalLoss({ gamma, alpha: null, backend })
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
        const [plain, heavy] = [undefined, new Float64Array(100).fill(1e30)].map((weights) =>
          make().valueGradAndHess(x, targets.subarray(0, 100), { weights }),
        )
        expect(largestError(heavy.value, plain.value.map((each) => each * 1e30))).toBeLessThanOrEqual(4e-6)
        expect(largestError(heavy.grad, plain.grad.map((each) => each * 1e30))).toBeLessThanOrEqual(4e-6)
        expect(isFinite(heavy.hess)).toBe(true)
        const tiny = new SigmoidFocalLoss({ gamma, alpha: null, classWeights: 1e-30, backend })
        const large = new SigmoidFocalLoss({ gamma, alpha: null, classWeights: 1e30, backend })
        expect(large.value(x, targets.subarray(0, 100)) / tiny.value(x, targets.subarray(0, 100)) / 1e60).toBeCloseTo(1, 5)
      })
    })

    describe.each(gammas)('softmax, gamma %d', (gamma) => {
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
        expect(of([5], 0)).toEqual([0, 0])
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

  it.each(precisions)('any finite gamma is a power of 0 or 1 in the end, %s', (precision) => {
    for (const gamma of [50, 1e30, 1e300, Number.MAX_VALUE]) {
      const loss = new SigmoidFocalLoss({ gamma, alpha: null, reduction: 'none', backend })
      const { value, grad, hess } = loss.valueGradAndHess(logitsOf(precision, [-30, -1, 0, 30, huge]), [0, 0, 0, 0, 0])
      expect(isFinite([...value, ...grad, ...hess])).toBe(true)
      expect([...value.slice(0, 3)].every((each) => each < 1e-14)).toBe(true)
      expect([value[4], grad[4], hess[4]]).toEqual([logitsOf(precision, [huge])[0], 1, 0])
      const softmax = new SoftmaxFocalLoss({ gamma, reduction: 'none', backend }).valueAndGrad(logitsOf(precision, [0, 1, -30, 0]), [1, 0])
      expect(isFinite([...softmax.value, ...softmax.grad])).toBe(true)
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
        for (const softTargets of ['linear', 'mixture'] as const) {
          for (const y of Object.values(labels)) {
            expectFinite(new SigmoidFocalLoss({ gamma, softTargets, reduction: 'none', backend }), x, Float32Array.from(y), backend)
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
    })
  })
})

function expectFinite(loss: SigmoidFocalLoss<'none'>, x: Float32Array, y: Float32Array, backend: BackendName): void {
  const { value, grad, hess } = loss.valueGradAndHess(x, y)
  for (const array of [value, grad, hess]) {
    const at = array.findIndex((each) => !Number.isFinite(each))
    if (at >= 0) expect.fail(`${backend}: logit ${x[at]} with target ${y[at]} gives ${array[at]}`)
  }
}
