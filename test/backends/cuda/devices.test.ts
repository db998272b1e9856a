/** Which GPU: chosen by init(), by an array, never mixed; and GPUs that fail. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { BackendError, backends, type BackendName, DeviceArray, init, SigmoidFocalLoss } from 'focal-loss'
import { cudaDevices, type Session } from '../../../src/backends/cuda/devices.js'
import { cudaHere, useCuda } from '../../support/cuda.js'

const { addon } = cudaHere()
const loss = new SigmoidFocalLoss()
const description = () => backends().find(({ name }) => name === 'cuda')?.description ?? ''

/** The addon, with some of its functions replaced; `opened` lists the devices that were opened. */
function use(changed: Partial<typeof addon> = {}, opened: number[] = []): number[] {
  useCuda({
    ...addon,
    open: (device) => {
      opened.push(device)
      return addon.open(device)
    },
    openAsync: (device) => {
      opened.push(device)
      return addon.openAsync(device)
    },
    ...changed,
  })
  return opened
}

/** Two of a kind, where this machine has one: the second one's sessions are the first one's. */
function useTwo(): number[] {
  const [one] = addon.devices()
  const both = Object.assign([one, { ...one, name: 'another' }], { reason: '' })
  const opened: number[] = []
  const open = (device: number) => {
    opened.push(device)
    return addon.open(0)
  }
  useCuda({ ...addon, devices: () => both, open, openAsync: (device) => Promise.resolve(open(device)) })
  return opened
}

/** A session's methods, free of their object. */
function bound(session: Session): Session {
  const names = ['run', 'start', 'allocate', 'view', 'copy', 'memory'] as const
  return Object.fromEntries(names.map((name) => [name, (session[name] as (...args: unknown[]) => unknown).bind(session)])) as unknown as Session
}

beforeEach(() => {
  vi.unstubAllEnvs()
})

describe('init()', () => {
  it('opens the GPU once, while the event loop turns', async () => {
    const opened = use()
    expect(opened).toEqual([])
    const opening = init('cuda')
    expect(await opening).toBe('cuda')
    await init('cuda')
    loss.value(DeviceArray.from(Float32Array.of(1)), [1])
    expect(opened).toEqual([0])
  })

  it('chooses the one for new arrays and for those of the host', async () => {
    const opened = useTwo()
    expect(await init('cuda', { device: 1 })).toBe('cuda')
    expect(opened).toEqual([1])
    expect(description()).toMatch(/^CUDA, device 1, another, /)
    expect(DeviceArray.alloc('int8', 1).device).toBe(1)
    expect(DeviceArray.alloc('int8', 1, { device: 0 }).device).toBe(0)
    await init('cuda', { device: 0 })
    expect(DeviceArray.alloc('int8', 1).device).toBe(0)
  })

  it('takes the environment for its default', async () => {
    vi.stubEnv('FOCAL_LOSS_CUDA_DEVICE', '1')
    const opened = useTwo()
    await init('cuda')
    expect(opened).toEqual([1])
  })

  it('changes nothing where there is no such GPU', async () => {
    const opened = use()
    await init('cuda')
    await expect(init('cuda', { device: 99 })).rejects.toThrow(/^device is 99; expected an integer from 0 to \d+, the index of a GPU here$/)
    await expect(init('cuda', { device: '0' as never })).rejects.toThrow(/^device is '0'; expected an integer/)
    expect(opened).toEqual([0])
    expect(description()).toMatch(/^CUDA, device 0, /)
  })

  it('knows no other options, and this one for cuda only', async () => {
    use()
    await expect(init('cuda', { gpu: 0 } as object)).rejects.toThrow(new TypeError("'gpu' is not an option of init(); expected one of device, workers, module"))
    for (const name of ['js', 'auto'] as (BackendName | 'auto')[]) {
      await expect(init(name, { device: 0 })).rejects.toThrow(new TypeError(`device is given with backend '${name}'; expected backend 'cuda' or 'webgpu'`))
    }
  })
})

