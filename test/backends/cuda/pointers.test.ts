/** Memory of other libraries, by its address: used where it lies, and refused where it does not lie where it should. */
import { beforeEach, describe, expect, it } from 'vitest'
import { DeviceArray, type DevicePointer, SigmoidFocalLoss } from 'focal-loss'
import { cudaDevices } from '../../../src/backends/cuda/devices.js'
import { useCuda } from '../../support/cuda.js'
import { thrownBy } from '../../support/thrown.js'

beforeEach(() => useCuda())

const x = Float32Array.of(1, -2, 3, 0.5)
const y = Uint8Array.of(1, 0, 0, 1)

/** What another library would hand over; `keep` is its array, which lives as long. */
function theirs(source: Float32Array): DevicePointer<'float32'> & { keep: DeviceArray } {
  const keep = DeviceArray.from(source)
  const { ptr, length, device } = keep
  return { ptr, length, dtype: 'float32', device, keep }
}

describe('a pointer', () => {
  const loss = new SigmoidFocalLoss()

  it('is taken wherever an array is', () => {
    const logits = theirs(x)
    const labels = DeviceArray.from(y)
    const targets = { ptr: labels.ptr, length: 4, dtype: 'uint8', device: 0 } as const
    const grad = theirs(new Float32Array(4))
    const result = loss.valueAndGrad(logits, targets, { grad, weights: theirs(x.map(Math.abs)) })
    const expected = loss.valueAndGrad(DeviceArray.from(x), y, { weights: x.map(Math.abs) })
    expect(result.value).toBe(expected.value)
    expect(grad.keep.toHost()).toEqual(expected.grad.toHost())
  })

  it('gets results in arrays of ours, or in its own', () => {
    const { grad } = loss.valueAndGrad(theirs(x), y)
    expect(grad).toBeInstanceOf(DeviceArray)
    const logits = theirs(x)
    const { grad: own } = loss.valueAndGrad(logits, y, { grad: logits })
    expect(own).toMatchObject({ ptr: logits.ptr, length: 4, dtype: 'float32', device: 0, disposed: false })
    expect(logits.keep.toHost()).toEqual(grad.toHost())
    // It is theirs: to dispose of our view of it frees nothing
    own.dispose()
    expect(logits.keep.toHost()).toEqual(grad.toHost())
  })

  it('may lie inside of an array', () => {
    const array = DeviceArray.from(Float32Array.of(9, ...x, 9))
    const part = { ptr: array.ptr + 4n, length: 4, dtype: 'float32', device: array.device } as const
    expect(loss.value(part, y)).toBe(loss.value(DeviceArray.from(x), y))
    array.set(part, 0)
    expect(DeviceArray.from(part).toHost()).toEqual(Float32Array.of(-2, 3, 0.5, 0.5))
  })

  it('may be empty, wherever it points', () => {
    expect(loss.value({ ptr: 0n, length: 0, dtype: 'float32', device: 0 }, [])).toBe(0)
  })

  it('is used while the event loop turns', async () => {
    const { value, grad } = await loss.valueAndGradAsync(theirs(x), y, { grad: theirs(new Float32Array(4)) })
    const expected = loss.valueAndGrad(DeviceArray.from(x), y)
    expect([value, grad.toHost()]).toEqual([expected.value, expected.grad.toHost()])
  })
})

describe('errors', () => {
  useCuda()
  const real = theirs(x)
  const indices = () => `an integer from 0 to ${cudaDevices().list.length - 1}, the index of a GPU here`

  it.each<[string, object, () => string]>([
    ['no bigint', { ptr: 4096 }, () => 'TypeError: logits.ptr is 4096; expected a bigint, the address of memory of a GPU'],
    ['no length', { length: undefined }, () => 'TypeError: logits.length is undefined; expected an integer >= 0'],
    ['half an element', { length: 0.5 }, () => 'RangeError: logits.length is 0.5; expected an integer >= 0'],
    ['no dtype', { dtype: undefined }, () => "TypeError: logits.dtype is undefined; expected one of 'float32', 'float64', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'float16', 'bfloat16'"],
    ['integers', { dtype: 'int32' }, () => 'TypeError: logits is an int32 array of length 4 on a GPU; expected one of float32, float64, float16 or bfloat16'],
    ['no device', { device: undefined }, () => `TypeError: logits.device is undefined; expected ${indices()}`],
    ['no such device', { device: 64 }, () => `RangeError: logits.device is 64; expected ${indices()}`],
    ['between two elements', { ptr: real.ptr + 2n }, () => `RangeError: logits.ptr is ${real.ptr + 2n}n; expected a multiple of 4, the bytes of an element`],
    ['nowhere', { ptr: 64n }, () => 'RangeError: logits.ptr + 0 lies in memory of no GPU; expected device 0, as logits.device says, for 4 elements'],
    ['beyond the end', { length: 2 ** 40 }, () => `RangeError: logits.ptr + ${2n ** 42n - 1n} lies in memory of no GPU; expected device 0, as logits.device says, for ${2 ** 40} elements`],
  ])('%s', async (_, change, expected) => {
    const thrown = await thrownBy(() => new SigmoidFocalLoss().value({ ...real, ...change }, [0, 1, 0, 1]))
    expect(String(thrown)).toBe(expected())
  })

  it('memory that has been freed', () => {
    const { keep, ...pointer } = theirs(new Float32Array(2 ** 20))
    keep.dispose()
    expect(() => new SigmoidFocalLoss().value(pointer, new Uint8Array(2 ** 20))).toThrow(/^logits\.ptr \+ 0 lies in memory of no GPU/)
  })
})
