/** Asynchronous calls: the bits of the synchronous ones, while timers fire, until they are aborted. */
import { getEventListeners } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { init, type Logits, type Numbers, releaseMemory, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { shareFrom } from '../../src/backends/wasm/worker_pool.js'
import { type SynchronousBackend, testedBackends } from '../support/backends.js'
import { detached, resizable, shared } from '../support/buffers.js'
import { bitsOf, elementwiseNames, elementwiseOf, flat, lossOf } from '../support/losses.js'
import { randomProblems } from '../support/problems.js'

/** A result as text of its bits, or the error. */
async function outcomeOf(call: () => unknown): Promise<string> {
  try {
    const { value, grad } = (await call()) as { value: number | Logits; grad: Logits }
    return `${bitsOf(Float64Array.from(flat(value)))} ${bitsOf(grad)}`
  } catch (error) {
    return String(error)
  }
}

const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing was thrown',
    (error: unknown) => error,
  )

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Logits without randomness and without the time it takes. */
function waves(length: number): Float32Array {
  const x = new Float32Array(length)
  for (let k = 0; k < length; k++) x[k] = (k % 4001) / 400 - 5
  return x
}

/** So many logits keep a backend busy for a tenth of a second or longer. */
const busy: Record<SynchronousBackend, number> = { cuda: 2 ** 24, native: 2 ** 26, wasm: 2 ** 25, js: 2 ** 20 }

/** Each backend, and wasm once more with workers that share calls of any size. */
const settings: { backend: SynchronousBackend; workers: number }[] = testedBackends().flatMap((backend) =>
  (backend === 'wasm' ? [0, 3] : [0]).map((workers) => ({ backend, workers })),
)

