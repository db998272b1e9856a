/** Arrays in a GPU's memory: made, filled, read, freed by hand and by the collector, and refused. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeEach, describe, expect, it } from 'vitest'
import { DeviceArray, type DeviceDtype, type HostArray, pin } from 'focal-loss'
import { cudaDevices } from '../../../src/backends/cuda/devices.js'
import { deviceDtypes } from '../../../src/arrays/element_type.js'
import { detached, growable, resizable } from '../../support/buffers.js'
import { useCuda } from '../../support/cuda.js'
import { thrownBy } from '../../support/thrown.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const free = () => cudaDevices().session(0).memory().free

beforeEach(() => useCuda())

const samples: { readonly [D in DeviceDtype]: HostArray<D> } = {
  float32: Float32Array.of(1.5, -0, NaN, Infinity),
  float64: Float64Array.of(1 / 3, -1e300, 5e-324, 0),
  int8: Int8Array.of(-128, 0, 1, 127),
  uint8: Uint8Array.of(0, 1, 254, 255),
  int16: Int16Array.of(-32768, 0, 1, 32767),
  uint16: Uint16Array.of(0, 1, 2, 65535),
  int32: Int32Array.of(-(2 ** 31), 0, 1, 2 ** 31 - 1),
  uint32: Uint32Array.of(0, 1, 2, 2 ** 32 - 1),
  float16: Uint16Array.of(0x3c00, 0x8000, 0x7c00, 1),
  bfloat16: Uint16Array.of(0x3f80, 0x8000, 0x7f80, 1),
}

function on(dtype: DeviceDtype): DeviceArray {
  const sample = samples[dtype]
  return dtype === 'float16' || dtype === 'bfloat16' ? DeviceArray.from(sample as Uint16Array, { dtype }) : DeviceArray.from(sample)
}

describe.each(deviceDtypes)('%s', (dtype) => {
  const sample = samples[dtype]

  it('goes to the GPU and comes back', () => {
    const array = on(dtype)
    expect(array).toMatchObject({ dtype, length: 4, byteLength: sample.byteLength, device: 0, disposed: false })
    expect(array.toHost()).toEqual(sample)
    const out = sample.slice().fill(0)
    expect(array.toHost(out)).toBe(out)
    expect(out).toEqual(sample)
  })

  it('is zeros when new, and takes parts of others', () => {
    const array = DeviceArray.alloc(dtype, 6)
    expect(array.toHost()).toEqual(new (sample.constructor as new (length: number) => HostArray<DeviceDtype>)(6))
    array.set(sample.subarray(1, 3), 4)
    array.set(on(dtype))
    expect([...array.toHost()]).toEqual([...sample, ...sample.subarray(1, 3)])
  })
})

describe('an array', () => {
  it('is a copy, of another one too', () => {
    const source = Float32Array.of(1, 2)
    const first = DeviceArray.from(source)
    const second = DeviceArray.from(first)
    source.fill(0)
    first.set(Float32Array.of(5, 6))
    expect(second.toHost()).toEqual(Float32Array.of(1, 2))
    expect(second.ptr).not.toBe(first.ptr)
  })

  it('comes from any memory of the host', () => {
    const shared = new Float32Array(new SharedArrayBuffer(16), 4, 2).fill(3)
    const grown = new Float32Array(growable(16, 32), 8).fill(4)
    const view = new Float32Array(resizable(16, 32), 4, 1).fill(5)
    for (const array of [shared, grown, view, new Float32Array(0)]) expect(DeviceArray.from(array).toHost()).toEqual(Float32Array.from(array))
    expect(DeviceArray.from(Uint8ClampedArray.of(300)).toHost()).toEqual(Uint8Array.of(255))
    expect(DeviceArray.from(Buffer.from([7])).toHost()).toEqual(Uint8Array.of(7))
  })

  it('may be empty', () => {
    const array = DeviceArray.alloc('int32', 0)
    expect(array).toMatchObject({ ptr: 0n, length: 0, byteLength: 0 })
    array.set(new Int32Array(0))
    expect(array.toHost()).toEqual(new Int32Array(0))
    array.dispose()
  })

  it('lies where its address says', () => {
    const array = DeviceArray.alloc('float64', 3)
    expect(array.ptr).toBeGreaterThan(0n)
    expect(cudaDevices().addon.owner(array.ptr)).toBe(0)
    expect(Object.prototype.toString.call(array)).toBe('[object DeviceArray]')
  })
})

describe('memory', () => {
  const BYTES = 2 ** 26

  it('is freed by dispose(), once', () => {
    const before = free()
    const array = DeviceArray.alloc('uint8', BYTES)
    expect(before - free()).toBeGreaterThanOrEqual(BYTES)
    array.dispose()
    array.dispose()
    expect(before - free()).toBeLessThan(BYTES)
    expect(array).toMatchObject({ disposed: true, length: BYTES })
  })

  it('is freed by what `using` calls', () => {
    const array = DeviceArray.alloc('uint8', 1)
    array[Symbol.dispose]()
    expect(array.disposed).toBe(true)
  })

  /** Until this much is free again, or so many turns of the event loop later. */
  async function freed(bytes: number): Promise<boolean> {
    for (let turn = 0; turn < 20 && free() < bytes; turn++) {
      collect()
      await new Promise(setImmediate)
    }
    return free() >= bytes
  }

  it('is freed by the collector', async () => {
    const before = free()
    expect(DeviceArray.alloc('uint8', BYTES).length).toBe(BYTES)
    expect(await freed(before)).toBe(true)
  })

  it('may run out, and the process lives on', () => {
    const before = free()
    expect(() => DeviceArray.alloc('float64', 2 ** 47)).toThrow(
      /^the GPU has no memory for 1125899\.9 GB \(\d+\.\d [MG]B of \d+\.\d GB are free\); dispose\(\) arrays that are no longer needed, or take smaller ones$/,
    )
    expect(free()).toBe(before)
    expect(DeviceArray.from(Float32Array.of(1)).toHost()).toEqual(Float32Array.of(1))
  })
})

