/** Arrays that say other things of themselves than are true, and that change while a call is being checked. */
import { describe, expect, it } from 'vitest'
import { backends, init, type NumericArray, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import { resizable } from '../support/buffers.js'
import { bitsOf } from '../support/losses.js'

const size = 3000
const numbers = Float32Array.from({ length: size }, (_, i) => (i % 41) / 4 - 5)
const ones = Float32Array.from({ length: size }, (_, i) => Number(i < 500))

/** In a buffer that can shrink: a view of all there is, or of as much as there was. */
function shrinking(kind: 'tracking' | 'fixed') {
  const buffer = resizable(4 * size, 4 * size)
  const array = kind === 'tracking' ? new Float32Array(buffer) : new Float32Array(buffer, 0, size)
  array.set(numbers)
  return { array, shrink: () => buffer.resize(16) }
}

/** A plain array, and what is done when its sixth number is read. */
function plain(values: ArrayLike<number>, done: (array: number[]) => void): number[] {
  const array = Array.from(values)
  Object.defineProperty(array, 5, {
    get() {
      done(array)
      return values[5]
    },
  })
  return array
}

const lies: readonly (readonly [string, unknown])[] = [
  ['byteLength', 0],
  ['byteLength', 4],
  ['byteLength', 2 ** 33],
  ['length', 10],
  ['length', 1e9],
  ['BYTES_PER_ELEMENT', 1],
  ['BYTES_PER_ELEMENT', 8],
  ['byteOffset', 8],
  ['buffer', new ArrayBuffer(8)],
  ['set', () => undefined],
  ['subarray', () => new Float32Array(1)],
  ['constructor', Uint8Array],
]

describe.each(testedBackends())('%s', (backend) => {
  const loss = new SigmoidFocalLoss({ backend })
  const expected = loss.valueAndGrad(numbers, ones)
  const weighted = loss.valueAndGrad(numbers, ones, { weights: new Float32Array(size).fill(1) })

  it.each(lies)('is not misled by an own property %s = %s', async (property, value) => {
    for (const which of ['logits', 'targets', 'weights', 'grad'] as const) {
      const arrays = { logits: numbers.slice(), targets: ones.slice(), weights: new Float32Array(size).fill(1), grad: new Float32Array(size) }
      Object.defineProperty(arrays[which], property, { value })
      const { logits, targets, weights, grad } = arrays
      expect(loss.valueAndGrad(logits, targets, { weights, grad }).value).toBe(weighted.value)
      expect(gradOf(grad)).toEqual(weighted.grad)
      for (let i = 0; i < size; i++) grad[i] = 7
      expect((await loss.valueAndGradAsync(logits, targets, { weights, grad })).value).toBe(weighted.value)
      expect(gradOf(grad)).toEqual(weighted.grad)
    }
  })

  it.each(['%TypedArray%', 'Float32Array', 'ArrayBuffer', 'Array'])('is right, or throws, whichever method or getter of %s is replaced', async (name) => {
    const { prototype } = (name === '%TypedArray%' ? Object.getPrototypeOf(Uint8Array) : globalThis[name as 'Array']) as { prototype: object }
    const { defineProperty, getOwnPropertyDescriptors } = Object
    const weights = new Float32Array(size).fill(1)
    const calls = [[{ weights }, weighted], [{}, expected]] as const
    const right = (came: unknown, wanted: typeof expected) => came instanceof Error || (bitsOf((came as typeof expected).grad) === bitsOf(wanted.grad) && (came as typeof expected).value === wanted.value)
    const wrong: string[] = []
    for (const [key, descriptor] of Object.entries(getOwnPropertyDescriptors(prototype))) {
      if (key === 'constructor' || descriptor.configurable !== true) continue
      for (const lie of [() => 0, () => undefined]) {
        for (const [options, wanted] of calls) {
          let came: unknown
          defineProperty(prototype, key, descriptor.get === undefined ? { value: lie, configurable: true, writable: true } : { get: lie, configurable: true })
          try {
            came = loss.valueAndGrad(numbers, ones, options)
          } catch (error) {
            came = error
          } finally {
            defineProperty(prototype, key, descriptor)
          }
          if (!right(came, wanted)) wrong.push(key)
        }
      }
    }
    expect(wrong).toEqual([])
    for (const [options, wanted] of calls) {
      expect(right(loss.valueAndGrad(numbers, ones, options), wanted)).toBe(true)
      expect(right(await loss.valueAndGradAsync(numbers, ones, options), wanted)).toBe(true)
    }
  })

  // The results of js are made by Math's functions
  it.each(backend === 'js' ? (['Number'] as const) : (['Number', 'Math'] as const))('is right, or throws, whichever function of %s is replaced', (name) => {
    const holder = globalThis[name]
    const { defineProperty } = Object
    const losses = (['sum', 'mean', 'mean-rows', 'mean-positives'] as const).flatMap((reduction) => [SigmoidFocalLoss, SoftmaxFocalLoss].map((Loss) => new Loss({ backend, reduction })))
    const call = (each: (typeof losses)[number]) => {
      const { value, grad } = each.valueAndGrad(numbers, ones, { shape: [size / 10, 10] })
      return `${value} ${bitsOf(grad)}`
    }
    const expected = losses.map(call)
    const wrong: string[] = []
    for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(holder) as Record<string, PropertyDescriptor>)) {
      if (typeof descriptor.value !== 'function') continue
      for (const lie of [true, false, 7]) {
        defineProperty(holder, key, { ...descriptor, value: () => lie })
        try {
          if (losses.some((each, k) => call(each) !== expected[k])) wrong.push(key)
        } catch {
          // That is no wrong result
        } finally {
          defineProperty(holder, key, descriptor)
        }
      }
    }
    expect(wrong).toEqual([])
  })

  it('is not misled by a subclass', () => {
    class Liar extends Float32Array {
      override get byteLength() {
        return 0
      }
      override get length() {
        return 4
      }
      static get [Symbol.species]() {
        return Uint8Array
      }
    }
    const { value, grad } = loss.valueAndGrad(Liar.from(numbers), ones)
    expect(value).toBe(expected.value)
    expect(Array.from({ length: size }, (_, i) => grad[i])).toEqual(Array.from(expected.grad))
  })

  it.each(['tracking', 'fixed'] as const)('refuses a %s view whose buffer shrinks while the call is read', (kind) => {
    const { array, shrink } = shrinking(kind)
    expect(() => loss.valueAndGrad(array, ones, { shape: plain([size, 1, 1, 1, 1, 1], shrink) }), 'among the elements of shape').toThrow(/^logits has lost its memory|has \d+ elements; expected/)
    for (const option of ['weights', 'mask', 'shape', 'normalizer', 'grad', 'targetKind']) {
      const { array, shrink } = shrinking(kind)
      const call = Object.defineProperty({}, option, { enumerable: true, get: shrink })
      expect(() => loss.valueAndGrad(array, ones, call), option).toThrow(/^(targets has length 3000; expected 4|logits has lost its memory, as its resizable buffer has shrunk)/)
    }
  })

  it("refuses one that shrinks while a signal's properties are read", async () => {
    const { array, shrink } = shrinking('fixed')
    const signal = Object.defineProperty({ throwIfAborted: () => undefined, addEventListener: () => undefined, removeEventListener: () => undefined }, 'aborted', {
      get() {
        shrink()
        return false
      },
    })
    await expect(loss.valueAndGradAsync(array, ones, { signal: signal as unknown as AbortSignal })).rejects.toThrow(/^logits has lost its memory/)
  })

  it.each<[string, (logits: NumericArray, shrink: () => void) => unknown, RegExp]>([
    ['targets', (logits, shrink) => loss.valueAndGrad(logits as Float32Array, plain(ones, shrink)), /^logits has lost its memory/],
    ['weights', (logits, shrink) => loss.valueAndGrad(logits as Float32Array, ones, { weights: plain(ones, shrink) }), /^logits has lost its memory/],
    ['mask', (logits, shrink) => loss.valueAndGrad(logits as Float32Array, ones, { mask: plain(ones, shrink) }), /^logits has lost its memory/],
    ['weights, of targets', (array, shrink) => loss.valueAndGrad(numbers, array, { weights: plain(ones, shrink) }), /^targets has lost its memory/],
    ['targets, of weights', (array, shrink) => loss.valueAndGrad(numbers, plain(ones, shrink), { weights: array }), /^weights has lost its memory/],
    ['targets, of the gradient', (array, shrink) => loss.valueAndGrad(numbers, plain(ones, shrink), { grad: array as Float32Array }), /^grad has lost its memory/],
  ])('refuses an array whose memory goes while a plain one is read: %s', (_, call, message) => {
    const { array, shrink } = shrinking('fixed')
    expect(() => call(array, shrink)).toThrow(message)
    const detached = numbers.slice()
    expect(() => call(detached, () => structuredClone(detached.buffer, { transfer: [detached.buffer] }))).toThrow(message)
  })

  it('reads each number of a shape once, and holes as undefined', () => {
    const shape = [size / 4, 4]
    let reads = 0
    Object.defineProperty(shape, 1, { get: () => (reads++ === 0 ? 4 : 2 ** 30) })
    expect(loss.valueAndGrad(numbers, ones, { shape }).value).toBe(expected.value)
    // eslint-disable-next-line no-sparse-arrays
    expect(() => loss.valueAndGrad(numbers, ones, { shape: [size / 4, , 4] as number[], classAxis: 1 })).toThrow(new TypeError('shape[1] is undefined; expected an integer >= 0'))
  })

  it('reads plain arrays as long as they were', () => {
    expect(loss.valueAndGrad(numbers, plain(ones, (array) => array.push(1, 2, 3))).value).toBe(expected.value)
    expect(() => loss.valueAndGrad(numbers, plain(ones, (array) => (array.length = 10)))).toThrow('targets[10] is undefined; expected a number')
  })
})

