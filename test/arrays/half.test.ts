/** Half precision in and out: read exactly, rounded to nearest even, on every backend. */
import { type HalfDtype, type Logits, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { fromBits, toBits } from '../../src/arrays/half.js'
import { testedBackends } from '../support/backends.js'
import { runScript } from '../support/children.js'
import { allowed } from '../support/closeness.js'
import { type GoldenCase, goldenCases, nameOf } from '../support/golden.js'
import { bitsOf, type ElementwiseName, elementwiseNames, elementwiseOf, type LossName, lossNames, lossOf } from '../support/losses.js'
import { seeded } from '../support/random.js'

const dtypes = ['float16', 'bfloat16'] as const
const mantissas = { float16: 10, bfloat16: 7 } as const
const least = { float16: 2 ** -14, bfloat16: 2 ** -126 } as const

const numbers = (bits: Uint16Array, dtype: HalfDtype) => fromBits(bits, dtype)
function halves(values: ArrayLike<number>, dtype: HalfDtype): Uint16Array {
  const bits = new Uint16Array(values.length)
  toBits(Float64Array.from(values), dtype, bits)
  return bits
}

/** Half the spacing of the numbers around `x`. */
function rounding(x: number, dtype: HalfDtype): number {
  return 2 ** (Math.floor(Math.log2(Math.max(Math.abs(x), least[dtype]))) - mantissas[dtype] - 1)
}

/** The largest error beyond one rounding, relative to the number or to `terms`. */
function errorBeyondRounding(actual: Uint16Array, exact: ArrayLike<number>, dtype: HalfDtype, terms = exact): number {
  const found = numbers(actual, dtype)
  expect(found).toHaveLength(exact.length)
  const largest = numbers(Uint16Array.of(dtype === 'float16' ? 0x7bff : 0x7f7f), dtype)[0]
  return found.reduce((worst, each, k) => {
    if (Object.is(each, exact[k]) || (Math.abs(each) === Infinity && Math.abs(exact[k]) > largest && each * exact[k] > 0)) return worst
    // No normal number of a float, in which it is computed
    if (Math.abs(exact[k]) < 2 ** -126 && Math.abs(each) < 2 ** -126) return worst
    const beyond = Math.max(0, Math.abs(each - exact[k]) - rounding(exact[k], dtype))
    // One float32 that is rounded again may end a little further away
    return Math.max(worst, Number.isNaN(beyond) ? Infinity : beyond / (Math.abs(terms[k]) || 1))
  }, 0)
}

describe('the bits', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits)

  it('of bfloat16 are the upper half of a float32', () => {
    const floats = new Float32Array(Uint32Array.from(all, (bits) => bits * 65536).buffer)
    expect(fromBits(all, 'bfloat16')).toEqual(Float64Array.from(floats))
  })

  it('of float16 are sign, 5 bits of exponent and 10 of mantissa', () => {
    const expected = Float64Array.from(all, (bits) => {
      const [sign, exponent, mantissa] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
      if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN
      return sign * (exponent === 0 ? mantissa / 1024 : 1 + mantissa / 1024) * 2 ** Math.max(-14, exponent - 15)
    })
    expect(fromBits(all, 'float16')).toEqual(expected)
  })

  it.each(dtypes)('of %s come back as they were', (dtype) => {
    const back = new Uint16Array(65536)
    toBits(fromBits(all, dtype), dtype, back)
    const quiet = dtype === 'float16' ? 0x7e00 : 0x7fc0
    expect(back).toEqual(all.map((bits, k) => (Number.isNaN(fromBits(all.subarray(k, k + 1), dtype)[0]) ? quiet : bits)))
  })

  it.each(dtypes)('of %s are the nearest, and the even ones half way', (dtype) => {
    const infinity = dtype === 'float16' ? 0x7c00 : 0x7f80
    const low = all.subarray(0, infinity)
    const steps = fromBits(all.subarray(0, infinity), dtype)
    const middle = steps.map((each, k) => (k + 1 < infinity ? (each + steps[k + 1]) / 2 : each + (each - steps[k - 1]) / 2))
    const just = 2 ** -40
    expect(halves(middle, dtype)).toEqual(low.map((bits) => bits + (bits % 2)))
    expect(halves(middle.map((each) => each * (1 - just)), dtype)).toEqual(low)
    expect(halves(middle.map((each) => -each * (1 + just)), dtype)).toEqual(low.map((bits) => bits + 1 + 0x8000))
    expect(halves([Infinity, -Infinity, 1e300, -0], dtype)).toEqual(Uint16Array.of(infinity, infinity + 0x8000, infinity, 0x8000))
  })
})

