/** The memory that arrays lie in: of any kind, at any offset, read without a trace and written nowhere else. */
import { describe, expect, it } from 'vitest'
import { type Logits, type Numbers, releaseMemory, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import { detached, growable, ofAnotherRealm, outOfBounds, resizable } from '../support/buffers.js'
import { bitsOf, elementwiseNames, elementwiseOf, logitsOf, lossNames, lossOf, precisions } from '../support/losses.js'
import { seeded } from '../support/random.js'

const [rows, classes] = [7, 3]
const size = rows * classes
const shape = [rows, classes]
const random = seeded(11)
const numbers = Array.from({ length: size }, () => random.between(-5, 5))
const indices = Int32Array.from({ length: rows }, () => random.integer(classes))
const labels = Array.from({ length: size }, () => random.integer(2))
const soft = Array.from({ length: size }, () => random())
const BYTE = 0xa5

/** `values` as elements of a larger array of marked bytes, and a check that those around them are as before. */
function within<T extends Float32Array | Float64Array | Uint8Array | Int32Array>(
  Type: { new (buffer: ArrayBufferLike, byteOffset: number, length: number): T; readonly BYTES_PER_ELEMENT: number },
  values: ArrayLike<number>,
  offset: number,
) {
  const bytes = new Uint8Array((values.length + 20) * Type.BYTES_PER_ELEMENT).fill(BYTE)
  const start = offset * Type.BYTES_PER_ELEMENT
  const array = new Type(bytes.buffer, start, values.length)
  array.set(values)
  const outsideIsUntouched = () =>
    bytes.subarray(0, start).every((byte) => byte === BYTE) && bytes.subarray(start + array.byteLength).every((byte) => byte === BYTE)
  return { array, outsideIsUntouched }
}

describe.each(testedBackends())('%s', (backend) => {
  const sigmoid = new SigmoidFocalLoss({ reduction: 'none', backend })
  const softmax = new SoftmaxFocalLoss({ reduction: 'none', backend })
  const weighted = { weights: new Float64Array(size).fill(1) }
  const expected = sigmoid.valueGradAndHess(Float32Array.from(numbers), labels, weighted)

  it('nothing costs nothing', () => {
    for (const Type of [Float32Array, Float64Array]) {
      const empty: Logits = new Type(0)
      for (const name of elementwiseNames) {
        const loss = elementwiseOf(name, { reduction: 'none', backend })
        expect(loss.valueGradAndHess(empty, [])).toEqual({ value: empty, grad: empty, hess: empty })
      }
      for (const name of lossNames) expect(lossOf(name, { backend }).valueAndGrad(empty, [])).toEqual({ value: 0, grad: empty })
      expect(softmax.value(empty, new Int32Array(0), { shape: [0, 3] })).toEqual(empty)
      expect(softmax.value(empty, new Int32Array(3), { shape: [3, 0] })).toHaveLength(3)
      expect(sigmoid.sums(empty, [])).toEqual({ sum: 0, elements: 0, rows: 0, positives: 0 })
    }
  })

  it.each(precisions)('one element is enough, %s', (precision) => {
    const x = logitsOf(precision, [0])
    const loss = new SigmoidFocalLoss({ gamma: 2, alpha: null, backend })
    const { value, grad, hess } = loss.valueGradAndHess(x, [1])
    expect([value, grad[0], hess[0]].map((each) => Number(each.toPrecision(6)))).toEqual([0.173287, -0.298287, 0.399143])
    expect(loss.sums(x, [1])).toMatchObject({ elements: 1, rows: 1, positives: 1 })
  })

  it.each([1, 2, 3, 5, 7, 11])('arrays may begin anywhere in their memory (at element %d) and nothing else is written', (offset) => {
    const logits = within(Float32Array, numbers, offset)
    const targets = within(Uint8Array, labels, offset)
    const weights = within(Float64Array, numbers.map(() => 1), 12 - offset)
    const outputs = [0, 1, 2].map((more) => within(Float32Array, new Float32Array(size), offset + more))
    const [out, grad, hess] = outputs.map(({ array }) => array)
    sigmoid.valueGradAndHess(logits.array, targets.array, { weights: weights.array, out, grad, hess })
    expect([out, grad, hess].map(bitsOf)).toEqual([expected.value, expected.grad, expected.hess].map(bitsOf))
    for (const { outsideIsUntouched } of [logits, targets, weights, ...outputs]) expect(outsideIsUntouched()).toBe(true)

    const double = within(Float64Array, numbers, offset)
    const doubleOut = within(Float64Array, new Float64Array(rows), 13 - offset)
    const doubleGrad = within(Float64Array, new Float64Array(size), offset)
    const index = within(Int32Array, indices, offset)
    const aligned = softmax.valueAndGrad(Float64Array.from(numbers), indices)
    softmax.valueAndGrad(double.array, index.array, { out: doubleOut.array, grad: doubleGrad.array })
    expect([doubleOut.array, doubleGrad.array].map(bitsOf)).toEqual([aligned.value, aligned.grad].map(bitsOf))
    for (const { outsideIsUntouched } of [double, doubleOut, doubleGrad, index]) expect(outsideIsUntouched()).toBe(true)
  })

  it('outputs may lie next to each other, and to the logits', () => {
    const memory = new Float32Array(4 * size)
    memory.set(numbers)
    const [logits, grad, hess, out] = [0, 1, 2, 3].map((part) => memory.subarray(part * size, (part + 1) * size))
    const result = sigmoid.valueGradAndHess(logits, labels, { ...weighted, grad, hess, out })
    expect([result.grad, result.hess, result.value]).toEqual([grad, hess, out])
    expect(bitsOf(memory)).toEqual(bitsOf(Float32Array.of(...numbers, ...expected.grad, ...expected.hess, ...expected.value)))
  })

  it('memory may be shared, resizable, growable, or of another realm', () => {
    const fill = (array: Float32Array) => {
      array.set(numbers)
      return array
    }
    const tracking = new Float32Array(resizable(4 * size, 8 * size))
    const growing = new Float32Array(growable(4 * size, 8 * size))
    const views = [new Float32Array(new SharedArrayBuffer(4 * size)), tracking, growing, ofAnotherRealm(numbers)]
    for (const logits of views.map(fill)) {
      for (const outputs of views) {
        if (outputs === logits) continue
        fill(outputs)
        const { grad } = sigmoid.valueGradAndHess(logits, ofAnotherRealm(labels), { ...weighted, grad: outputs })
        expect(grad).toBe(outputs)
        expect(bitsOf(grad)).toEqual(bitsOf(expected.grad))
        fill(outputs)
      }
      const { grad } = sigmoid.valueGradAndHess(logits, Buffer.from(labels), { ...weighted, grad: logits })
      expect(bitsOf(grad)).toBe(bitsOf(expected.grad))
    }
  })

  it('an array follows its buffer as that grows and shrinks', () => {
    const buffer = resizable(4 * size, 8 * size)
    const logits = new Float32Array(buffer)
    for (const length of [size, 2 * size, 5, 0, size]) {
      buffer.resize(4 * length)
      logits.forEach((_, k) => (logits[k] = numbers[k % size]))
      const targets = Uint8Array.from(logits, (_, k) => labels[k % size])
      const [followed, copied] = [logits, Float32Array.from(logits)].map((x) => sigmoid.valueGradAndHess(x, targets))
      expect(followed.grad).toHaveLength(length)
      expect([followed.value, followed.grad, followed.hess].map(bitsOf)).toEqual([copied.value, copied.grad, copied.hess].map(bitsOf))
    }
  })

  it('lost memory is an error wherever it is, and the next call is right', () => {
    const x = Float32Array.from(numbers)
    const before = bitsOf(sigmoid.value(x, labels))
    for (const lost of [detached(size), outOfBounds(size)]) {
      const calls: [string, () => unknown][] = [
        ['logits', () => sigmoid.value(lost, labels)],
        ['targets', () => sigmoid.value(x, lost)],
        ['weights', () => sigmoid.value(x, labels, { weights: lost })],
        ['mask', () => sigmoid.value(x, labels, { mask: lost })],
        ['out', () => sigmoid.value(x, labels, { out: lost })],
        ['grad', () => sigmoid.valueAndGrad(x, labels, { grad: lost })],
        ['hess', () => sigmoid.valueGradAndHess(x, labels, { hess: lost })],
        ['grad', () => sigmoid.sums(x, labels, { grad: lost })],
      ]
      for (const [name, call] of calls) {
        expect(call).toThrow(TypeError)
        expect(call).toThrow(new RegExp(`^${name} .*(detached|shrunk)`))
        expect(bitsOf(sigmoid.value(x, labels))).toBe(before)
      }
    }
  })

  it('a failed call leaves the outputs alone, and the next call is right', () => {
    const x = Float32Array.from({ length: 9000 }, (_, k) => Math.sin(k))
    const targets = Uint8Array.from(x, (_, k) => k % 2)
    const before = sigmoid.valueGradAndHess(x, targets)
    const outputs = [0, 0, 0].map(() => new Float32Array(9000).fill(7))
    const [out, grad, hess] = outputs
    const bad = targets.with(8999, 2)
    expect(() => sigmoid.valueGradAndHess(x, bad, { out, grad, hess })).toThrow('targets[8999] is 2; expected a number from 0 to 1')
    const badIndex = new Int32Array(3000).with(2999, 3)
    expect(() => softmax.valueAndGrad(x, badIndex, { out: out.subarray(0, 3000), grad })).toThrow(/^targets\[2999\] is 3; expected a class in 0\.\.2/)
    for (const array of outputs) expect(array.every((each) => each === 7)).toBe(true)
    const after = sigmoid.valueGradAndHess(x, targets, { out, grad, hess })
    expect([after.value, after.grad, after.hess].map(bitsOf)).toEqual([before.value, before.grad, before.hess].map(bitsOf))
  })

  describe('the gradient may overwrite the logits, with the same bits as elsewhere', () => {
    const long = 3 * 5000
    const layouts: Record<string, { targets: Numbers; call: object }> = {
      'one label per logit': { targets: Uint8Array.from({ length: long }, (_, k) => Number(k % 7 === 0)), call: { shape: [5000, 3] } },
      'soft labels': { targets: Float32Array.from({ length: long }, (_, k) => (k % 11) / 10), call: { shape: [5000, 3] } },
      'class index': { targets: Int32Array.from({ length: 5000 }, (_, r) => r % 3), call: {} },
      'class index, first axis': { targets: Int32Array.from({ length: 5000 }, (_, r) => r % 3), call: { shape: [3, 5000], classAxis: 0 } },
      'class index, middle axis': { targets: Int32Array.from({ length: 5000 }, (_, r) => r % 3), call: { shape: [50, 3, 100], classAxis: 1 } },
      'class index, masked': { targets: new Uint8Array(5000), call: { mask: Uint8Array.from({ length: 5000 }, (_, r) => r % 2) } },
    }
    it.each(Object.entries(layouts))('%s', (_, { targets, call }) => {
      for (const precision of precisions) {
        const x = logitsOf(precision, Array.from({ length: long }, (_, k) => 6 * Math.sin(k)))
        for (const loss of lossNames.map((name) => lossOf(name, { reduction: 'none', backend }))) {
          const apart = loss.valueAndGrad(x, targets, call)
          const logits = x.slice()
          const { value, grad } = loss.valueAndGrad(logits, targets, { ...call, grad: logits })
          expect(grad).toBe(logits)
          expect(bitsOf(grad)).toEqual(bitsOf(apart.grad))
          expect(bitsOf(value)).toEqual(bitsOf(apart.value))
        }
        for (const loss of elementwiseNames.map((name) => elementwiseOf(name, { reduction: 'none', backend }))) {
          const all = loss.valueGradAndHess(x, targets, call)
          const logits = x.slice()
          const inPlace = loss.valueGradAndHess(logits, targets, { ...call, grad: logits })
          expect([inPlace.value, inPlace.grad, inPlace.hess].map(bitsOf)).toEqual([all.value, all.grad, all.hess].map(bitsOf))
        }
      }
    })
  })

  it('inputs are as before, bit for bit, after every method', () => {
    for (const precision of precisions) {
      const logits = logitsOf(precision, numbers).fill(NaN, 0, 1).fill(-0, 1, 2).fill(-Infinity, 2, 3)
      const targets = Float64Array.from(soft)
      const weights = Float32Array.from(soft)
      const mask = Uint8Array.from(labels)
      const inputs = [logits, targets, weights, mask]
      const before = inputs.map(bitsOf)
      const call = { shape, weights, mask }
      const loss = new SigmoidFocalLoss({ backend })
      loss.value(logits, targets, call)
      loss.valueAndGrad(logits, targets, call)
      loss.valueGradAndHess(logits, targets, call)
      loss.sums(logits, targets, { ...call, grad: true, out: true })
      const perRow = { shape, weights: weights.subarray(0, rows), mask: mask.subarray(0, rows) }
      softmax.value(logits, targets, perRow)
      softmax.valueAndGrad(logits, targets, perRow)
      softmax.sums(logits, indices, { ...perRow, grad: true, out: true })
      expect(inputs.map(bitsOf)).toEqual(before)
      expect(perRow.shape).toEqual([rows, classes])
    }
  })

  it('calls of any size follow each other, with memory released or not', () => {
    const results = new Map<number, string>()
    for (const [i, length] of [10, 100_000, 10, 1_000_000, 4032, 10, 1_000_000].entries()) {
      const x = Float32Array.from({ length }, (_, k) => Math.sin(k))
      const { grad } = sigmoid.valueAndGrad(x, new Uint8Array(length))
      const bits = bitsOf(grad)
      expect(bits).toBe(results.get(length) ?? bits)
      results.set(length, bits)
      if (i % 2 === 1) releaseMemory()
    }
  })
})

describe.each(testedBackends().filter((backend) => backend === 'wasm'))('%s', (backend) => {
  // Memory that is never touched costs nothing, so that these arrays may be larger than what the module can address
  it('more than the module can hold is a RangeError, and the next call is right', () => {
    const loss = new SigmoidFocalLoss({ reduction: 'none', backend })
    const before = bitsOf(loss.value(Float32Array.from(numbers), labels))
    const length = 150e6
    const [logits, out, hess, weights] = [0, 1, 2, 3].map(() => new Float64Array(length))
    const call = () => loss.valueGradAndHess(logits, new Uint8Array(length), { grad: logits, hess, out, weights })
    expect(call).toThrow(RangeError)
    expect(call).toThrow(/^the wasm backend could not get 47\d\d\.\d MiB of memory for this call; split the batch/)
    expect(bitsOf(loss.value(Float32Array.from(numbers), labels))).toBe(before)
  })
})
