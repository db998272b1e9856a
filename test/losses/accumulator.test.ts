/** Sums of chunks: the bits of one call where chunks are whole blocks, and its sums but for rounding where they are not. */
import { describe, expect, it } from 'vitest'
import { type Accumulator, type Logits, type NumericArray, type Reduction, SigmoidFocalLoss, SoftmaxFocalLoss, type Sums } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import { type AnyLoss, bitsOf, logitsOf, type LossName, lossNames, lossOf, precisions } from '../support/losses.js'
import { useMachine } from '../support/native.js'
import { seeded } from '../support/random.js'

/** `slices` slices of `classes * inner` logits, targets for them, and how the class axis lies. */
interface Data {
  readonly logits: Logits
  readonly targets: NumericArray
  readonly weights: Float32Array | undefined
  readonly mask: Uint8Array | undefined
  readonly slices: number
  readonly classes: number
  readonly inner: number
}

interface Case {
  readonly name: string
  readonly loss: LossName
  readonly slices: number
  readonly classes: number
  readonly inner: number
  readonly dense?: boolean
  readonly weighted?: boolean
  readonly masked?: boolean
}

const cases: Case[] = [
  { name: 'labels', loss: 'SigmoidFocalLoss', slices: 40_000, classes: 1, inner: 1, dense: true },
  { name: 'labels, weighted and masked', loss: 'SigmoidFocalLoss', slices: 40_000, classes: 1, inner: 1, dense: true, weighted: true, masked: true },
  { name: 'class index', loss: 'SigmoidFocalLoss', slices: 900, classes: 80, inner: 1 },
  { name: 'class index, masked', loss: 'SigmoidFocalLoss', slices: 900, classes: 80, inner: 1, masked: true },
  { name: 'class axis in the middle', loss: 'SigmoidFocalLoss', slices: 300, classes: 3, inner: 64, weighted: true },
  { name: 'softmax', loss: 'SoftmaxFocalLoss', slices: 900, classes: 80, inner: 1 },
  { name: 'softmax, weighted and masked', loss: 'SoftmaxFocalLoss', slices: 900, classes: 80, inner: 1, weighted: true, masked: true },
  { name: 'softmax of labels', loss: 'SoftmaxFocalLoss', slices: 5000, classes: 3, inner: 1, dense: true },
  { name: 'softmax, class axis in the middle', loss: 'SoftmaxFocalLoss', slices: 60, classes: 3, inner: 672 },
  { name: 'softmax of long rows', loss: 'SoftmaxFocalLoss', slices: 8, classes: 5000, inner: 1 },
]

function dataOf({ loss, slices, classes, inner, dense, weighted, masked }: Case, precision: 'float32' | 'float64'): Data {
  const random = seeded(slices + classes)
  const rows = slices * inner
  const size = rows * classes
  const logits = logitsOf(precision, Float64Array.from({ length: size }, () => random.between(-9, 7)))
  // Blocks of hard labels beside blocks of soft ones, which are computed in different ways
  const label = (k: number) => (Math.floor(k / 4032) % 2 === 0 ? Number(k % 5 === 0) : random())
  const share = (k: number) => (loss === 'SoftmaxFocalLoss' ? Number(k % classes === Math.floor(k / classes) % classes) : label(k))
  return {
    logits,
    targets: dense === true ? Float32Array.from({ length: size }, (_, k) => share(k)) : Int32Array.from({ length: rows }, () => random.integer(classes)),
    weights: weighted === true ? Float32Array.from({ length: rows }, () => random.between(0, 2)) : undefined,
    mask: masked === true ? Uint8Array.from({ length: rows }, () => Number(random() < 0.8)) : undefined,
    slices,
    classes,
    inner,
  }
}

