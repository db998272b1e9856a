/** Arrays in the memory of a GPU: made, filled, read and freed. */
import { checkNames, checkRecord, oneOf } from '../../arguments.js'
import type { DeviceArray as AnyDeviceArray, DeviceArrays, DevicePointer } from '../../arrays/device_array.js'
import { type DeviceDtype, deviceDtypes, type DtypeOf, type HostArray, hostArrays } from '../../arrays/element_type.js'
import { type HalfDtype, halfDtypes } from '../../arrays/half.js'
import { tagOf } from '../../arrays/intrinsics.js'
import { dtypeOf } from '../../arrays/logits.js'
import { checkedLength } from '../../arrays/memory.js'
import type { NumericArray, OrFloat16 } from '../../arrays/numeric_array.js'
import { outOfRange, surplus, wrongType } from '../../errors.js'
import type { Memory } from '../addon/call.js'
import { cudaDevices, guarded, isCudaOpen } from './devices.js'

/** Where a {@link DeviceArray} is made. */
export interface DeviceOptions {
  /** The GPU's index, as CUDA counts them. Default: the one that calls on the host's arrays run on. */
  device?: number | undefined
}

/** The addon's object for the memory of an array that is not disposed. No field, so that the class and its interface are one type. */
const memories = new WeakMap<object, Memory>()

/** The constructor, which is nobody else's. */
let arrayIn: <D extends DeviceDtype>(memory: Memory, dtype: D, length: number, device: number) => DeviceArray<D>

/**
 * An array in the memory of a GPU: taken wherever calls take typed arrays, without copies. Freed by `dispose()`, at the end
 * of a `using` block, or at last by the garbage collector, which is told of its size but frees nothing before the event loop
 * turns: loops that never wait dispose of what they make. The first one opens the GPU.
 *
 * Everything here waits until it is done. An array belongs to the thread that made it; others may use its
 * {@link DevicePointer}, while it lives.
 */
export class DeviceArray<D extends DeviceDtype = DeviceDtype> implements AnyDeviceArray<D>, Disposable {
  /** What the elements are. */
  readonly dtype: D
  /** In elements. */
  readonly length: number
  /** In bytes. */
  readonly byteLength: number
  /** The index of the GPU in whose memory it is. */
  readonly device: number
  /** The address of the first element: a CUDA device pointer. 0 for an empty array. */
  readonly ptr: bigint

  private constructor(memory: Memory, dtype: D, length: number, device: number) {
    this.dtype = dtype
    this.length = length
    this.byteLength = length * hostArrays[dtype].BYTES_PER_ELEMENT
    this.device = device
    this.ptr = memory.address
    memories.set(this, memory)
  }

  /**
   * A new array filled with zeros. Throws a {@link BackendError} where the GPU has not so much memory left, or there is none.
   *
   * @param length an integer >= 0
   */
  static alloc<D extends DeviceDtype>(dtype: D, length: number, options: DeviceOptions = {}): DeviceArray<D> {
    if (arguments.length > 3) throw surplus('DeviceArray.alloc()', 3, arguments.length)
    oneOf('dtype', dtype, deviceDtypes)
    if (typeof length !== 'number') throw wrongType('length', length, 'an integer >= 0')
    if (!Number.isSafeInteger(length) || length < 0) throw outOfRange('length', length, 'an integer >= 0')
    return allocate(dtype, length, deviceIn(options, ['device']))
  }

  /** A copy of an array of the host's, of bits as what `dtype` says; or of one on the same GPU. */
  static from<H extends HalfDtype>(bits: Uint16Array, options: DeviceOptions & { dtype: H }): DeviceArray<H>
  static from<A extends NumericArray>(source: A, options?: DeviceOptions): DeviceArray<DtypeOf<A>>
  static from<D extends DeviceDtype>(source: DevicePointer<D>, options?: DeviceOptions): DeviceArray<D>
  static from(source: unknown, options: DeviceOptions & { dtype?: HalfDtype } = {}): DeviceArray {
    if (arguments.length > 2) throw surplus('DeviceArray.from()', 2, arguments.length)
    const device = deviceIn(options, ['device', 'dtype'])
    const array = sourceOf('source', source)
    if (options.dtype !== undefined) {
      oneOf('dtype', options.dtype, halfDtypes)
      if (!isTyped(array) || tagOf(array) !== 'Uint16Array') throw wrongType('source', source, `a Uint16Array, as dtype is '${options.dtype}'`)
    }
    const dtype = options.dtype ?? (isTyped(array) ? deviceDtypes[dtypeOf(array)] : array.dtype)
    const copy = allocate(dtype, isTyped(array) ? checkedLength('source', array) : array.length, device ?? (isTyped(array) ? undefined : array.device))
    copy.set(array as DevicePointer)
    return copy
  }

  /** Whether its memory has been freed. */
  get disposed(): boolean {
    return !memories.has(this)
  }