describe.each(settings)('$backend with $workers workers', ({ backend, workers }) => {
  beforeAll(async () => {
    shareFrom(0)
    if (backend === 'wasm') await init(backend, { workers })
  })
  afterAll(async () => {
    if (backend === 'wasm') await init(backend, { workers: 0 })
  })

  const sigmoid = new SigmoidFocalLoss({ backend })

  it('has the bits, or the error, of the synchronous call on random problems of all options and layouts', async () => {
    for (const { name, options, logits, targets, call, normalizer } of randomProblems(400, 99)) {
      const loss = lossOf(name, { ...options, backend })
      const whole = { ...call, ...(normalizer !== undefined && { normalizer }) }
      const expected = await outcomeOf(() => loss.valueAndGrad(logits, targets, whole))
      expect(await outcomeOf(() => loss.valueAndGradAsync(logits, targets, whole))).toBe(expected)
    }
  })

  it('has them of arrays that threads share, some of them or all', async () => {
    const inShared = (numbers: Numbers | undefined, is: boolean) => (is && ArrayBuffer.isView(numbers) ? shared(numbers) : numbers)
    for (const [i, { name, options, logits, targets, call }] of randomProblems(200, 7).entries()) {
      const loss = lossOf(name, { ...options, backend })
      const expected = await outcomeOf(() => loss.valueAndGrad(logits, targets, call))
      const [x, y] = [inShared(logits, i % 2 === 0) as Logits, inShared(targets, i % 3 !== 0) as Numbers]
      const { weights, mask } = call
      const theirs = { ...call, weights: inShared(weights, i % 5 < 3), mask: inShared(mask, i % 7 < 4) }
      expect(await outcomeOf(() => loss.valueAndGradAsync(x, y, { ...theirs, grad: i % 4 === 0 ? x : shared(logits) }))).toBe(expected)
    }
    const x = waves(300_000)
    const y = Float32Array.from(x, (_, k) => (k % 9) / 9)
    const expected = await outcomeOf(() => sigmoid.valueAndGrad(x, y))
    const grad = shared(x)
    expect(await outcomeOf(() => sigmoid.valueAndGradAsync(shared(x), shared(y), { grad }))).toBe(expected)
    expect(new Uint8Array(grad.buffer, 0, 24).every((byte) => byte === 0)).toBe(true)
  }, 30_000)

  it('has them where there is a lot to do, too', async () => {
    const x = waves(300_000)
    const softmax = new SoftmaxFocalLoss({ backend, reduction: 'none' })
    const labels = Float32Array.from(x, (_, k) => (k < 150_000 ? Number(k % 9 === 0) : (k % 9) / 9))
    const indices = Int32Array.from({ length: 15_000 }, (_, r) => r % 20)
    const mask = Uint8Array.from({ length: 15_000 }, (_, r) => Number(r % 5 !== 0))
    for (const [loss, targets, call] of [
      [sigmoid, labels, {}],
      [sigmoid, indices, { shape: [15_000, 20], weights: x.subarray(0, 15_000).map(Math.abs), mask }],
      [sigmoid, indices, { shape: [15, 20, 1000], classAxis: 1 }],
      [softmax, indices, { mask }],
      [softmax, indices, { shape: [15, 20, 1000], classAxis: 1 }],
    ] as const) {
      const expected = await outcomeOf(() => loss.valueAndGrad(x, targets, call))
      expect(await outcomeOf(() => loss.valueAndGradAsync(x, targets, call))).toBe(expected)
    }
  }, 30_000)

  it.each(elementwiseNames)('has them with second derivatives, %s', async (name) => {
    const loss = elementwiseOf(name, { backend })
    const x = waves(20_000)
    const targets = Float32Array.from(x, (_, k) => (k % 9) / 9)
    const expected = loss.valueGradAndHess(x, targets, { clampHess: 0 })
    const actual = await loss.valueGradAndHessAsync(x, targets, { clampHess: 0 })
    expect(actual.value).toBe(expected.value)
    expect([actual.grad, actual.hess].map(bitsOf)).toEqual([expected.grad, expected.hess].map(bitsOf))
  })

  it('has them in half precision and of probabilities, and names the first that is none', async () => {
    const loss = new SigmoidFocalLoss({ backend, reduction: 'none', inputs: 'probabilities' })
    // bfloat16 from 2 ** -6 up to 1
    const bits = Uint16Array.from({ length: 20_000 }, (_, k) => 0x3c80 + (k % 769))
    const targets = Uint8Array.from(bits, (_, k) => Number(k % 4 === 0))
    const expected = await outcomeOf(() => loss.valueAndGrad(bits, targets, { dtype: 'bfloat16' }))
    expect(await outcomeOf(() => loss.valueAndGradAsync(bits, targets, { dtype: 'bfloat16' }))).toBe(expected)
    bits.fill(0x4000, 19_000)
    const error = await reasonOf(loss.valueAndGradAsync(bits, targets, { dtype: 'bfloat16' }))
    expect(String(error)).toBe("RangeError: logits[19000] is 2; expected a number from 0 to 1, as inputs is 'probabilities'")
  })

  it("writes where the caller says, over the logits too, and the losses with 'none'", async () => {
    const each = new SigmoidFocalLoss({ backend, reduction: 'none' })
    const x = waves(100_000)
    const y = Uint8Array.from(x, (_, k) => Number(k % 3 === 0))
    const expected = each.valueAndGrad(x, y)
    const [out, grad] = [new Float32Array(x.length), new Float32Array(x.length)]
    const apart = await each.valueAndGradAsync(x, y, { grad, out })
    expect([apart.value, apart.grad]).toEqual([out, grad])
    expect([out, grad].map(bitsOf)).toEqual([expected.value, expected.grad].map(bitsOf))
    const inPlace = await each.valueAndGradAsync(x, y, { grad: x })
    expect(inPlace.grad).toBe(x)
    expect(bitsOf(x)).toBe(bitsOf(expected.grad))
  })

  it('of nothing is 0', async () => {
    expect(await sigmoid.valueAndGradAsync(new Float32Array(0), [])).toEqual({ value: 0, grad: new Float32Array(0) })
  })

  it('lets timers fire in the middle of it', async () => {
    // 64M logits; plain JavaScript would take longer over them than a test may
    const length = backend === 'js' ? 2 ** 22 : 2 ** 26
    const x = waves(length)
    const y = new Uint8Array(length)
    let ticks = 0
    let longest = 0
    let last = performance.now()
    const tick = () => {
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
      ticks++
    }
    const timer = setInterval(tick, 1)
    const begin = last
    const { value } = await sigmoid.valueAndGradAsync(x, y, { grad: x })
    clearInterval(timer)
    tick()
    const took = last - begin
    expect(value).toBeGreaterThan(0)
    // A call that held the event loop would make one gap of it all. Where the machine is busy, gaps and call grow together
    expect(ticks).toBeGreaterThan(3)
    expect(longest).toBeLessThan(took / 2)
    releaseMemory()
  }, 60_000)

  it('serves ten at once, with synchronous calls in between, each with memory of its own', async () => {
    const inputs = Array.from({ length: 10 }, (_, i) => waves(1000 + 50_000 * (i % 4)).map((each) => each + i / 10))
    const targets = inputs.map((x) => Uint8Array.from(x, (_, k) => Number(k % 7 === 0)))
    const softmax = new SoftmaxFocalLoss({ backend, gamma: 3 })
    const lossOfCall = (i: number) => (i % 2 === 0 ? sigmoid : softmax)
    const shaped = (i: number) => ({ shape: [inputs[i].length / 10, 10] })
    const expected = await Promise.all(inputs.map((x, i) => outcomeOf(() => lossOfCall(i).valueAndGrad(x, targets[i], shaped(i)))))
    const promises = inputs.map((x, i) => outcomeOf(() => lossOfCall(i).valueAndGradAsync(x, targets[i], shaped(i))))
    let over = false
    const all = Promise.all(promises).finally(() => (over = true))
    for (let i = 0; !over; i = (i + 1) % 10) {
      expect(await outcomeOf(() => lossOfCall(i).valueAndGrad(inputs[i], targets[i], shaped(i)))).toBe(expected[i])
      await pause(0)
    }
    expect(await all).toEqual(expected)
  }, 30_000)

  describe('a signal', () => {
    const length = busy[backend]
    const x = waves(length)
    const y = new Uint8Array(length)
    const start = (signal: AbortSignal, grad: Float32Array) => sigmoid.valueAndGradAsync(x, y, { grad, signal })

    it('that is aborted already keeps everything from running', async () => {
      const grad = new Float32Array(length).fill(7)
      const aborted = AbortSignal.abort()
      const error = await reasonOf(start(aborted, grad))
      expect(error).toBe(aborted.reason)
      expect(error).toBeInstanceOf(DOMException)
      expect((error as DOMException).name).toBe('AbortError')
      expect(await reasonOf(start(AbortSignal.abort('enough'), grad))).toBe('enough')
      await pause(20)
      expect(grad.every((each) => each === 7)).toBe(true)
    })

    it('stops a call that has begun, and nothing is written from then on', async () => {
      const grad = new Float32Array(length).fill(7)
      const [before, labels] = [x, y].map(bitsOf)
      const controller = new AbortController()
      const reason = new Error('the user has left')
      const promise = reasonOf(start(controller.signal, grad))
      await pause(5)
      controller.abort(reason)
      expect(await promise).toBe(reason)
      const written = bitsOf(grad)
      expect(grad.indexOf(7)).toBeGreaterThanOrEqual(0)
      await pause(50)
      expect(bitsOf(grad)).toBe(written)
      expect([x, y].map(bitsOf)).toEqual([before, labels])
    }, 30_000)

    it('stops a call that waits for others, before these have ended', async () => {
      const [first, second] = [new Float32Array(length).fill(7), new Float32Array(length).fill(7)]
      const [one, other] = [new AbortController(), new AbortController()]
      const order: string[] = []
      const running = reasonOf(start(one.signal, first)).finally(() => order.push('first'))
      const waiting = reasonOf(start(other.signal, second)).finally(() => order.push('second'))
      other.abort()
      expect(await waiting).toBe(other.signal.reason)
      one.abort()
      expect(await running).toBe(one.signal.reason)
      expect(order).toEqual(['second', 'first'])
      expect(second.every((each) => each === 7)).toBe(true)
    }, 30_000)

    it('means nothing once the promise has settled, and nobody listens to it any more', async () => {
      const controller = new AbortController()
      const { signal } = controller
      const small = waves(5000)
      const labels = new Uint8Array(5000)
      const expected = sigmoid.valueAndGrad(small, labels)
      for (let round = 0; round < 20; round++) {
        const many = Array.from({ length: 5 }, () => sigmoid.valueAndGradAsync(small, labels, { signal }))
        for (const { grad } of await Promise.all(many)) expect(bitsOf(grad)).toBe(bitsOf(expected.grad))
        await reasonOf(sigmoid.valueAndGradAsync(small, small, { signal }))
      }
      const { grad } = await sigmoid.valueAndGradAsync(small, labels, { signal })
      expect(getEventListeners(signal, 'abort')).toHaveLength(0)
      controller.abort()
      await pause(5)
      expect(bitsOf(grad)).toBe(bitsOf(expected.grad))
    })

    it('that stops a call leaves the next ones right', async () => {
      const small = waves(5000)
      const labels = new Uint8Array(5000)
      const expected = bitsOf(sigmoid.valueAndGrad(small, labels).grad)
      for (let round = 0; round < 5; round++) {
        const controller = new AbortController()
        const stopped = reasonOf(start(controller.signal, new Float32Array(length)))
        const next = sigmoid.valueAndGradAsync(small, labels)
        await pause(round)
        controller.abort()
        expect(await stopped).toBe(controller.signal.reason)
        expect(bitsOf((await next).grad)).toBe(expected)
      }
    }, 30_000)
  })

  describe('an error', () => {
    const x = Float32Array.of(1, -2, 3)
    const grad = new Float32Array(3).fill(7)
    it.each<[string, unknown[], Error]>([
      ['of an argument', [[1, 2], [1, 0]], new TypeError('logits is an array of length 2; expected a Float32Array or a Float64Array (Float32Array.from(logits) makes one)')],
      ['of lost memory', [detached(3), [1, 0, 1]], new TypeError('logits has lost its memory, as its buffer is detached (transferred to another thread, perhaps); expected an array that has it')],
      ['of a target', [x, [1, 0, 2], { grad }], new RangeError('targets[2] is 2; expected a number from 0 to 1')],
      ['of a class', [x, Int32Array.of(3), { grad }], new RangeError('targets[0] is 3; expected a class in 0..2 (classes count from 0; set background or ignoreIndex to allow others)')],
      ['of the call', [x, [1, 0, 1], 'grad'], new TypeError("call options is 'grad'; expected an object with options")],
      ['of an option', [x, [1, 0, 1], { signals: [] }], new TypeError("'signals' is not an option of valueAndGradAsync(); did you mean 'signal'?")],
      ['of a signal', [x, [1, 0, 1], { signal: {} }], new TypeError('signal is an object; expected an AbortSignal')],
      ['of a signal that is null', [x, [1, 0, 1], { signal: null }], new TypeError('signal is null; expected an AbortSignal')],
      ['of memory', [grad, [1, 0, 1], { grad: new Float32Array(grad.buffer, 4, 1) }], new RangeError('grad has length 1; expected 3')],
    ])('%s rejects, and throws nothing', async (_, given, error) => {
      const promise = sigmoid.valueAndGradAsync(...(given as Parameters<typeof sigmoid.valueAndGradAsync>))
      await expect(promise).rejects.toThrow(error)
      expect(grad).toEqual(new Float32Array(3).fill(7))
    })

    it('of overlapping memory rejects', async () => {
      const memory = new Float32Array(5).fill(1)
      const [logits, over] = [memory.subarray(0, 3), memory.subarray(2)]
      await expect(sigmoid.valueAndGradAsync(logits, [1, 0, 1], { grad: over })).rejects.toThrow(
        new RangeError('grad overlaps logits in memory; expected memory of its own (or exactly the logits)'),
      )
      expect(memory).toEqual(new Float32Array(5).fill(1))
    })

    it('of one call is none of the others', async () => {
      const results = await Promise.allSettled([
        sigmoid.valueAndGradAsync(x, [1, 0, 1]),
        sigmoid.valueAndGradAsync(x, [1, 0, 5]),
        sigmoid.valueAndGradAsync(x, [1, 0, 1]),
      ])
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    })
  })

  describe('memory that goes away in the middle', () => {
    const length = busy[backend]
    const y = new Uint8Array(length)

    it.each(['logits', 'grad'] as const)('is an error: %s transferred', async (name) => {
      const arrays = { logits: waves(length), grad: new Float32Array(length) }
      const promise = reasonOf(sigmoid.valueAndGradAsync(arrays.logits, y, { grad: arrays.grad }))
      await pause(3)
      // Held until the end: the addon goes on writing there
      const elsewhere = structuredClone(arrays[name].buffer, { transfer: [arrays[name].buffer] })
      expect(await promise).toEqual(
        new TypeError(`${name} has length 0; expected ${length} until the promise settles (was its buffer transferred or resized?)`),
      )
      expect(elsewhere.byteLength).toBe(4 * length)
    }, 30_000)

    it('is an error: logits of another length', async () => {
      const buffer = resizable(4 * length, 4 * length + 4)
      const logits = new Float32Array(buffer)
      const promise = reasonOf(sigmoid.valueAndGradAsync(logits, y))
      await pause(3)
      buffer.resize(4 * length + 4)
      expect(await promise).toEqual(
        new TypeError(`logits has length ${length + 1}; expected ${length} until the promise settles (was its buffer transferred or resized?)`),
      )
    }, 30_000)
  })
})