/** The call on slices `first` to `last - 1`. */
function callOf({ logits, targets, weights, mask, slices, classes, inner }: Data, first = 0, last = slices) {
  const perSlice = (array: NumericArray) => array.length / slices
  const cut = <A extends NumericArray>(array: A): A => array.subarray(first * perSlice(array), last * perSlice(array)) as A
  const call = { shape: [last - first, classes, inner], classAxis: 1, ...(weights && { weights: cut(weights) }), ...(mask && { mask: cut(mask) }) }
  return { logits: cut(logits), targets: cut(targets), call }
}

function addAll(accumulator: Accumulator, data: Data, slicesOf: (chunk: number) => number, grad?: Logits): Sums {
  for (let first = 0, chunk = 0; first < data.slices; chunk++) {
    const last = Math.min(first + slicesOf(chunk), data.slices)
    const { logits, targets, call } = callOf(data, first, last)
    const size = data.classes * data.inner
    accumulator.add(logits, targets, { ...call, ...(grad && { grad: grad.subarray(first * size, last * size) as Float32Array }) })
    first = last
  }
  return accumulator.sums
}

describe.each(testedBackends())('%s', (backend) => {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

  describe.each(cases)('$name', (each) => {
    it.each(precisions)('has the bits of one call, of chunks of whole blocks of %s', (precision) => {
      const data = dataOf(each, precision)
      const loss: AnyLoss = lossOf(each.loss, { gamma: 1.7, backend })
      const { logits, targets, call } = callOf(data)
      const { grad: expectedGrad, ...expected } = loss.sums(logits, targets, { ...call, grad: true })
      const accumulator = loss.accumulator()
      const rows = accumulator.blockRows(data.classes)
      const slices = rows / gcd(rows, data.inner)
      const grad = data.logits.slice().fill(NaN)
      const sums = addAll(accumulator, data, (chunk) => slices * (1 + (chunk % 2)), grad)
      expect(sums).toEqual(expected)
      expect(bitsOf(grad)).toBe(bitsOf(expectedGrad))
    })

    it('has the sums of one call but for rounding, of any chunks', () => {
      const data = dataOf(each, 'float32')
      const loss: AnyLoss = lossOf(each.loss, { gamma: 1.7, backend })
      const { logits, targets, call } = callOf(data)
      const expected = loss.sums(logits, targets, call)
      const { sum, ...counts } = addAll(loss.accumulator(), data, (chunk) => 1 + ((chunk * 37) % 611))
      expect(sum / expected.sum).toBeCloseTo(1, 6)
      expect({ ...counts, sum: expected.sum }).toEqual(expected)
    })
  })

  it.each(lossNames)('has the bits of one call of hard and soft labels, %s', (name) => {
    const loss = lossOf(name, { backend })
    const rows = loss.accumulator().blockRows(4)
    const block = 4 * rows
    const size = 5 * block
    const logits = Float32Array.from({ length: size }, (_, k) => 6 * Math.sin(k))
    const targets = Float32Array.from({ length: size }, (_, k) => (k < 2 * block ? Number(k % 7 === 0) : (k % 7) / 7))
    const shape = [size / 4, 4]
    const expected = loss.sums(logits, targets, { shape })
    const accumulator = loss.accumulator()
    for (let first = 0; first < size; first += block) {
      accumulator.add(logits.subarray(first, first + block), targets.subarray(first, first + block), { shape: [rows, 4] })
    }
    expect(accumulator.sums).toEqual(expected)
  }, 30_000)

  it('has them of probabilities in half precision', () => {
    const loss = new SigmoidFocalLoss({ backend, inputs: 'probabilities' })
    const bits = Uint16Array.from({ length: 9000 }, (_, k) => 0x3c80 + (k % 769))
    const targets = Uint8Array.from(bits, (_, k) => Number(k % 4 === 0))
    const expected = loss.sums(bits, targets, { dtype: 'bfloat16', grad: true })
    const grad = new Uint16Array(9000)
    const accumulator = loss.accumulator()
    for (const [first, last] of [[0, 4032], [4032, 8064], [8064, 9000]]) {
      accumulator.add(bits.subarray(first, last), targets.subarray(first, last), { dtype: 'bfloat16', grad: grad.subarray(first, last) })
    }
    expect({ ...accumulator.sums, grad }).toEqual(expected)
  })

  describe('the value', () => {
    const logits = Float64Array.from({ length: 24 }, (_, k) => Math.sin(k))
    const targets = Int32Array.of(0, 2, -1, 1, -100, 2, 0, -1)
    it.each<Reduction>(['sum', 'mean', 'mean-rows', 'mean-positives'])('of reduction %s is that of one call', (reduction) => {
      for (const name of ['SigmoidFocalLoss', 'SoftmaxFocalLoss'] as const) {
        const loss = lossOf(name, { reduction, background: -1, ignoreIndex: -100, backend })
        const accumulator = loss.accumulator()
        expect(accumulator.value).toBe(0)
        accumulator.add(logits.subarray(0, 9), targets.subarray(0, 3)).add(logits.subarray(9), targets.subarray(3))
        expect(accumulator.value).toBeCloseTo(loss.value(logits, targets) as number, 13)
      }
    })

    it("of reduction 'none' is the sum, and every loss is written where the caller says", () => {
      const loss = new SoftmaxFocalLoss({ reduction: 'none', background: -1, ignoreIndex: -100, backend })
      const accumulator = loss.accumulator()
      const out = new Float64Array(8)
      accumulator.add(logits.subarray(0, 9), targets.subarray(0, 3), { out: out.subarray(0, 3) })
      accumulator.add(logits.subarray(9), targets.subarray(3), { out: out.subarray(3) })
      expect(out).toEqual(loss.value(logits, targets))
      expect(accumulator.value).toBe(accumulator.sums.sum)
      expect(accumulator.value).toBeCloseTo(out.reduce((a, b) => a + b, 0), 13)
    })
  })

  it('writes a gradient over the logits themselves', () => {
    const x = Float32Array.from({ length: 5000 }, (_, k) => 4 * Math.sin(k))
    const y = Uint8Array.from(x, (_, k) => k % 3 === 0 ? 1 : 0)
    const loss = new SigmoidFocalLoss({ backend })
    const { grad: expected } = loss.sums(x, y, { grad: true })
    loss.accumulator().add(x, y, { grad: x })
    expect(bitsOf(x)).toBe(bitsOf(expected))
  })

  it('begins anew after reset, and takes another number of classes', () => {
    const loss = new SigmoidFocalLoss({ backend })
    const accumulator = loss.accumulator().add(Float32Array.of(1, 2, 3), Int32Array.of(1))
    expect(accumulator.reset().sums).toEqual({ sum: 0, elements: 0, rows: 0, positives: 0 })
    accumulator.add(Float32Array.of(1, 2), Int32Array.of(1))
    expect(accumulator.sums).toEqual(loss.sums(Float32Array.of(1, 2), Int32Array.of(1)))
  })

  it('takes nothing as nothing', () => {
    const loss = new SigmoidFocalLoss({ backend })
    const accumulator = loss.accumulator().add(new Float32Array(0), [])
    accumulator.add(Float32Array.of(1, 2, 3), Int32Array.of(1)).add(new Float32Array(0), [])
    expect(accumulator.sums).toEqual(loss.sums(Float32Array.of(1, 2, 3), Int32Array.of(1)))
  })

  it('leaves everything as it was where it refuses a chunk', () => {
    const accumulator = new SigmoidFocalLoss({ backend }).accumulator().add(Float32Array.of(1, 2, 3), Int32Array.of(1))
    const before = accumulator.sums
    const grad = Float32Array.of(7, 7)
    const refused: [unknown[], Error][] = [
      [[Float32Array.of(1, 2), Int32Array.of(1), { grad }], new RangeError('logits has rows of 2 classes; expected 3, as in the chunks before (reset() begins anew)')],
      [[Float32Array.of(1, 2), [1, 0], { grad }], new RangeError('logits has rows of 1 class; expected 3, as in the chunks before (reset() begins anew)')],
      [[Float32Array.of(1, 2, 3), Int32Array.of(3)], new RangeError('targets[0] is 3; expected a class in 0..2 (classes count from 0; set background or ignoreIndex to allow others)')],
      [[[1, 2, 3], Int32Array.of(0)], new TypeError('logits is an array of length 3; expected a Float32Array or a Float64Array (Float32Array.from(logits) makes one)')],
      [[Float32Array.of(1, 2, 3), Int32Array.of(0), { grad: true }], new TypeError('grad is true; expected a Float32Array or a Float64Array')],
      [[Float32Array.of(1, 2, 3), Int32Array.of(0), { grad }], new RangeError('grad has length 2; expected 3')],
      [[Float32Array.of(1, 2, 3), Int32Array.of(0), { normaliser: 2 }], new TypeError("'normaliser' is not an option of add(); expected one of dtype, shape, classAxis, targetKind, weights, mask, grad, gradScale, out")],
      [[Float32Array.of(1, 2, 3), Int32Array.of(0), 5], new TypeError('call options is 5; expected an object with options')],
    ]
    for (const [given, error] of refused) {
      expect(() => accumulator.add(...(given as Parameters<Accumulator['add']>))).toThrow(error)
    }
    expect(grad).toEqual(Float32Array.of(7, 7))
    expect(accumulator.sums).toEqual(before)
  })
})

