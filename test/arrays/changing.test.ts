/** Memory that shrinks, goes away or is written to by another thread while a call works on it: an error, or a result, and nothing out of bounds. */
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { type BackendName, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import { growable, resizable, shared } from '../support/buffers.js'
import { bitsOf } from '../support/losses.js'

/** So many logits that another thread, or the next turn of the event loop, comes in the middle of it. */
const busy: Record<BackendName, number> = { cuda: 2 ** 20, native: 2 ** 23, webgpu: 2 ** 20, wasm: 2 ** 22, js: 2 ** 19 }

const waves = (length: number) => new Float32Array(length).map((_, k) => (k % 4001) / 400 - 5)

/** The same numbers in a buffer that can shrink. */
function shrinkable<A extends Float32Array | Uint8Array>(array: A): { readonly array: A; readonly buffer: ReturnType<typeof resizable> } {
  const buffer = resizable(array.byteLength, array.byteLength)
  const Kind = array.constructor as new (buffer: ArrayBuffer) => A
  const there = new Kind(buffer)
  there.set(array)
  return { array: there, buffer }
}

describe.each(testedBackends())('%s', (backend) => {
  const loss = new SigmoidFocalLoss({ backend, reduction: 'sum' })

  it('has the bits of ordinary memory in buffers that could shrink, the gradient over the logits too', async () => {
    const [logits, targets, weights] = [waves(6000), new Uint8Array(6000).fill(1, 0, 900), new Float32Array(6000).fill(0.5)]
    const expected = loss.valueAndGrad(logits, targets, { weights })
    const [x, y, w, grad] = [logits, targets, weights, new Float32Array(6000)].map((array) => shrinkable<Float32Array | Uint8Array>(array).array) as [Float32Array, Uint8Array, Float32Array, Float32Array]
    for (const output of [grad, x]) {
      const came = await loss.valueAndGradAsync(x, y, { weights: w, grad: output })
      expect(came.grad).toBe(output)
      expect([came.value, bitsOf(output)]).toEqual([expected.value, bitsOf(expected.grad)])
    }
    const both = new Float32Array(resizable(4 * 7000, 4 * 7000)).fill(7)
    const overlapping = loss.valueAndGradAsync(both.subarray(0, 6000), targets, { grad: both.subarray(1000) })
    await expect(overlapping).rejects.toThrow('grad overlaps logits in memory; expected memory of its own (or exactly the logits)')
    expect(both.every((each) => each === 7)).toBe(true)
  })

  it.each(['logits', 'targets', 'weights', 'mask', 'grad'] as const)('survives that %s shrinks in the middle of an asynchronous call', async (which) => {
    const length = busy[backend]
    const arrays = { logits: waves(length), targets: new Uint8Array(length), weights: new Float32Array(length).fill(1), mask: new Uint8Array(length).fill(1), grad: new Float32Array(length) }
    const { logits, targets, weights, mask } = arrays
    const { array, buffer } = shrinkable(arrays[which])
    Object.assign(arrays, { [which]: array })
    const call = loss.valueAndGradAsync(arrays.logits, arrays.targets, { weights: arrays.weights, mask: arrays.mask, grad: arrays.grad }).then(
      ({ value }) => value,
      (error: unknown) => String(error),
    )
    await new Promise((resolve) => setTimeout(resolve, 2))
    buffer.resize(8)
    const said = await call
    // On a fast machine it may have been over
    if (typeof said === 'number') expect(said).toBe(loss.value(logits, targets, { weights, mask }))
    else expect(said).toBe(`TypeError: ${which} has length ${array.length}; expected ${length} until the promise settles (was its buffer transferred or resized?)`)
  }, 60_000)

  it('has the bits of ordinary memory, or says what has another length, while another thread makes shared memory longer', async () => {
    const length = 2000
    const [logits, targets, weights] = [waves(length), new Float32Array(length).fill(1, 0, 300), new Float32Array(length).fill(0.5)]
    const expected = loss.valueAndGrad(logits, targets, { weights })
    const script = `
      const { parentPort, workerData } = require('node:worker_threads')
      const go = new Int32Array(workerData)
      parentPort.on('message', ({ memory, k }) => {
        Atomics.store(go, 0, k)
        for (let wait = 0; wait < (k * 37) % 2000; wait++) Atomics.load(go, 0)
        memory.grow(8 * memory.byteLength)
      })`
    const go = new Int32Array(new SharedArrayBuffer(4))
    const other = new Worker(script, { eval: true, workerData: go.buffer })
    const said = new Set<string>()
    for (let k = 1; k <= 400; k++) {
      const arrays = { logits, targets, weights, grad: new Float32Array(length) }
      const which = (['logits', 'targets', 'weights', 'grad'] as const)[k % 4]
      const memory = growable(4 * length, 32 * length)
      const followed = new Float32Array(memory)
      followed.set(arrays[which])
      Object.assign(arrays, { [which]: followed })
      other.postMessage({ memory, k })
      while (Atomics.load(go, 0) !== k) await new Promise((later) => setImmediate(later))
      const { grad } = arrays
      try {
        const call = { weights: arrays.weights, grad }
        const { value } = k % 3 === 0 ? await loss.valueAndGradAsync(arrays.logits, arrays.targets, call) : loss.valueAndGrad(arrays.logits, arrays.targets, call)
        said.add(value === expected.value && bitsOf(grad.slice(0, length)) === bitsOf(expected.grad) && grad.subarray(length).every((each) => each === 0) ? 'right' : 'wrong')
      } catch (error) {
        said.add(String(error).replace(/^\w+: \w+ (has|is a Float32Array of) length \d+; expected .*$/, 'another length'))
      }
    }
    await other.terminate()
    expect([...said].filter((each) => each !== 'right' && each !== 'another length')).toEqual([])
    expect(loss.valueAndGrad(logits, targets, { weights }).value).toBe(expected.value)
  }, 60_000)

  it('gives a result or names a target while another thread writes targets, logits and weights', async () => {
    const [rows, classes] = [backend === 'js' ? 2000 : 20_000, 20]
    const [logits, targets, weights] = [shared(waves(rows * classes)), shared(new Int32Array(rows).fill(3)), shared(new Float32Array(rows).fill(1))]
    // Out of range for a moment, now here and now there: after the scan as well as before
    const script = `
      const { logits, targets, weights } = require('node:worker_threads').workerData
      const wrong = [2 ** 30, -(2 ** 30), 2 ** 31 - 1, -5, 1e6, 20]
      for (let k = 0; ; k++) {
        const row = (k * 7919) % targets.length
        Atomics.store(targets, row, wrong[k % wrong.length])
        logits[row * 20] = NaN
        weights[row] = Infinity
        Atomics.store(targets, row, 3)
        logits[row * 20] = 1
        weights[row] = 1
        for (let wait = 0; wait < 50; wait++) Atomics.load(targets, wait)
      }`
    const writer = new Worker(script, { eval: true, workerData: { logits, targets, weights } })
    await new Promise((resolve) => writer.once('online', resolve))
    const alpha = Array.from({ length: classes }, (_, c) => (c + 1) / 40)
    const losses = [SigmoidFocalLoss, SoftmaxFocalLoss].flatMap((Loss) => [{}, { alpha }, { labelSmoothing: 0.1 }, { gamma: alpha }].map((options) => new Loss({ backend, ...options })))
    const said: string[] = []
    for (let round = 0; round < 3; round++) {
      for (const each of losses) {
        try {
          const call = { shape: [rows, classes], weights } as const
          const { value } = round === 1 ? await each.valueAndGradAsync(logits, targets, call) : each.valueAndGrad(logits, targets, call)
          said.push(typeof value)
        } catch (error) {
          said.push(String(error))
        }
      }
    }
    await writer.terminate()
    expect(said).toHaveLength(24)
    const expected = /^(number|RangeError: targets\[\d+\] is -?\d+; expected a class (in 0\.\.19 \((classes count from 0; )?set background or ignoreIndex to allow others\)|that mask leaves in its row))$/
    for (const each of said) expect(each).toMatch(expected)
  }, 60_000)
})