/** What is in it, whatever it says. */
function gradOf(grad: Float32Array): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => grad[i])
}

it('the worker pool is not misled either', async () => {
  await init('wasm', { workers: 2 })
  try {
    const many = 300_000
    const loss = new SigmoidFocalLoss({ backend: 'wasm' })
    const make = () => Float32Array.from({ length: many }, (_, i) => (i % 41) / 4 - 5)
    const labels = new Uint8Array(many).fill(1, 0, 500)
    const { value } = loss.valueAndGrad(make(), labels)
    for (const [property, lie] of lies) {
      const logits = Object.defineProperty(make(), property, { value: lie })
      expect((await loss.valueAndGradAsync(logits, labels)).value, property).toBe(value)
    }
  } finally {
    await init('wasm', { workers: 0 })
  }
})

describe("properties of every object, put on Object.prototype, leave results as they are or are named in an error:", () => {
  const names = ['backend', 'error', 'gamma', 'weights', 'mask', 'grad', 'signal', 'get', 'set', 'value', 'length', 'then', 'ptr', 'device', 'name', 'native', '0']
  const loss = new SigmoidFocalLoss({ backend: 'js' })
  const outcome = () => {
    try {
      const fresh = new SigmoidFocalLoss({ backend: 'js' })
      return [backends().map(({ name, available }) => `${name} ${available}`), fresh.valueAndGrad(numbers, ones).value, loss.value(numbers, ones)].join()
    } catch (error) {
      return String(error)
    }
  }
  const expected = outcome()

  it('as options of losses', () => {
    for (const [name, value] of [['gamma', 5], ['alpha', 0.5], ['reduction', 'sum'], ['background', 0]] as const) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: true, writable: true })
      try {
        expect(() => new SigmoidFocalLoss()).toThrow(new TypeError(`'${name}' is a property of Object.prototype, so that all options have it; expected none there`))
        expect(new SigmoidFocalLoss({ gamma: 2, alpha: 0.25, reduction: 'mean', background: null }).options).toMatchObject({ gamma: 2, alpha: 0.25, reduction: 'mean', background: null })
      } finally {
        Reflect.deleteProperty(Object.prototype, name)
      }
    }
  })

  it('as options of calls', () => {
    const [logits, targets] = [new Float32Array([0.5, -1]), new Uint8Array([1, 0])]
    const loss = new SigmoidFocalLoss()
    for (const [name, value] of [['weights', [3, 4]], ['mask', [1, 0]], ['normalizer', 7], ['grad', new Float32Array(2)], ['shape', [2, 1]]] as const) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: true, writable: true })
      try {
        expect(() => loss.valueAndGrad(logits, targets)).toThrow(new TypeError(`'${name}' is a property of Object.prototype, so that all options have it; expected none there`))
      } finally {
        Reflect.deleteProperty(Object.prototype, name)
      }
    }
  })

  it.each(names)('%s', (name) => {
    for (const value of [null, 5, 'text', [1, 2], () => 7]) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: true, writable: true })
      const came = outcome()
      Reflect.deleteProperty(Object.prototype, name)
      if (came !== expected) expect(came).toMatch(new RegExp(`^(Type|Range)Error: '?${name}`))
    }
  })
})
