/** Arrays in the memory of a GPU: made, filled, read and freed. */
/// <reference lib="esnext.disposable" />
import { checkedLength, dtypeOf, type NumericArray, type OrFloat16 } from './arrays.js'
import { cudaDevices, guarded, isCudaOpen, type Memory } from './backends/cuda_devices.js'
import { type DeviceArrays, type DeviceDtype, deviceDtypes, type DevicePointer } from './device.js'
import { outOfRange, wrongType } from './errors.js'
import { type HalfDtype, halfDtypes } from './half.js'
import { type DtypeOf, type HostArray, hostArrays } from './host_array.js'
import { tagOf } from './intrinsics.js'
import { checkNames, checkRecord, oneOf } from './options.js'

/** Where a {@link DeviceArray} is made. */
export interface DeviceOptions {
  /** The GPU's index, as CUDA counts them. Default: the one that calls on the host's arrays run on. */
  device?: number
}

/** The addon's object for an array's memory. */
export let memoryOf: (array: DeviceArray) => Memory
/** What the checks of a call ask. */
export let deviceArrays: DeviceArrays

/**
 * An array in the memory of a GPU: taken wherever calls take typed arrays, without copies. Freed by `dispose()`, at the end
 * of a `using` block, or at last by the garbage collector, which is told of its size but frees nothing before the event loop
 * turns: loops that never wait dispose of what they make. The first one opens the GPU.
 *
 * Everything here waits until it is done. An array belongs to the thread that made it; others may use its
 * {@link DevicePointer}, while it lives.
 */
export class DeviceArray<D extends DeviceDtype = DeviceDtype> implements DevicePointer<D>, Disposable {
  /** What the elements are. */
  readonly dtype: D
  /** In elements. */
  readonly length: number
  /** In bytes. */
  readonly byteLength: number
  /** The index of the GPU in whose memory it lies. */
  readonly device: number
  readonly #ptr: bigint
  #memory: Memory | undefined

  private constructor(memory: Memory, dtype: D, length: number, device: number) {
    this.dtype = dtype
    this.length = length
    this.byteLength = length * hostArrays[dtype].BYTES_PER_ELEMENT
    this.device = device
    this.#ptr = memory.address
    this.#memory = memory
  }

  /**
   * A new array filled with zeros. Throws a {@link BackendError} where the GPU has not so much memory left, or there is none.
   *
   * @param length an integer >= 0
   */
  static alloc<D extends DeviceDtype>(dtype: D, length: number, options: DeviceOptions = {}): DeviceArray<D> {
    oneOf('dtype', dtype, deviceDtypes)
    if (typeof length !== 'number') throw wrongType('length', length, 'an integer >= 0')
    if (!Number.isSafeInteger(length) || length < 0) throw outOfRange('length', length, 'an integer >= 0')
    return DeviceArray.#alloc(dtype, length, deviceIn(options, ['device']))
  }

  /** A copy of an array of the host's, of bits as what `dtype` says; or of one on the same GPU. */
  static from<H extends HalfDtype>(bits: Uint16Array, options: DeviceOptions & { dtype: H }): DeviceArray<H>
  static from<A extends NumericArray>(source: A, options?: DeviceOptions): DeviceArray<DtypeOf<A>>
  static from<D extends DeviceDtype>(source: DevicePointer<D>, options?: DeviceOptions): DeviceArray<D>
  static from(source: unknown, options: DeviceOptions & { dtype?: HalfDtype } = {}): DeviceArray {
    const device = deviceIn(options, ['device', 'dtype'])
    const array = sourceOf('source', source)
    if (options.dtype !== undefined) {
      oneOf('dtype', options.dtype, halfDtypes)
      if (!isTyped(array) || tagOf(array) !== 'Uint16Array') throw wrongType('source', source, `a Uint16Array, as dtype is '${options.dtype}'`)
    }
    const dtype = options.dtype ?? (isTyped(array) ? deviceDtypes[dtypeOf(array)] : array.dtype)
    const copy = DeviceArray.#alloc(dtype, isTyped(array) ? checkedLength('source', array) : array.length, device ?? (isTyped(array) ? undefined : array.device))
    copy.set(array as DevicePointer)
    return copy
  }

  /** The address of the first element: a CUDA device pointer. 0 for an empty array. */
  get ptr(): bigint {
    return this.#ptr
  }

  /** Whether its memory has been freed. */
  get disposed(): boolean {
    return this.#memory === undefined
  }

  /** A copy on the host, in `out` or a new array: half precision as bits, in a Float16Array too where `out` is one. */
  toHost(): HostArray<D>
  toHost<A extends OrFloat16<HostArray<D>>>(out: A): A
  toHost(out?: unknown): NumericArray {
    const to = out === undefined ? new hostArrays[this.dtype](this.length) : sourceOf('out', out)
    if (!isTyped(to)) throw wrongType('out', out, 'a typed array')
    this.#checkKind('out', to)
    const length = checkedLength('out', to)
    if (length !== this.length) throw new RangeError(`out has length ${length}; expected ${this.length}`)
    this.#copy(to, 0, this.#alive(), 0, this.byteLength)
    return to
  }

