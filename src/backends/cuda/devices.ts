/** The GPUs of this machine as this thread of JavaScript uses them, through the addon of binding/cuda. */
import { environment } from '../../environment.js'
import { BackendError, outOfRange, reasonOf, show, wrongType } from '../../errors.js'
import type { AddonArray, Memory } from '../addon/call.js'

/** A GPU as its driver describes it. */
export interface DeviceInfo {
  readonly name: string
  /** Compute capability, such as '9.0'. */
  readonly capability: string
  /** Bytes. */
  readonly memory: number
  /** Whether the addon has code for it. */
  readonly supported: boolean
}

/** What the driver says: why there are none, too. */
type DeviceList = DeviceInfo[] & { readonly reason: string }

/** What binding/cuda exports. Where a device fails, its functions throw an Error with a sentence. */
export interface CudaAddon {
  readonly abi: number
  /** FOCAL_CUDA_BLOCK_ELEMENTS. */
  readonly blockElements: number
  /** focal_cuda_block_rows. */
  blockRows(loss: number, classes: number): number
  devices(): DeviceList
  open(device: number): Session
  openAsync(device: number): Promise<Session>
  /** The device in whose memory an address lies; -1 for the host's. */
  owner(address: bigint): number
  /** Makes an array's memory one that GPUs copy at full speed. The function takes it back, once. */
  pin(array: ArrayBufferView): () => void
}

/** A stream of one device. Only one thread at a time may use it. */
export interface Session {
  /** Runs the problem in a call's memory; arrays in the order of binding/call.h. */
  run(memory: ArrayBuffer, ...arrays: (AddonArray | null)[]): void
  /** The same on a thread of its own, which holds the arrays until the promise settles. */
  start(memory: ArrayBuffer, ...arrays: (AddonArray | null)[]): Promise<void> | undefined
  /** Filled with zeros. */
  allocate(bytes: number): Memory
  /** Memory that belongs to somebody else. */
  view(address: bigint, bytes: number): Memory
  copy(to: AddonArray, toByte: number, from: AddonArray, fromByte: number, bytes: number): void
  memory(): { readonly free: number; readonly total: number }
}

export class Devices {
  readonly addon: CudaAddon
  readonly list: readonly DeviceInfo[]
  readonly #sessions = new Map<number, Session>()
  readonly #asyncSessions = new Map<number, Promise<Session>>()
  #current: number

  /** Opens nothing. Throws a {@link BackendError} where there is no GPU that could be. */
  constructor(addon: CudaAddon) {
    this.addon = addon
    this.list = devicesOf(addon)
    this.#current = this.#fromEnvironment() ?? Math.max(0, this.list.findIndex(({ supported }) => supported))
    this.#checkSupport(this.#current)
  }

  /** The device of calls on the host's arrays, and of new arrays. */
  get current(): number {
    return this.#current
  }

  /** Whether anybody has asked for a device's memory or its time yet. */
  get isOpen(): boolean {
    return this.#sessions.size > 0
  }

  /** What {@link current} is by default: a device's index, checked. */
  check(name: string, device: unknown): number {
    const expected = `an integer from 0 to ${this.list.length - 1}, the index of a GPU here`
    if (typeof device !== 'number') throw wrongType(name, device, expected)
    if (!Number.isInteger(device) || device < 0 || device >= this.list.length) throw outOfRange(name, device, expected)
    return device
  }

  /** What this thread does with a device while it waits for it. Opened by the first use. */
  session(device: number): Session {
    let session = this.#sessions.get(device)
    if (session === undefined) {
      this.#checkSupport(device)
      session = guarded(() => this.addon.open(device))
      this.#sessions.set(device, session)
    }
    return session
  }

  /** Opens a device while the event loop keeps turning, and makes it the {@link current} one. */
  async open(device = this.#current): Promise<void> {
    this.#checkSupport(device)
    if (!this.#sessions.has(device)) {
      const session = await guardedAsync(this.addon.openAsync(device))
      // Somebody may have been faster
      if (!this.#sessions.has(device)) this.#sessions.set(device, session)
    }
    this.#current = device
  }

  /** A stream of its own for calls that this thread does not wait for. */
  asyncSession(device: number): Promise<Session> {
    let session = this.#asyncSessions.get(device)
    if (session === undefined) {
      this.#checkSupport(device)
      session = guardedAsync(this.addon.openAsync(device))
      this.#asyncSessions.set(device, session)
      // What failed may go better the next time
      session.catch(() => this.#asyncSessions.delete(device))
    }
    return session
  }

  #fromEnvironment(): number | undefined {
    const text = environment('FOCAL_LOSS_CUDA_DEVICE')
    if (text === undefined) return undefined
    if (!/^\d+$/.test(text.trim()) || Number(text) >= this.list.length) {
      throw outOfRange('FOCAL_LOSS_CUDA_DEVICE', text, `an integer from 0 to ${this.list.length - 1}, the index of a GPU here`)
    }
    return Number(text)
  }

  #checkSupport(device: number): void {
    const { name, capability, supported } = this.list[device]
    if (supported) return
    throw new BackendError(
      `CUDA cannot run on device ${device}: ${name} has compute capability ${capability}, and the addon has code for 7.5 and later; ` +
        'take another device, or use native, wasm or js.',
    )
  }
}

/** At least one. */
function devicesOf(addon: CudaAddon): readonly DeviceInfo[] {
  let reason: string
  try {
    const devices: unknown = addon.devices()
    if (!(Array.isArray(devices) && devices.every(isDevice))) throw new BackendError(`devices() of the addon is ${show(devices)}, not a list of GPUs`)
    if (devices.length > 0) return devices
    reason = (devices as DeviceList).reason || 'no NVIDIA driver, or no device'
  } catch (error) {
    reason = reasonOf(error)
  }
  throw new BackendError(`CUDA cannot run here: ${reason}; install the driver of an NVIDIA GPU, or use native, wasm or js.`)
}

function isDevice(value: unknown): value is DeviceInfo {
  const { name, capability, supported } = Object(value) as Partial<DeviceInfo>
  return typeof name === 'string' && typeof capability === 'string' && typeof supported === 'boolean'
}

let load: () => CudaAddon = () => {
  throw new BackendError('The cuda backend has no addon.')
}
let devices: Devices | undefined

/** Where the addon comes from, once it is needed. */
export function useCudaAddon(loadAddon: () => CudaAddon): void {
  load = loadAddon
  devices = undefined
}

/** Throws a {@link BackendError} that says why there is none. */
export function cudaDevices(): Devices {
  devices ??= new Devices(load())
  return devices
}

/** Whether a device is open. Asks no driver. */
export function isCudaOpen(): boolean {
  return devices?.isOpen === true
}

/** A device that fails is a {@link BackendError}; what is wrong with arguments stays what it is. */
export function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw asBackendError(error)
  }
}

export async function guardedAsync<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    throw asBackendError(error)
  }
}

function asBackendError(error: unknown): unknown {
  return error instanceof TypeError || error instanceof RangeError ? error : new BackendError(reasonOf(error))
}
