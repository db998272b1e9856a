import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ABI } from '../../src/backends/layout.js'
import { CALL_BYTES } from '../../src/backends/addon/call.js'

/** The package as a fresh process sees it: nothing chosen, nothing loaded. */
async function fresh() {
  vi.resetModules()
  return await import('focal-loss/wasm')
}

const x = Float32Array.of(1, -2)

beforeEach(() => vi.stubEnv('FOCAL_LOSS_BACKEND', ''))
afterEach(() => vi.unstubAllEnvs())

describe('backends', () => {
  it('come with a sentence, the one or the other', async () => {
    const { backends } = await fresh()
    const all = backends()
    expect(all.map(({ name }) => name)).toEqual(['cuda', 'webgpu', 'native', 'wasm', 'js'])
    for (const { available, description, reason } of all) {
      expect(available ? description : reason).not.toBe('')
      expect(available ? reason : description).toBe('')
    }
    expect(all[1].reason).toBe("The webgpu backend comes with focal-loss/webgpu: import 'focal-loss/webgpu', then await init('webgpu').")
    expect(all[0].reason).toMatch(/^The cuda backend comes with the package's main entry: .*use wasm or js\.$/)
  })

  it('are set by name', async () => {
    const { BackendError, getBackend, setBackend } = await fresh()
    const automatic = getBackend()
    setBackend('js')
    expect(getBackend()).toBe('js')
    expect(() => setBackend('cuda')).toThrow(BackendError)
    expect(() => setBackend('gpu' as 'js')).toThrow(
      new RangeError("backend is 'gpu'; expected one of 'auto', 'cuda', 'webgpu', 'native', 'wasm', 'js'"),
    )
    expect(getBackend()).toBe('js')
    setBackend('auto')
    expect(getBackend()).toBe(automatic)
  })

  it('are set by the environment, and by the loss above all', async () => {
    vi.stubEnv('FOCAL_LOSS_BACKEND', 'cuda')
    const { BackendError, getBackend, SigmoidFocalLoss } = await fresh()
    expect(() => getBackend()).toThrow(BackendError)
    for (const backend of [undefined, null]) {
      const loss = new SigmoidFocalLoss({ backend })
      expect(loss.options.backend).toBe(null)
      expect(() => loss.value(x, [0, 1])).toThrow(BackendError)
      expect(() => loss.accumulator().add(x, [0, 1])).toThrow(BackendError)
      expect(() => loss.accumulator().blockRows()).toThrow(BackendError)
      await expect(loss.valueAndGradAsync(x, [0, 1])).rejects.toThrow(BackendError)
    }
    expect(new SigmoidFocalLoss({ backend: 'js' }).value(x, [0, 1])).toBeGreaterThan(0)
    expect(new SigmoidFocalLoss({ backend: 'auto' }).value(x, [0, 1])).toBeGreaterThan(0)
  })

  it('are never chosen by a name that is none', async () => {
    vi.stubEnv('FOCAL_LOSS_BACKEND', 'fast')
    const { backends, getBackend } = await fresh()
    expect(() => getBackend()).toThrow(
      new RangeError("FOCAL_LOSS_BACKEND is 'fast'; expected one of 'auto', 'cuda', 'webgpu', 'native', 'wasm', 'js'"),
    )
    expect(backends()).toHaveLength(5)
  })

  it('can be made ready', async () => {
    const { BackendError, getBackend, init } = await fresh()
    expect(await init()).toBe(getBackend())
    expect(await init('js')).toBe('js')
    await expect(init('cuda')).rejects.toThrow(BackendError)
  })
})

describe('the native backend', () => {
  /** An addon that computes nothing. */
  const addon = {
    abi: ABI,
    isas: () => [
      { name: 'avx512', description: '', features: 'AVX-512', supported: false },
      { name: 'avx2', description: '', features: 'AVX2 and FMA', supported: true },
    ],
    activeIsa: () => 'avx2',
    hardwareThreads: () => 3,
    open: () => Object.assign(() => undefined, { memory: new ArrayBuffer(CALL_BYTES) }),
    start: () => undefined,
  }

  it('reads its threads and its instruction set from the environment', async () => {
    const { nativeFromEnvironment } = await import('../../src/backends/native/backend.js')
    expect(nativeFromEnvironment(addon).description).toBe('C++ addon, avx2, 3 threads')
    vi.stubEnv('FOCAL_LOSS_THREADS', '1')
    vi.stubEnv('FOCAL_LOSS_ISA', 'avx2')
    expect(nativeFromEnvironment(addon).description).toBe('C++ addon, avx2, 1 thread')
    vi.stubEnv('FOCAL_LOSS_THREADS', 'many')
    expect(() => nativeFromEnvironment(addon)).toThrow(
      new RangeError("FOCAL_LOSS_THREADS is 'many'; expected an integer from 1 to 1024"),
    )
    vi.stubEnv('FOCAL_LOSS_THREADS', '')
    vi.stubEnv('FOCAL_LOSS_ISA', 'avx512')
    expect(() => nativeFromEnvironment(addon)).toThrow(
      new RangeError("FOCAL_LOSS_ISA is 'avx512'; expected one of avx2, as this processor lacks AVX-512"),
    )
  })
})