  /**
   * Copies elements of the same type into this array, from `offset` (in elements) on.
   *
   * @param source a typed array (bits for half precision), or an array on the same GPU.
   */
  set(source: OrFloat16<HostArray<D>> | DevicePointer<D>, offset = 0): void {
    const from = sourceOf('source', source)
    this.#checkKind('source', from)
    const length = checkedLength('source', from)
    if (typeof offset !== 'number') throw wrongType('offset', offset, 'an integer >= 0')
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > this.length) {
      throw outOfRange('offset', offset, `an integer from 0 to ${this.length - length}, as ${length} elements go into ${this.length}`)
    }
    const each = hostArrays[this.dtype].BYTES_PER_ELEMENT
    this.#copy(this.#alive(), offset * each, isTyped(from) ? from : from.#alive(), 0, length * each)
  }

  /** Frees the memory, at once; another library's is left alone. As often as one likes. */
  dispose(): void {
    this.#memory?.free()
    this.#memory = undefined
  }

  /** The end of a `using` block: {@link dispose}. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  get [Symbol.toStringTag](): string {
    return 'DeviceArray'
  }

  static #alloc<D extends DeviceDtype>(dtype: D, length: number, device: number | undefined): DeviceArray<D> {
    const devices = cudaDevices()
    const at = device ?? devices.current
    const session = devices.session(at)
    return new DeviceArray(guarded(() => session.allocate(length * hostArrays[dtype].BYTES_PER_ELEMENT)), dtype, length, at)
  }

  /** Memory that belongs to somebody else, once it is known to lie where it should. */
  static #view(name: string, value: object): DeviceArray {
    const { ptr, length, dtype, device } = value as Partial<DevicePointer>
    const devices = cudaDevices()
    if (typeof ptr !== 'bigint') throw wrongType(`${name}.ptr`, ptr, 'a bigint, the address of memory of a GPU')
    if (typeof length !== 'number') throw wrongType(`${name}.length`, length, 'an integer >= 0')
    if (!Number.isSafeInteger(length) || length < 0) throw outOfRange(`${name}.length`, length, 'an integer >= 0')
    const each = hostArrays[oneOf(`${name}.dtype`, dtype, deviceDtypes)].BYTES_PER_ELEMENT
    const at = devices.check(`${name}.device`, device)
    if (ptr % BigInt(each) !== 0n) throw outOfRange(`${name}.ptr`, ptr, `a multiple of ${each}, the bytes of an element`)
    const session = devices.session(at)
    // The first byte and the last: a length too long ends beyond what there is
    for (const byte of length === 0 ? [] : [0n, BigInt(length * each) - 1n]) {
      const owner = guarded(() => devices.addon.owner(ptr + byte))
      const lies = owner < 0 ? 'in memory of no GPU' : `on device ${owner}`
      if (owner !== at) throw new RangeError(`${name}.ptr + ${byte} lies ${lies}; expected device ${at}, as ${name}.device says, for ${length} elements`)
    }
    const memory = session.view(ptr, length * each)
    memory.owner = value
    return new DeviceArray(memory, dtype as DeviceDtype, length, at)
  }

  #alive(): Memory {
    if (this.#memory === undefined) throw new TypeError('the DeviceArray is disposed; expected one that has its memory')
    return this.#memory
  }

  #checkKind(name: string, array: NumericArray | DeviceArray): void {
    const isHalf = (halfDtypes as readonly string[]).includes(this.dtype)
    const fits = isTyped(array)
      ? deviceDtypes[dtypeOf(array)] === this.dtype || (isHalf && tagOf(array) === 'Uint16Array')
      : array.dtype === this.dtype && array.device === this.device
    if (fits) return
    const bits = isHalf ? ' (bits in a Uint16Array)' : ''
    throw wrongType(name, array, `elements of ${this.dtype}${bits}, on the host or on GPU ${this.device}`)
  }

  #copy(to: NumericArray | Memory, toByte: number, from: NumericArray | Memory, fromByte: number, bytes: number): void {
    if (bytes === 0) return
    const session = cudaDevices().session(this.device)
    guarded(() => session.copy(to, toByte, from, fromByte, bytes))
  }

  static {
    memoryOf = (array) => array.#alive()
    deviceArrays = {
      of(name, value) {
        if (!(#memory in value)) return DeviceArray.#view(name, value)
        if (value.disposed) throw new TypeError(`${name} is a DeviceArray that is disposed; expected one that has its memory`)
        return value
      },
      alloc: (dtype, length, device) => DeviceArray.#alloc(dtype, length, device),
      isOpen: isCudaOpen,
    }
  }
}

function isTyped(array: NumericArray | DeviceArray): array is NumericArray {
  return ArrayBuffer.isView(array)
}

/** Where elements come from or go to. */
function sourceOf(name: string, value: unknown): NumericArray | DeviceArray {
  if (ArrayBuffer.isView(value) && dtypeOf(value) >= 0) return value as NumericArray
  if (typeof value === 'object' && value !== null && 'ptr' in value) return deviceArrays.of(name, value)
  throw wrongType(name, value, 'a numeric typed array (BigInt arrays excepted) or an array on a GPU')
}

function deviceIn(options: DeviceOptions, names: readonly string[]): number | undefined {
  checkRecord('options', options)
  checkNames(options, new Set(names), 'DeviceArray')
  return options.device === undefined ? undefined : cudaDevices().check('device', options.device)
}