it.runIf(testedBackends().includes('native'))('on native it is the same on any number of threads', () => {
  const data = dataOf(cases[2], 'float32')
  const sums = [1, 3].map((threads) => {
    useMachine(threads)
    return addAll(new SigmoidFocalLoss({ backend: 'native' }).accumulator(), data, () => 252)
  })
  useMachine(2)
  expect(sums[0]).toEqual(sums[1])
})

describe('blockRows', () => {
  it('of an element-wise loss fill blocks of 4032 logits', () => {
    const accumulator = new SigmoidFocalLoss({ backend: 'js' }).accumulator()
    expect([1, 2, 80, 81, 91, 5, 4032, 8064, 5000].map((classes) => accumulator.blockRows(classes))).toEqual([4032, 2016, 252, 448, 576, 4032, 1, 1, 504])
    expect(accumulator.blockRows()).toBe(4032)
  })

  it('of a softmax are as many as have 4032 logits, and at least one', () => {
    const accumulator = new SoftmaxFocalLoss({ backend: 'js' }).accumulator()
    expect([1, 3, 80, 1000, 4032, 5000].map((classes) => accumulator.blockRows(classes))).toEqual([4032, 1344, 50, 4, 1, 1])
  })

  it('are asked for with a number of classes', () => {
    const accumulator = new SigmoidFocalLoss({ backend: 'js' }).accumulator()
    expect(() => accumulator.blockRows(0)).toThrow(new RangeError('classes is 0; expected an integer >= 1'))
    expect(() => accumulator.blockRows(1.5)).toThrow(new RangeError('classes is 1.5; expected an integer >= 1'))
    expect(() => accumulator.blockRows('3' as never)).toThrow(new TypeError("classes is '3'; expected an integer >= 1"))
  })
})

it("with 'auto', small chunks run where large ones do", () => {
  const loss = new SigmoidFocalLoss({ backend: 'auto' })
  const [x, y] = [Float32Array.from({ length: 4035 }, (_, k) => Math.sin(k)), new Uint8Array(4035)]
  const expected = loss.sums(x, y)
  const sums = loss.accumulator().add(x.subarray(0, 4032), y.subarray(0, 4032)).add(x.subarray(4032), y.subarray(4032)).sums
  expect(sums).toEqual(expected)
})