describe.runIf(testedBackends().includes('wasm'))('the memory of WebAssembly', () => {
  const loss = new SigmoidFocalLoss({ backend: 'wasm' })
  const y = new Uint8Array(3_000_000)

  it('may grow, and be given back, between the steps of a call', async () => {
    releaseMemory()
    const x = waves(3_000_000)
    const expected = bitsOf(loss.valueAndGrad(x, y).grad)
    releaseMemory()
    const promise = loss.valueAndGradAsync(x, y)
    for (const length of [1000, 1_000_000, 2_000_000]) {
      await pause(1)
      expect(loss.value(x.subarray(0, length), y.subarray(0, length))).toBeGreaterThan(0)
    }
    releaseMemory()
    expect(bitsOf((await promise).grad)).toBe(expected)
  })

  // Each call has 36 MB to itself, and there are 4 GB of it
  it('is given back by every call, however it ends', async () => {
    const x = waves(3_000_000)
    const wrong = new Float64Array(3_000_000).fill(2)
    for (let round = 0; round < 120; round++) {
      const controller = new AbortController()
      const aborted = reasonOf(loss.valueAndGradAsync(x, y, { signal: controller.signal }))
      const refused = reasonOf(loss.valueAndGradAsync(x, wrong))
      await pause(1)
      controller.abort()
      expect(await aborted).toBe(controller.signal.reason)
      expect(String(await refused)).toBe('RangeError: targets[0] is 2; expected a number from 0 to 1')
    }
    expect((await loss.valueAndGradAsync(x, y)).value).toBeGreaterThan(0)
    releaseMemory()
  }, 60_000)

  it('that there is not is a RangeError', async () => {
    const logits = new Float64Array(300e6)
    const error = await reasonOf(loss.valueAndGradAsync(logits, new Float64Array(300e6), { grad: logits }))
    expect(String(error)).toMatch(/^RangeError: the wasm backend could not get 45\d\d\.\d MiB of memory for this call/)
  })
})