const golden = goldenCases.map((one, index) => [nameOf(one, index), one] as const)

/** One loss on bits, and the same on the numbers in double precision. */
function both({ loss: name, options, shape, logits, targets, expected }: GoldenCase, dtype: HalfDtype, backend: 'native' | 'wasm' | 'js' | 'cuda') {
  const bits = halves(logits, dtype)
  const run = (on: Logits, backend: 'native' | 'wasm' | 'js' | 'cuda', more: object) => {
    const given = { ...options, reduction: 'none', backend } as const
    const call = { shape, ...more }
    if (expected.hess === undefined) return { ...lossOf(name, given).valueAndGrad(on, targets, call), hess: on.subarray(0, 0) }
    return elementwiseOf(name as ElementwiseName, given).valueGradAndHess(on, targets, call)
  }
  return { actual: run(bits, backend, { dtype }), exact: run(numbers(bits, dtype), 'js', {}) }
}

describe.each(testedBackends())('%s', (backend) => {
  describe.each(dtypes)('%s', (dtype) => {
    it.each(golden)('%s', (_, one) => {
      const { actual, exact } = both(one, dtype, backend)
      const steepness = 8
      // What a soft label's derivatives are made of; see golden.ts
      const gradTerms = Array.from(exact.grad, (each, k) => Math.abs(each) + steepness * Math.abs(exact.value[exact.value.length === exact.grad.length ? k : 0]))
      const hessTerms = Array.from(exact.hess, (each, k) => Math.abs(each) + steepness * gradTerms[k])
      const limit = 3 * allowed('float32', 'grad', one.options.gamma ?? 2)
      expect(errorBeyondRounding(actual.value as Uint16Array, exact.value, dtype)).toBeLessThanOrEqual(limit)
      expect(errorBeyondRounding(actual.grad as Uint16Array, exact.grad, dtype, gradTerms)).toBeLessThanOrEqual(limit)
      expect(errorBeyondRounding(actual.hess as Uint16Array, exact.hess, dtype, hessTerms)).toBeLessThanOrEqual(2e-5)
    })

    const random = seeded(7)
    const SIZE = 3 * 7 * 397
    const bits = halves(Array.from({ length: SIZE }, () => 5 * random.normal()), dtype)
    const labels = Float32Array.from(bits, () => random())
    const weights = Float32Array.from(bits, () => random.between(0, 4))
    const rows = { classes: Int32Array.from({ length: SIZE / 3 }, () => random.integer(3)), mask: Uint8Array.from({ length: SIZE / 3 }, () => random.integer(2)) }

    /** Rounded as the kernels do: they compute in float32. The plain backend rounds once, from double. */
    const roundedLike = (numbersIn: Logits) => halves(numbersIn, dtype)
    const plain = () => (backend === 'js' ? numbers(bits, dtype) : Float32Array.from(numbers(bits, dtype)))

    it.each(elementwiseNames)('%s is the one in numbers, rounded, with weights', (name: ElementwiseName) => {
      const loss = elementwiseOf(name, { reduction: 'none', backend })
      const expected = loss.valueGradAndHess(plain(), labels, { weights, normalizer: 3 })
      const actual = loss.valueGradAndHess(bits, labels, { weights, normalizer: 3, dtype })
      for (const output of ['value', 'grad', 'hess'] as const) expect(actual[output]).toEqual(roundedLike(expected[output]))
    })

    it.each(lossNames)('%s over any class axis, in place', (name: LossName) => {
      const loss = lossOf(name, { reduction: 'mean', backend })
      for (const [shape, classAxis] of [[[SIZE / 3, 3], 1], [[397, 3, 7], 1], [[3, SIZE / 3], 0]] as const) {
        const call = { shape, classAxis, mask: rows.mask }
        const expected = loss.valueAndGrad(plain(), rows.classes, call)
        const logits = bits.slice()
        const actual = loss.valueAndGrad(logits, rows.classes, { ...call, dtype, grad: logits })
        expect(actual.grad).toBe(logits)
        expect(bitsOf(actual.grad)).toBe(bitsOf(roundedLike(expected.grad)))
        // The sums are those of the numbers, before any rounding
        expect(actual.value).toBe(expected.value)
      }
    })

    it.each(lossNames)('%s: the gradient may be float32, over any class axis', async (name: LossName) => {
      const loss = lossOf(name, { reduction: 'none', backend })
      for (const [shape, classAxis] of [[[SIZE / 3, 3], 1], [[397, 3, 7], 1], [[3, SIZE / 3], 0]] as const) {
        for (const call of [{ shape, classAxis }, { shape, classAxis, mask: rows.mask }]) {
          const expected = loss.valueAndGrad(plain(), rows.classes, call)
          const grad = new Float32Array(SIZE).fill(7)
          const actual = loss.valueAndGrad(bits, rows.classes, { ...call, dtype, grad })
          expect(actual.grad).toBe(grad)
          expect(bitsOf(grad)).toBe(bitsOf(Float32Array.from(expected.grad)))
          expect(actual.value).toEqual(roundedLike(expected.value))
          const later = await loss.valueAndGradAsync(bits, rows.classes, { ...call, dtype, grad: grad.slice().fill(7) })
          expect([later.grad, later.value].map(bitsOf)).toEqual([grad, actual.value].map(bitsOf))
        }
      }
    })

    it.each(elementwiseNames)('%s: so may the second derivative, and either alone', async (name: ElementwiseName) => {
      for (const inputs of ['logits', 'probabilities'] as const) {
        const loss = elementwiseOf(name, { backend, inputs })
        // Away from the ends of the interval, which are those of the type
        const given = inputs === 'logits' ? bits : halves(labels.map((p) => 0.05 + 0.9 * p), dtype)
        const numbersIn = backend === 'js' ? numbers(given, dtype) : Float32Array.from(numbers(given, dtype))
        const expected = loss.valueGradAndHess(numbersIn, labels)
        const single = () => new Float32Array(SIZE)
        for (const into of [{ grad: single(), hess: single() }, { grad: single() }, { hess: single() }]) {
          for (const { grad, hess } of [loss.valueGradAndHess(given, labels, { ...into, dtype }), await loss.valueGradAndHessAsync(given, labels, { ...into, dtype })]) {
            const inTheirType = (of: Logits, as: Logits) => (as instanceof Float32Array ? Float32Array.from(of) : roundedLike(of))
            expect([grad, hess].map(bitsOf)).toEqual([inTheirType(expected.grad, grad), inTheirType(expected.hess, hess)].map(bitsOf))
            expect([grad instanceof Float32Array, hess instanceof Float32Array]).toEqual(['grad' in into, 'hess' in into])
          }
        }
      }
    })

    it('has no derivative beyond what its own type reaches', () => {
      const loss = new SigmoidFocalLoss({ gamma: 0, alpha: null, inputs: 'probabilities', reduction: 'sum', backend })
      const ends = halves([0, 1], dtype)
      const half = loss.valueAndGrad(ends, [1, 0], { dtype, gradScale: 1e5 })
      const largest = dtype === 'float16' ? 65504 : (2 - 2 ** -7) * 2 ** 127
      expect(Array.from(numbers(half.grad, dtype))).toEqual([-largest, dtype === 'float16' ? largest : numbers(halves([2 ** 8 * 1e5], dtype), dtype)[0]])
      const single = loss.valueAndGrad(ends, [1, 0], { dtype, gradScale: 1e5, grad: new Float32Array(2) })
      const least = dtype === 'float16' ? 2 ** 14 : 2 ** 126
      expect(Array.from(single.grad)).toEqual([Math.fround(-Math.min(least * 1e5, (2 - 2 ** -23) * 2 ** 127)), Math.fround(2 ** (mantissas[dtype] + 1) * 1e5)])
    })

    it('writes losses and gradients of sums', () => {
      for (const loss of [new SigmoidFocalLoss({ backend }), new SoftmaxFocalLoss({ backend })]) {
        const expected = loss.sums(plain(), rows.classes, { grad: true, out: true })
        const out = new Uint16Array(expected.out.length)
        const actual = loss.sums(bits, rows.classes, { grad: true, out, dtype })
        // A thread of a GPU takes 16 bytes at a time, so that halves are added up in another order than floats
        const sum: unknown = backend === 'cuda' ? expect.closeTo(expected.sum, 3) : expected.sum
        expect(actual).toEqual({ ...expected, sum, grad: roundedLike(expected.grad), out: roundedLike(expected.out) })
        expect(actual.out).toBe(out)
        const single = loss.sums(bits, rows.classes, { grad: new Float32Array(SIZE), dtype })
        expect(bitsOf(single.grad)).toBe(bitsOf(Float32Array.from(expected.grad)))
      }
    })

    it('leaves 16-bit targets the integers that they are', () => {
      const loss = new SigmoidFocalLoss({ backend })
      const indices = Uint16Array.from(rows.classes)
      expect(loss.value(bits, indices, { dtype })).toBe(loss.value(bits, rows.classes, { dtype }))
      const yes = new Uint16Array(SIZE).fill(1)
      expect(loss.value(bits, yes, { dtype })).toBe(loss.value(bits, Float32Array.from(yes), { dtype }))
    })

    it('gives the limits of infinities, NaN for NaN, and infinity for what is too large', () => {
      const special = halves([Infinity, -Infinity, NaN, 0], dtype)
      const { value, grad } = new SigmoidFocalLoss({ alpha: null, gamma: 0, reduction: 'none', backend }).valueAndGrad(special, [0, 0, 0, 0], { dtype })
      expect(Array.from(numbers(value, dtype).subarray(0, 3))).toEqual([Infinity, 0, NaN])
      expect(Array.from(numbers(grad, dtype))).toEqual([1, 0, NaN, 0.5])
      const heavy = new SigmoidFocalLoss({ classWeights: 3e38, reduction: 'none', backend }).value(halves([4], dtype), [0], { dtype })
      expect(numbers(heavy, dtype)[0]).toBe(Infinity)
    })

    it('maps logits to probabilities', () => {
      const loss = new SigmoidFocalLoss({ backend })
      const expected = roundedLike(loss.toProbability(numbers(bits, dtype)))
      expect(loss.toProbability(bits, { dtype })).toEqual(expected)
      const logits = bits.slice()
      expect(loss.toProbability(logits, { dtype, out: logits })).toBe(logits)
      expect(logits).toEqual(expected)
    })

    it('has no loss where there is nothing', () => {
      const empty = new Uint16Array(0)
      expect(new SigmoidFocalLoss({ backend }).valueAndGrad(empty, [], { dtype })).toEqual({ value: 0, grad: empty })
    })
  })
})