describe('arrays on two GPUs', () => {
  it('are computed with where they lie', () => {
    const opened = useTwo()
    const x = DeviceArray.from(Float32Array.of(1, -2), { device: 1 })
    const { grad } = loss.valueAndGrad(x, [1, 0])
    expect(grad.device).toBe(1)
    expect(opened).toEqual([1])
  })

  it('are not mixed', () => {
    useTwo()
    const [x, y] = [0, 1].map((device) => DeviceArray.from(Float32Array.of(1, 0), { device }))
    const message = (name: string) => `${name}.device is 1; expected 0, as arrays of a call lie on one GPU`
    expect(() => loss.value(x, y)).toThrow(new RangeError(message('targets')))
    expect(() => loss.value(x, [1, 0], { weights: y })).toThrow(new RangeError(message('weights')))
    expect(() => loss.valueAndGrad(x, [1, 0], { grad: y })).toThrow(
      new TypeError('grad is a float32 array of length 2 on a GPU; expected a float32 array on GPU 0, as logits is'),
    )
    expect(() => x.set(y)).toThrow(new TypeError('source is a float32 array of length 2 on a GPU; expected elements of float32, on the host or on GPU 0'))
  })
})

describe('a GPU that fails', () => {
  const failure = 'CUDA error 719: unspecified launch failure; this process has lost the GPU: start it anew'
  const fail = () => {
    throw new Error(failure)
  }
  const failing = (changed: Partial<Session>) => use({ open: (device) => ({ ...bound(addon.open(device)), ...changed }) })

  it('cannot be opened', async () => {
    use({ open: fail, openAsync: () => Promise.reject(new Error(failure)) })
    expect(() => DeviceArray.alloc('int8', 1)).toThrow(new BackendError(failure))
    await expect(init('cuda')).rejects.toThrow(new BackendError(failure))
    expect(() => new SigmoidFocalLoss({ backend: 'cuda' }).value(Float32Array.of(1), [1])).toThrow(new BackendError(failure))
  })

  it('fails calls, copies and memory, and nothing else', async () => {
    failing({ run: fail, copy: fail, allocate: fail })
    expect(() => new SigmoidFocalLoss({ backend: 'cuda' }).value(Float32Array.of(1), [1])).toThrow(BackendError)
    expect(() => DeviceArray.alloc('int8', 1)).toThrow(new BackendError(failure))
    failing({ copy: fail })
    expect(() => DeviceArray.from(Float32Array.of(1))).toThrow(new BackendError(failure))
    use({ openAsync: (device) => Promise.resolve({ ...bound(addon.open(device)), start: () => Promise.reject(new Error(failure)) }) })
    await expect(loss.valueAndGradAsync(DeviceArray.from(Float32Array.of(1)), [1])).rejects.toThrow(new BackendError(failure))
    expect(new SigmoidFocalLoss({ backend: 'js' }).value(Float32Array.of(1), [1])).toBeGreaterThan(0)
  })

  it('may be opened later for calls that were not possible before', async () => {
    let tries = 0
    use({ openAsync: (device) => (tries++ === 0 ? Promise.reject(new Error('busy')) : addon.openAsync(device)) })
    const x = DeviceArray.from(Float32Array.of(1))
    await expect(loss.valueAndGradAsync(x, [1])).rejects.toThrow(new BackendError('busy'))
    expect((await loss.valueAndGradAsync(x, [1])).value).toBe(loss.value(x, [1]))
  })

  it('is too old for some of its devices', () => {
    const [one] = addon.devices()
    const devices = () => Object.assign([{ ...one, supported: false, capability: '6.1' }, one], { reason: '' })
    use({ devices, open: () => addon.open(0) })
    expect(cudaDevices().current).toBe(1)
    expect(() => DeviceArray.alloc('int8', 1, { device: 0 })).toThrow(/^CUDA cannot run on device 0: .* has compute capability 6\.1, and the addon has code for 7\.5/)
  })
})
