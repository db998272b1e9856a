/** Memory of the host that GPUs copy from and to at full speed. */
import { checkedLength } from '../../arrays/memory.js'
import { dtypeOf } from '../../arrays/logits.js'
import type { NumericArray } from '../../arrays/numeric_array.js'
import { cudaDevices, guarded } from './devices.js'
import { surplus, wrongType } from '../../errors.js'

/** A typed array whose memory is pinned until this is disposed of, or collected. The array itself stays what it is. */
export class PinnedArray<A extends NumericArray = NumericArray> implements Disposable {
  /** The array that was pinned. */
  readonly array: A
  #unpin: (() => void) | undefined

  /** @hidden {@link pin} makes one. */
  constructor(array: A, unpin: () => void) {
    this.array = array
    this.#unpin = unpin
  }

  /** Whether the memory has been given back. */
  get disposed(): boolean {
    return this.#unpin === undefined
  }

  /** Makes the memory ordinary again, at once. As often as one likes. */
  dispose(): void {
    if (arguments.length > 0) throw surplus('dispose()', 0, arguments.length)
    this.#unpin?.()
    this.#unpin = undefined
  }

  /** The end of a `using` block: {@link dispose}. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}

/**
 * Pins a typed array's memory: the system keeps it where it is, and a GPU reads and writes it without a copy in between. Worth
 * it for arrays that go to a GPU again and again; pinning takes about as long as a copy, and memory from all other programs. Opens
 * the GPU. Meanwhile the buffer must be neither transferred nor resized.
 *
 * @throws BackendError where the system refuses, as for memory that is pinned already; RangeError for a resizable buffer.
 */
export function pin<A extends NumericArray>(array: A): PinnedArray<A> {
  if (arguments.length > 1) throw surplus('pin()', 1, arguments.length)
  if (!ArrayBuffer.isView(array) || dtypeOf(array) < 0) throw wrongType('array', array, 'a numeric typed array (BigInt arrays excepted)')
  if ((array.buffer as { readonly resizable?: boolean }).resizable === true) {
    throw new RangeError('array lies in a resizable buffer; expected memory that stays where it is')
  }
  const devices = cudaDevices()
  devices.session(devices.current)
  if (checkedLength('array', array) === 0) return new PinnedArray(array, () => undefined)
  return new PinnedArray(array, guarded(() => devices.addon.pin(array)))
}