it("reads a runtime's own Float16Array as the bits it is made of, where there is one", () => {
  const script = `
    import { SigmoidFocalLoss } from 'focal-loss'
    if (typeof Float16Array === 'undefined') { console.log('none'); process.exit() }
    const logits = Float16Array.from({ length: 999 }, (_, k) => 9 * Math.sin(k)), bits = new Uint16Array(logits.buffer)
    const labels = Float16Array.from(logits, (_, k) => k % 8 / 8)
    let right = 0
    for (const backend of ['native', 'wasm', 'js']) {
      const loss = new SigmoidFocalLoss({ backend, reduction: 'none' })
      const own = loss.valueGradAndHess(logits, labels, { weights: labels }), asBits = loss.valueGradAndHess(bits, Float32Array.from(labels), { dtype: 'float16', weights: labels })
      const same = (name) => own[name] instanceof Float16Array && Buffer.from(own[name].buffer).equals(Buffer.from(asBits[name].buffer))
      right += same('value') && same('grad') && same('hess')
      right += loss.toProbability(logits) instanceof Float16Array
    }
    console.log(right)`
  const { stdout, stderr } = runScript('module', script)
  expect(stderr).toBe('')
  expect(stdout.trim()).toBe('Float16Array' in globalThis ? '6' : 'none')
})
