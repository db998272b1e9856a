/** How much memory is asked for, and what is said where an engine gives less. */
import { afterEach, describe, expect, it } from 'vitest'
import { BackendError, backends, init, releaseMemory, SigmoidFocalLoss } from 'focal-loss'
import { newMemory } from '../../../src/backends/wasm/memory.js'

const Real = WebAssembly.Memory
let asked: number[] = []

/** An engine that refuses memories of more pages than this, shared ones or all. */
function refuseAbove(pages: number, sharedOnly = true): void {
  asked = []
  class Memory extends Real {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      if (descriptor.shared === true || !sharedOnly) {
        asked.push(descriptor.maximum ?? 0)
        if ((descriptor.maximum ?? 0) > pages) throw new RangeError('could not allocate memory')
      }
      super(descriptor)
    }
  }
  WebAssembly.Memory = Memory
}

afterEach(async () => {
  WebAssembly.Memory = Real
  await init('wasm', { workers: 0 })
  releaseMemory()
})

const described = () => backends().find(({ name }) => name === 'wasm')?.description

describe('a memory', () => {
  it.each([
    [65_536, [65_536], ''],
    [65_535, [65_536, 32_768], ' in at most 2 GB of shared memory'],
    [16_384, [65_536, 32_768, 16_384], ' in at most 1 GB of shared memory'],
    [8192, [65_536, 32_768, 16_384, 8192], ' in at most 0.5 GB of shared memory'],
  ])('of an engine that gives %i pages', (pages, tried, limit) => {
    refuseAbove(pages)
    expect(newMemory(true).limit).toBe(limit)
    expect(asked).toEqual(tried)
  })

  it('that no engine gives is a reason', () => {
    refuseAbove(8191, false)
    expect(() => newMemory(true)).toThrow(
      new BackendError('WebAssembly gets no shared memory here, not even 0.5 GB (could not allocate memory); do without workers, or close other pages.'),
    )
    expect(() => newMemory(false)).toThrow(
      new BackendError('WebAssembly gets no memory here, not even 0.5 GB (could not allocate memory); use the js backend, or close other pages.'),
    )
  })
})

describe('workers', () => {
  it('share what there is, and the description says how much', async () => {
    refuseAbove(16_384)
    await init('wasm', { workers: 1 })
    expect(described()).toBe('WebAssembly with 128-bit SIMD, 1 thread; 1 worker for asynchronous calls in at most 1 GB of shared memory')
    const [logits, labels] = [new Float32Array(300_000).fill(-2), new Uint8Array(300_000)]
    const loss = new SigmoidFocalLoss({ backend: 'wasm' })
    expect((await loss.valueAndGradAsync(logits, labels)).value).toBe(loss.value(logits, labels))
  })

  it('are refused where there is none', async () => {
    refuseAbove(0)
    await expect(init('wasm', { workers: 1 })).rejects.toThrow(/^WebAssembly gets no shared memory here, not even 0\.5 GB/)
    expect(described()).toBe('WebAssembly with 128-bit SIMD, 1 thread')
  })

  it.each([
    [false, undefined, /^Workers need shared memory, which only cross-origin isolated pages have; serve the page with/],
    [true, undefined, /^Workers need shared memory, and this JavaScript engine has no SharedArrayBuffer \(WebKit on Linux/],
    [undefined, undefined, /no SharedArrayBuffer/],
  ])('are refused in a page that is isolated (%s) and has no SharedArrayBuffer', async (crossOriginIsolated, SharedArrayBuffer, reason) => {
    const { SharedArrayBuffer: real } = globalThis
    Object.assign(globalThis, { crossOriginIsolated, SharedArrayBuffer })
    try {
      await expect(init('wasm', { workers: 1 })).rejects.toThrow(reason)
    } finally {
      Object.assign(globalThis, { crossOriginIsolated: undefined, SharedArrayBuffer: real })
    }
  })
})

it('synchronous calls run in less memory, too', () => {
  releaseMemory()
  refuseAbove(32_768, false)
  expect(new SigmoidFocalLoss({ backend: 'wasm' }).value(Float32Array.of(0), [1])).toBeCloseTo(0.0433, 4)
  expect(described()).toBe('WebAssembly with 128-bit SIMD, 1 thread in at most 2 GB of memory')
})
