/** Calls on arrays in a GPU's memory: the same results as on the host's, where the caller wants them, and never over other arrays. */
import { beforeEach, describe, expect, it } from 'vitest'
import { type DeviceArray as Device, DeviceArray, type DeviceDtype, type DevicePointer, type FloatDtype, type NumericArray, setBackend, SigmoidFocalLoss, sigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { deviceDtypes } from '../../../src/arrays/element_type.js'
import { fromBits, toBits } from '../../../src/arrays/half.js'
import { useCuda } from '../../support/cuda.js'
import { elementwiseNames, elementwiseOf, lossNames, lossOf } from '../../support/losses.js'
import { seeded } from '../../support/random.js'
import { thrownBy } from '../../support/thrown.js'

beforeEach(() => {
  useCuda()
  setBackend('auto')
})

const floats = ['float32', 'float64', 'float16', 'bfloat16'] as const satisfies readonly FloatDtype[]
const ROWS = 30
const CLASSES = 5
const SIZE = ROWS * CLASSES

const random = seeded(5)
const numbers = Float64Array.from({ length: SIZE }, () => random.between(-6, 6))
const soft = Float64Array.from({ length: SIZE }, () => random())
const labels = Array.from({ length: SIZE }, () => random.integer(2))
const classes = Array.from({ length: ROWS }, () => random.integer(CLASSES))

/** Numbers as the host holds elements of a type. */
function hostOf(dtype: DeviceDtype, values: ArrayLike<number>): NumericArray {
  if (dtype === 'float16' || dtype === 'bfloat16') {
    const bits = new Uint16Array(values.length)
    toBits(Float64Array.from(values), dtype, bits)
    return bits
  }
  return DeviceArray.alloc(dtype, values.length).toHost().map((_, i) => values[i])
}

function deviceOf<D extends DeviceDtype>(dtype: D, values: ArrayLike<number>): Device<D> {
  const array = DeviceArray.alloc(dtype, values.length)
  array.set(hostOf(dtype, values) as never)
  return array
}

const halfOf = (dtype: FloatDtype) => (dtype === 'float16' || dtype === 'bfloat16' ? { dtype } : {})

describe.each(floats)('logits of %s', (dtype) => {
  const host = () => hostOf(dtype, numbers) as Float32Array
  const device = () => deviceOf(dtype, numbers)
  const half = halfOf(dtype)

  it.each(elementwiseNames)('give what the host would get, %s', (name) => {
    for (const reduction of ['none', 'mean'] as const) {
      const expected = elementwiseOf(name, { reduction, backend: 'cuda' }).valueGradAndHess(host(), soft, half)
      const loss = elementwiseOf(name, { reduction })
      const { value, grad, hess } = loss.valueGradAndHess(device(), deviceOf('float64', soft))
      expect(typeof value === 'number' ? value : value.toHost()).toEqual(expected.value)
      expect(grad).toBeInstanceOf(DeviceArray)
      expect(grad.dtype).toBe(dtype)
      expect([grad.toHost(), hess.toHost()]).toEqual([expected.grad, expected.hess])
      expect(loss.value(device(), labels)).toEqual(typeof value === 'number' ? expect.any(Number) : expect.any(DeviceArray))
    }
  })

  it('give a softmax the same', () => {
    const expected = new SoftmaxFocalLoss({ reduction: 'none', backend: 'cuda' }).valueAndGrad(host(), Uint8Array.from(classes), half)
    const { value, grad } = new SoftmaxFocalLoss({ reduction: 'none' }).valueAndGrad(device(), deviceOf('uint8', classes))
    expect([value.length, value.toHost(), grad.toHost()]).toEqual([ROWS, expected.value, expected.grad])
  })

  it('have their sums, and write where the caller says', () => {
    const loss = new SigmoidFocalLoss()
    const expected = new SigmoidFocalLoss({ backend: 'cuda' }).sums(host(), labels, { ...half, grad: true, out: true })
    const mine = DeviceArray.alloc(dtype, SIZE)
    const { grad, out, ...sums } = loss.sums(device(), labels, { grad: mine, out: true })
    expect(grad).toBe(mine)
    expect({ ...sums, grad: grad.toHost(), out: out.toHost() }).toEqual(expected)
  })

  it('may become their own gradient', () => {
    const logits = device()
    const expected = new SigmoidFocalLoss().valueAndGrad(device(), labels)
    const { grad, value } = new SigmoidFocalLoss().valueAndGrad(logits, labels, { grad: logits })
    expect(grad).toBe(logits)
    expect([value, logits.toHost()]).toEqual([expected.value, expected.grad.toHost()])
  })
})

describe.each(deviceDtypes.filter((dtype) => !['float16', 'bfloat16'].includes(dtype)))('%s', (dtype) => {
  it('are targets, weights and masks', () => {
    const call = (of: (dtype: DeviceDtype, values: ArrayLike<number>) => NumericArray | Device) => ({ weights: of(dtype, labels), mask: of(dtype, classes) })
    const shape = [ROWS, CLASSES]
    const loss = new SigmoidFocalLoss({ background: -1, reduction: 'none' })
    const onHost = new SigmoidFocalLoss({ background: -1, reduction: 'none', backend: 'cuda' })
    const logits = Float32Array.from(numbers)
    // Class indices are integers
    for (const targets of dtype.startsWith('float') ? [labels] : [labels, classes]) {
      const expected = onHost.valueAndGrad(logits, hostOf(dtype, targets), { ...call(hostOf), shape })
      const { value, grad } = loss.valueAndGrad(DeviceArray.from(logits), deviceOf(dtype, targets), { ...call(deviceOf), shape })
      expect([value.toHost(), grad.toHost()]).toEqual([expected.value, expected.grad])
    }
  })
})

it.each(['float16', 'bfloat16'] as const)('targets of %s are the numbers that their bits are', (dtype) => {
  const exact = fromBits(hostOf(dtype, soft) as Uint16Array, dtype)
  const logits = DeviceArray.from(Float32Array.from(numbers))
  const loss = new SigmoidFocalLoss()
  expect(loss.value(logits, deviceOf(dtype, soft), { weights: deviceOf(dtype, soft) })).toBe(loss.value(logits, exact, { weights: exact }))
})

describe('a call', () => {
  const loss = new SigmoidFocalLoss()
  const logits = () => DeviceArray.from(Float32Array.from(numbers))

  it('takes arrays of both sides, and its results lie where its logits do', () => {
    const expected = loss.valueAndGrad(logits(), labels, { weights: soft })
    const mixed = loss.valueAndGrad(Float32Array.from(numbers), deviceOf('uint8', labels), { weights: deviceOf('float64', soft) })
    expect(mixed.grad).toEqual(expected.grad.toHost())
    expect(mixed.value).toBe(expected.value)
  })

  it('is asynchronous too', async () => {
    const expected = loss.valueAndGrad(logits(), labels)
    const { value, grad } = await loss.valueAndGradAsync(logits(), deviceOf('uint8', labels))
    expect([value, grad.toHost()]).toEqual([expected.value, expected.grad.toHost()])
    const each = await new SigmoidFocalLoss({ reduction: 'none' }).valueGradAndHessAsync(logits(), labels, { clampHess: 0 })
    expect(each.value).toBeInstanceOf(DeviceArray)
    await expect(loss.valueAndGradAsync(logits(), labels, { signal: AbortSignal.abort(new Error('no more')) })).rejects.toThrow('no more')
  })

  it('takes one-liners', () => {
    const each = sigmoidFocalLoss(logits(), labels)
    expect(each.toHost()).toEqual(sigmoidFocalLoss(Float32Array.from(numbers), labels, { backend: 'cuda' }))
    expect(sigmoidFocalLoss(logits(), labels, { reduction: 'sum' })).toBeTypeOf('number')
  })

  it('of no rows costs nothing', () => {
    const { value, grad } = loss.valueAndGrad(DeviceArray.alloc('float32', 0), [])
    expect([value, grad.toHost()]).toEqual([0, new Float32Array(0)])
  })

  it('names a bad target, and writes nothing', () => {
    const grad = DeviceArray.from(new Float32Array(SIZE).fill(7))
    const targets = deviceOf('int32', labels.with(17, 80))
    expect(() => loss.valueAndGrad(logits(), targets, { grad })).toThrow(new RangeError('targets[17] is 80; expected a number from 0 to 1'))
    expect(grad.toHost()).toEqual(new Float32Array(SIZE).fill(7))
  })
})

describe('arrays of chunks', () => {
  it.each(lossNames)('add up to the bits of one call, %s', (name) => {
    const [width, rows] = [3, 400_000]
    const x = Float32Array.from({ length: rows * width }, (_, k) => 5 * Math.sin(k))
    const y = Uint8Array.from({ length: rows }, (_, r) => r % width)
    const loss = lossOf(name, {})
    const whole = loss.sums(DeviceArray.from(x), DeviceArray.from(y))
    const chunks = loss.accumulator()
    const step = chunks.blockRows(width, 'cuda')
    for (let from = 0; from < rows; from += step) {
      chunks.add(DeviceArray.from(x.subarray(from * width, (from + step) * width)), y.subarray(from, from + step))
    }
    expect(step).toBeLessThan(rows)
    expect(chunks.sums).toEqual(whole)
  }, 30_000)

  it('are blocks of the GPU where the loss runs there', () => {
    const rows = (loss: SigmoidFocalLoss | SoftmaxFocalLoss) => [1, 3, 80, 4096].map((width) => loss.accumulator().blockRows(width))
    expect(rows(new SigmoidFocalLoss({ backend: 'cuda' }))).toEqual([262_144, 262_144, 16_384, 64])
    expect(rows(new SoftmaxFocalLoss({ backend: 'cuda' }))).toEqual([262_144, 87_296, 3200, 128])
    expect(rows(new SigmoidFocalLoss({ backend: 'js' }))).toEqual([4032, 1344, 252, 63])
    expect(() => new SigmoidFocalLoss().accumulator().blockRows(1, 'gpu' as 'js')).toThrow(/^backend is 'gpu'; expected one of/)
  })
})

describe('no output may lie over another array', () => {
  const loss = new SigmoidFocalLoss({ reduction: 'none' })
  const all = () => DeviceArray.from(new Float32Array(8).fill(7))
  const part = ({ ptr, dtype, device }: Device<'float32'>, from: number, length = 4): DevicePointer<'float32'> => ({ ptr: ptr + BigInt(4 * from), length, dtype, device })

  it.each<[string, (memory: Device<'float32'>) => unknown, string]>([
    ['the logits', (m) => loss.valueAndGrad(part(m, 0), [0, 1, 0, 1], { grad: part(m, 1) }), 'grad overlaps logits in memory; expected memory of its own (or exactly the logits)'],
    ['the targets', (m) => loss.valueAndGrad(DeviceArray.alloc('float32', 4), part(m, 2), { grad: part(m, 2) }), 'grad overlaps targets in memory; expected memory of its own'],
    ['the losses', (m) => loss.valueAndGrad(DeviceArray.alloc('float32', 4), [0, 1, 0, 1], { grad: part(m, 1), out: part(m, 4) }), 'out overlaps grad in memory; expected memory of its own'],
    ['the gradient', (m) => loss.valueGradAndHess(DeviceArray.alloc('float32', 4), [0, 1, 0, 1], { grad: part(m, 0), hess: part(m, 3) }), 'grad overlaps hess in memory; expected memory of its own'],
  ])('%s', (_, run, message) => {
    const memory = all()
    expect(() => run(memory)).toThrow(new RangeError(message))
    expect(memory.toHost()).toEqual(new Float32Array(8).fill(7))
  })

  it('but side by side it may', () => {
    const memory = all()
    loss.valueAndGrad(part(memory, 0), [0, 1, 0, 1], { grad: part(memory, 4) })
    expect([...memory.toHost().subarray(0, 4)]).toEqual([7, 7, 7, 7])
  })
})

/** Arguments as an untyped caller may pass them. */
type Untyped = Record<string, (...args: readonly unknown[]) => unknown>

describe('errors', () => {
  const untyped = (loss: object) => loss as Untyped
  const sigmoid = () => untyped(new SigmoidFocalLoss())
  const x = () => DeviceArray.from(Float32Array.of(1, 2))
  const gone = () => {
    const array = DeviceArray.alloc('float32', 2)
    array.dispose()
    return array
  }
  const host = 'a typed array of the host (toHost() makes one)'

  it.each<[string, () => unknown, string]>([
    ['logits of integers', () => sigmoid().value(DeviceArray.alloc('int32', 2), [0, 1]), 'TypeError: logits is an int32 array of length 2 on a GPU; expected one of float32, float64, float16 or bfloat16'],
    ['another dtype than the array has', () => sigmoid().value(x(), [0, 1], { dtype: 'float16' }), "RangeError: dtype is 'float16'; expected 'float32', as logits is, or no dtype"],
    ['a gradient of another type', () => sigmoid().valueAndGrad(x(), [0, 1], { grad: DeviceArray.alloc('float64', 2) }), 'TypeError: grad is a float64 array of length 2 on a GPU; expected a float32 array on GPU 0, as logits is'],
    ['a gradient on the host', () => sigmoid().valueAndGrad(x(), [0, 1], { grad: new Float32Array(2) }), 'TypeError: grad is a Float32Array of length 2; expected a float32 array on GPU 0, as logits is'],
    ['a gradient of bytes', () => sigmoid().valueAndGrad(x(), [0, 1], { grad: new DataView(new ArrayBuffer(8)) }), 'TypeError: grad is a DataView; expected a float32 array on GPU 0, as logits is'],
    ['a gradient on the GPU for logits of the host', () => sigmoid().valueAndGrad(new Float32Array(2), [0, 1], { grad: x() }), 'TypeError: grad is a float32 array of length 2 on a GPU; expected a Float32Array, as logits is'],
    ['a gradient of another length', () => sigmoid().valueAndGrad(x(), [0, 1], { grad: DeviceArray.alloc('float32', 3) }), 'RangeError: grad has length 3; expected 2'],
    ['floats as indices', () => untyped(new SoftmaxFocalLoss()).value(DeviceArray.alloc('float32', 4), x()), "TypeError: targets is a float32 array of length 2 on a GPU; expected 4 labels, one per logit, or class indices, one per row, in an integer typed array"],
    ['disposed logits', () => sigmoid().value(gone(), [0, 1]), 'TypeError: logits is a DeviceArray that is disposed; expected one that has its memory'],
    ['disposed weights', () => sigmoid().value(x(), [0, 1], { weights: gone() }), 'TypeError: weights is a DeviceArray that is disposed; expected one that has its memory'],
    ['another backend', () => untyped(new SigmoidFocalLoss({ backend: 'native' })).value(x(), [0, 1]), "TypeError: backend is 'native' and logits an array on a GPU; expected backend 'cuda' or 'auto', or arrays in host memory"],
    ['another backend, with targets on the GPU', () => untyped(new SigmoidFocalLoss({ backend: 'js' })).value(new Float32Array(2), x()), "TypeError: backend is 'js' and targets an array on a GPU; expected backend 'cuda' or 'auto', or arrays in host memory"],
    ['posteriors', () => sigmoid().toProbability(x()), 'TypeError: logits is a float32 array of length 2 on a GPU; expected a Float32Array or a Float64Array of the host (toHost() makes one)'],
    ['explanations', () => sigmoid().explain(x(), [0, 1]), `TypeError: logits is a float32 array of length 2 on a GPU; expected ${host}`],
    ['explanations of targets', () => sigmoid().explain(new Float32Array(2), x()), `TypeError: targets is a float32 array of length 2 on a GPU; expected ${host}`],
  ])('%s', async (_, run, expected) => {
    expect(String(await thrownBy(run))).toBe(expected)
  })

  it('another backend that is set for all', () => {
    setBackend('wasm')
    expect(() => new SigmoidFocalLoss().value(x(), [0, 1])).toThrow(/^backend is 'wasm' and logits an array on a GPU/)
  })

  it('an array that is disposed while its call waits', async () => {
    const [first, logits] = [x(), x()]
    const loss = new SigmoidFocalLoss()
    const before = loss.valueAndGradAsync(first, [0, 1])
    const pending = loss.valueAndGradAsync(logits, [0, 1])
    logits.dispose()
    await expect(pending).rejects.toThrow(new TypeError('logits has length 0; expected 2 until the promise settles (was it disposed?)'))
    expect((await before).value).toBe(loss.value(x(), [0, 1]))
  })
})
