import { describe, expect, it } from 'vitest'
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'

const loss = new SigmoidFocalLoss({ backend: 'js' })
const unreduced = new SigmoidFocalLoss({ reduction: 'none', backend: 'js' })
const softmax = new SoftmaxFocalLoss({ backend: 'js' })
const x = Float32Array.of(1, -2, 3, 0.5, -0.25, 2)

/** Arguments as an untyped caller may pass them. */
type Untyped = (logits: unknown, targets: unknown, call?: unknown) => unknown
const call = loss.valueAndGrad.bind(loss) as Untyped
const callNone = unreduced.valueAndGrad.bind(unreduced) as Untyped
const callSoftmax = softmax.valueAndGrad.bind(softmax) as Untyped

function detached(): Float32Array {
  const array = new Float32Array(6)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

function shrunken(): Float32Array {
  const buffer = new (ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer & { resize(n: number): void })(
    24,
    { maxByteLength: 48 },
  )
  const array = new Float32Array(buffer, 0, 6)
  buffer.resize(8)
  return array
}

const six = [1, 0, 1, 0, 1, 0]
const memory = new Float32Array(12)

describe('a bad call is an error that says what is wrong', () => {
  it.each<[string, () => unknown, typeof TypeError | typeof RangeError, string]>([
    ['plain logits', () => call([1, 2], [1, 0]), TypeError, 'logits is an array of length 2; expected a Float32Array or a Float64Array (Float32Array.from(...) makes one)'],
    ['no logits', () => call(undefined, [1]), TypeError, 'logits is undefined; expected a Float32Array or a Float64Array'],
    ['integer logits', () => call(new Int32Array(2), [1, 0]), TypeError, 'logits is an Int32Array of length 2; expected a Float32Array or a Float64Array'],
    ['detached logits', () => call(detached(), six), TypeError, 'logits has lost its memory: its buffer is detached (transferred to another thread, perhaps)'],
    ['logits out of bounds', () => call(shrunken(), six), TypeError, 'logits has lost its memory: its resizable buffer has shrunk below the view'],
    ['detached targets', () => call(x, detached()), TypeError, 'targets has lost its memory: its buffer is detached (transferred to another thread, perhaps)'],
    ['no targets', () => call(x, undefined), TypeError, 'targets is undefined; expected a numeric typed array (BigInt arrays excepted) or an array of numbers'],
    ['big targets', () => call(x, new BigInt64Array(6)), TypeError, 'targets is a BigInt64Array of length 6; expected a numeric typed array (BigInt arrays excepted) or an array of numbers'],
    ['nested targets', () => call(x, [[1], [0]]), TypeError, 'targets[0] is an array of length 1; expected a number'],
    ['too few targets', () => call(x, [1, 0, 1, 0]), RangeError, 'targets has length 4; expected 6, as many as logits, or one class index per row'],
    ['no target', () => call(x, []), RangeError, 'targets has length 0; expected 6, as many as logits, or one class index per row'],
    ['float indices', () => call(x, new Float32Array(2)), TypeError, 'targets is a Float32Array of length 2; expected an integer array of class indices, one per row, or 6 targets, one per logit'],
    ['a fractional index', () => call(x, [1, 0.5]), RangeError, 'targets[1] is 0.5; expected an integer, the index of a class'],
    ['an index too large', () => call(x, [0, 3]), RangeError, 'targets[1] is 3; expected a class in 0..2 (set background or ignoreIndex to allow others)'],
    ['a label too large', () => call(x, [1, 0, 1, 1.5, 0, 0]), RangeError, 'targets[3] is 1.5; expected a number from 0 to 1'],
    ['a shape of another size', () => call(x, six, { shape: [2, 4] }), RangeError, 'shape [2, 4] has 8 elements; expected 6, as many as logits'],
    ['an empty shape', () => call(x, six, { shape: [] }), TypeError, 'shape is an array of length 0; expected an array of at least one integer >= 0'],
    ['a fractional shape', () => call(x, six, { shape: [1.5, 4] }), RangeError, 'shape[0] is 1.5; expected an integer >= 0'],
    ['targets that fit no shape', () => call(x, [1, 0, 1], { shape: [2, 3] }), RangeError, 'targets has length 3; expected 6 (one per logit) or 2 (one class index per row)'],
    ['a class axis without shape', () => call(x, six, { classAxis: 1 }), TypeError, 'classAxis is given without shape; expected both'],
    ['a class axis too large', () => call(x, six, { shape: [2, 3], classAxis: 2 }), RangeError, 'classAxis is 2; expected an integer from -2 to 1'],
    ['weights of another length', () => call(x, six, { shape: [2, 3], weights: [1] }), RangeError, 'weights has length 1; expected 6 (one per logit) or 2 (one per row)'],
    ['a mask of another length', () => callSoftmax(x, [0, 1], { mask: six }), RangeError, 'mask has length 6; expected 2, one per row'],
    ['normalizer 0', () => call(x, six, { normalizer: 0 }), RangeError, 'normalizer is 0; expected a finite number > 0'],
    ['an unknown call option', () => call(x, six, { gradient: x }), TypeError, "'gradient' is not an option of valueAndGrad(); did you mean 'grad'?"],
    ['a call option of another method', () => (loss.value.bind(loss) as Untyped)(x, six, { grad: x }), TypeError, "'grad' is not an option of value(); expected one of shape, classAxis, weights, mask, normalizer, out"],
    ['null for call options', () => call(x, six, null), TypeError, 'call options is null; expected an object with options'],
    ['call options that are none', () => call(x, six, new Float32Array(6)), TypeError, 'call options is a Float32Array of length 6; expected an object with options'],
    ['out with a reduction', () => call(x, six, { out: new Float32Array(6) }), TypeError, "out is given with reduction 'mean'; expected reduction 'none'"],
    ['a grad of another kind', () => call(x, six, { grad: new Float64Array(6) }), TypeError, 'grad is a Float64Array of length 6; expected a Float32Array, as logits is'],
    ['a grad of another length', () => call(x, six, { grad: new Float32Array(5) }), RangeError, 'grad has length 5; expected 6'],
    ['a detached grad', () => call(x, six, { grad: detached() }), TypeError, 'grad has lost its memory: its buffer is detached (transferred to another thread, perhaps)'],
    ['a grad half over the logits', () => call(memory.subarray(0, 6), six, { grad: memory.subarray(3, 9) }), RangeError, 'grad overlaps logits in memory; expected memory of its own (or exactly the logits)'],
    ['a grad over the targets', () => call(x, memory.subarray(0, 6), { grad: memory.subarray(3, 9) }), RangeError, 'grad overlaps targets in memory; expected memory of its own'],
    ['out over the logits', () => callNone(memory.subarray(0, 6), six, { out: memory.subarray(0, 6) }), RangeError, 'out overlaps logits in memory; expected memory of its own'],
    ['out over grad', () => callNone(x, six, { out: memory.subarray(0, 6), grad: memory.subarray(0, 6) }), RangeError, 'out overlaps grad in memory; expected memory of its own'],
    ['softmax without shape', () => callSoftmax(x, six), TypeError, 'shape is undefined; expected [rows, classes], as targets has one entry per logit (6)'],
  ])('%s', (_, run, type, message) => {
    const before = [x.slice(), memory.slice()]
    expect(run).toThrow(new type(message))
    expect(run).toThrow(type)
    expect([x, memory]).toEqual(before)
  })

  it('names what else a class index may be', () => {
    const some = new SigmoidFocalLoss({ background: 'num-classes', ignoreIndex: -1, backend: 'js' })
    expect(some.sums(x, [3, -1])).toMatchObject({ elements: 3, rows: 1, positives: 0 })
    expect(() => some.value(x, [0, 4])).toThrow(
      new RangeError('targets[1] is 4; expected a class in 0..2, background 3 or ignoreIndex -1'),
    )
  })

  it('wants one alpha per class', () => {
    const some = new SigmoidFocalLoss({ alpha: [0.1, 0.2], backend: 'js' })
    expect(() => some.value(x, six)).toThrow(
      new RangeError('alpha or classWeights has 2 entries; expected one per class, 1 (shape tells how many there are)'),
    )
    expect(some.value(x, six, { shape: [3, 2] })).toBeGreaterThan(0)
  })

  it('keeps the background of a softmax outside the classes', () => {
    const some = new SoftmaxFocalLoss({ background: 0, backend: 'js' })
    expect(() => some.value(x, [0, 1])).toThrow(
      new RangeError('background is 0; expected an integer outside the classes 0..2 of a softmax'),
    )
  })
})

describe('a good call', () => {
  it('reads any memory', () => {
    const expected = loss.value(x, six)
    const shared = new Float32Array(new SharedArrayBuffer(24))
    shared.set(x)
    const unaligned = new Float32Array(new ArrayBuffer(28), 4)
    unaligned.set(x)
    expect(loss.value(shared, six)).toBe(expected)
    expect(loss.value(unaligned, Uint8Array.from(six))).toBe(expected)
    expect(loss.value(x, six.map(Boolean))).toBe(expected)
  })

  it('has loss 0 where there is nothing', () => {
    const empty = new Float32Array(0)
    expect(loss.valueAndGrad(empty, [])).toEqual({ value: 0, grad: empty })
    expect(softmax.valueAndGrad(empty, [])).toEqual({ value: 0, grad: empty })
    expect(loss.value(x, six, { mask: [0, 0, 0, 0, 0, 0] })).toBe(0)
  })

  it('may write the gradient over the logits', () => {
    const { grad } = loss.valueAndGrad(x, six)
    const logits = x.slice()
    expect(loss.valueAndGrad(logits, six, { grad: logits }).grad).toBe(logits)
    expect(logits).toEqual(grad)
  })

  it('runs over any class axis', () => {
    const transposed = Float32Array.of(1, 0.5, -2, -0.25, 3, 2)
    const rows = loss.valueAndGrad(x, [2, 0])
    const columns = loss.valueAndGrad(transposed, [2, 0], { shape: [3, 2], classAxis: 0 })
    expect(columns.value).toBeCloseTo(rows.value, 12)
    expect(columns.grad[4]).toBe(rows.grad[2])
    expect(softmax.value(transposed, [2, 0], { shape: [1, 3, 2], classAxis: 1 })).toBeCloseTo(softmax.value(x, [2, 0]), 12)
  })

  it('gives sums that add up', () => {
    const some = new SigmoidFocalLoss({ reduction: 'mean-positives', background: -1, backend: 'js' })
    const sums = some.sums(x, [2, -1], { grad: true, out: true })
    expect(sums).toMatchObject({ elements: 6, rows: 2, positives: 1 })
    expect(sums.sum / some.denominator(sums)).toBe(some.value(x, [2, -1]))
    expect(sums.out.reduce((a, b) => a + b)).toBeCloseTo(sums.sum, 6)
    expect(sums.grad).toEqual(some.valueAndGrad(x, [2, -1]).grad)
  })
})