describe('after dispose()', () => {
  const gone = () => {
    const array = DeviceArray.alloc('float32', 2)
    array.dispose()
    return array
  }

  it('nothing may be read, written or computed', () => {
    const message = 'is a DeviceArray that is disposed; expected one that has its memory'
    expect(() => gone().toHost()).toThrow(new TypeError('the DeviceArray is disposed; expected one that has its memory'))
    expect(() => gone().set(new Float32Array(2))).toThrow(new TypeError('the DeviceArray is disposed; expected one that has its memory'))
    expect(() => DeviceArray.alloc('float32', 2).set(gone())).toThrow(new TypeError(`source ${message}`))
    expect(() => DeviceArray.from(gone())).toThrow(new TypeError(`source ${message}`))
  })
})

/** Arguments as an untyped caller may pass them. */
type Untyped = (...args: readonly unknown[]) => unknown

describe('errors', () => {
  const alloc = DeviceArray.alloc.bind(DeviceArray) as Untyped
  const from = DeviceArray.from.bind(DeviceArray) as Untyped
  const four = () => DeviceArray.alloc('float32', 4)
  const set: Untyped = (...args) => (four() as unknown as { set: Untyped }).set(...args)
  const toHost: Untyped = (...args) => (four() as unknown as { toHost: Untyped }).toHost(...args)
  const numeric = 'a numeric typed array (BigInt arrays excepted) or an array on a GPU'
  const kind = 'elements of float32, on the host or on GPU 0'

  it.each<[string, () => unknown, string]>([
    ['no dtype', () => alloc('float8', 1), `RangeError: dtype is 'float8'; expected one of ${deviceDtypes.map((each) => `'${each}'`).join(', ')}`],
    ['a length of another type', () => alloc('int8', '1'), "TypeError: length is '1'; expected an integer >= 0"],
    ['half an element', () => alloc('int8', 1.5), 'RangeError: length is 1.5; expected an integer >= 0'],
    ['less than nothing', () => alloc('int8', -1), 'RangeError: length is -1; expected an integer >= 0'],
    ['no such device', () => alloc('int8', 1, { device: 99 }), expect.stringMatching(/^RangeError: device is 99; expected an integer from 0 to \d, the index of a GPU here$/) as string],
    ['no number as device', () => alloc('int8', 1, { device: 'gpu' }), expect.stringMatching(/^TypeError: device is 'gpu'; expected an integer/) as string],
    ['an option of no such name', () => alloc('int8', 1, { devise: 0 }), "TypeError: 'devise' is not an option of DeviceArray; did you mean 'device'?"],
    ['a plain array', () => from([1, 2]), `TypeError: source is an array of length 2; expected ${numeric}`],
    ['64-bit integers', () => from(new BigInt64Array(1)), `TypeError: source is a BigInt64Array of length 1; expected ${numeric}`],
    ['bits of another type', () => from(new Float32Array(1), { dtype: 'float16' }), "TypeError: source is a Float32Array of length 1; expected a Uint16Array, as dtype is 'float16'"],
    ['bits that are no half precision', () => from(new Uint16Array(1), { dtype: 'float32' }), "RangeError: dtype is 'float32'; expected one of 'float16', 'bfloat16'"],
    ['lost memory', () => from(detached()), expect.stringMatching(/^TypeError: source has lost its memory, as its buffer is detached/) as string],
    ['elements of another type', () => set(new Float64Array(1)), `TypeError: source is a Float64Array of length 1; expected ${kind}`],
    ['elements of another type on the GPU', () => set(DeviceArray.alloc('int32', 1)), `TypeError: source is an int32 array of length 1 on a GPU; expected ${kind}`],
    ['more than there is room for', () => set(new Float32Array(3), 2), 'RangeError: offset is 2; expected an integer from 0 to 1, as 3 elements go into 4'],
    ['an offset that is none', () => set(new Float32Array(1), 0.5), 'RangeError: offset is 0.5; expected an integer from 0 to 3, as 1 elements go into 4'],
    ['an offset of another type', () => set(new Float32Array(1), '0'), "TypeError: offset is '0'; expected an integer >= 0"],
    ['a result of another length', () => toHost(new Float32Array(3)), 'RangeError: out has length 3; expected 4'],
    ['a result of another type', () => toHost(new Int8Array(4)), `TypeError: out is an Int8Array of length 4; expected ${kind}`],
    ['a result on the GPU', () => toHost(four()), 'TypeError: out is a float32 array of length 4 on a GPU; expected a typed array'],
  ])('%s', async (_, run, expected) => {
    expect(String(await thrownBy(run))).toEqual(expected)
  })
})

describe('pinned memory', () => {
  it('is the same array, until it is given back', () => {
    const array = Float32Array.of(1, 2, 3)
    const pinned = pin(array)
    expect(pinned).toMatchObject({ disposed: false })
    expect(pinned.array).toBe(array)
    const device = DeviceArray.from(pinned.array)
    array.fill(0)
    expect(device.toHost(array)).toEqual(Float32Array.of(1, 2, 3))
    pinned.dispose()
    pinned[Symbol.dispose]()
    expect(pinned.disposed).toBe(true)
    expect(array).toEqual(Float32Array.of(1, 2, 3))
  })

  it('may be pinned again, and be empty', () => {
    const array = new Float64Array(1000)
    for (let i = 0; i < 3; i++) pin(array).dispose()
    expect(pin(new Int8Array(0)).disposed).toBe(false)
  })

  it('must stay where it is', () => {
    expect(() => pin(new Float32Array(resizable(16, 32)))).toThrow(new RangeError('array lies in a resizable buffer; expected memory that stays where it is'))
    expect(() => pin([1] as never)).toThrow(new TypeError('array is an array of length 1; expected a numeric typed array (BigInt arrays excepted)'))
  })
})