  /** A copy on the host, in `out` or a new array: half precision as bits, in a Float16Array too where `out` is one. */
  toHost(): HostArray<D>
  toHost<A extends OrFloat16<HostArray<D>>>(out: A): A
  toHost(out?: unknown): NumericArray {
    if (arguments.length > 1) throw surplus('toHost()', 1, arguments.length)
    const to = out === undefined ? new hostArrays[this.dtype](this.length) : sourceOf('out', out)
    if (!isTyped(to)) throw wrongType('out', out, 'a typed array')
    checkKind(this, 'out', to)
    const length = checkedLength('out', to)
    if (length !== this.length) throw new RangeError(`out has length ${length}; expected ${this.length}`)
    copy(this.device, to, 0, memoryOf(this), 0, this.byteLength)
    return to
  }

  /**
   * Copies elements of the same type into this array, from `offset` (in elements) on.
   *
   * @param source a typed array (bits for half precision), or an array on the same GPU.
   */
  set(source: OrFloat16<HostArray<D>> | DevicePointer<D>, offset = 0): void {
    if (arguments.length > 2) throw surplus('set()', 2, arguments.length)
    const from = sourceOf('source', source)
    checkKind(this, 'source', from)
    const length = checkedLength('source', from)
    if (typeof offset !== 'number') throw wrongType('offset', offset, 'an integer >= 0')
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > this.length) {
      throw outOfRange('offset', offset, `an integer from 0 to ${this.length - length}, as ${length} elements go into ${this.length}`)
    }
    const each = hostArrays[this.dtype].BYTES_PER_ELEMENT
    copy(this.device, memoryOf(this), offset * each, isTyped(from) ? from : memoryOf(from), 0, length * each)
  }

  /** Frees the memory, at once; another library's is left alone. As often as one likes. */
  dispose(): void {
    if (arguments.length > 0) throw surplus('dispose()', 0, arguments.length)
    memories.get(this)?.free()
    memories.delete(this)
  }

  /** The end of a `using` block: {@link dispose}. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  get [Symbol.toStringTag](): string {
    return 'DeviceArray'
  }

  static {
    arrayIn = (memory, dtype, length, device) => new DeviceArray(memory, dtype, length, device)
  }
}

function allocate<D extends DeviceDtype>(dtype: D, length: number, device: number | undefined): DeviceArray<D> {
  const devices = cudaDevices()
  const at = device ?? devices.current
  const session = devices.session(at)
  return arrayIn(guarded(() => session.allocate(length * hostArrays[dtype].BYTES_PER_ELEMENT)), dtype, length, at)
}

/** Memory that belongs to somebody else, once it is known to lie where it should. */
function view(name: string, value: object): DeviceArray {
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
  return arrayIn(memory, dtype as DeviceDtype, length, at)
}

/** The addon's object for an array's memory. */
export function memoryOf(array: AnyDeviceArray): Memory {
  const memory = memories.get(array)
  if (memory === undefined) throw new TypeError('the DeviceArray is disposed; expected one that has its memory')
  return memory
}

function checkKind({ dtype, device }: DeviceArray, name: string, array: NumericArray | AnyDeviceArray): void {
  const isHalf = (halfDtypes as readonly string[]).includes(dtype)
  const fits = isTyped(array)
    ? deviceDtypes[dtypeOf(array)] === dtype || (isHalf && tagOf(array) === 'Uint16Array')
    : array.dtype === dtype && array.device === device
  if (fits) return
  const bits = isHalf ? ' (bits in a Uint16Array)' : ''
  throw wrongType(name, array, `elements of ${dtype}${bits}, on the host or on GPU ${device}`)
}

function copy(device: number, to: NumericArray | Memory, toByte: number, from: NumericArray | Memory, fromByte: number, bytes: number): void {
  if (bytes === 0) return
  const session = cudaDevices().session(device)
  guarded(() => session.copy(to, toByte, from, fromByte, bytes))
}

/** What the checks of a call ask. */
export const deviceArrays: DeviceArrays = {
  of(name, value) {
    if (!(value instanceof DeviceArray)) return view(name, value)
    if (value.disposed) throw new TypeError(`${name} is a DeviceArray that is disposed; expected one that has its memory`)
    return value
  },
  alloc: allocate,
  isOpen: isCudaOpen,
}

function isTyped(array: NumericArray | AnyDeviceArray): array is NumericArray {
  return ArrayBuffer.isView(array)
}

/** Where elements come from or go to. */
function sourceOf(name: string, value: unknown): NumericArray | AnyDeviceArray {
  if (ArrayBuffer.isView(value) && dtypeOf(value) >= 0) return value as NumericArray
  if (typeof value === 'object' && value !== null && 'ptr' in value) return deviceArrays.of(name, value)
  throw wrongType(name, value, 'a numeric typed array (BigInt arrays excepted) or an array on a GPU')
}

function deviceIn(options: DeviceOptions, names: readonly string[]): number | undefined {
  checkRecord('options', options)
  checkNames(options, new Set(names), 'DeviceArray')
  return options.device === undefined ? undefined : cudaDevices().check('device', options.device)
}
