/**
 * What a typed array knows of itself, asked of the language's own getters. A property load slows down once many kinds
 * of arrays have come by, and by more than the loss of a small batch takes; a getter called outright does not. And a property
 * may be overridden, in a subclass or on one array: addresses must not be made of what it says.
 */

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object

interface Getter<T> {
  get: (this: unknown) => T
}

const { get: tag } = Object.getOwnPropertyDescriptor(typedArray, Symbol.toStringTag) as Getter<string | undefined>
const { get: length } = Object.getOwnPropertyDescriptor(typedArray, 'length') as Getter<number>

const { get: byteLength } = Object.getOwnPropertyDescriptor(typedArray, 'byteLength') as Getter<number>
const { get: byteOffset } = Object.getOwnPropertyDescriptor(typedArray, 'byteOffset') as Getter<number>
const { get: buffer } = Object.getOwnPropertyDescriptor(typedArray, 'buffer') as Getter<ArrayBufferLike>
/** Engines of before resizable buffers lack it. */
const resizable = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'resizable') as Getter<boolean> | undefined
const growable =
  typeof SharedArrayBuffer === 'undefined' ? undefined : (Object.getOwnPropertyDescriptor(SharedArrayBuffer.prototype, 'growable') as Getter<boolean> | undefined)
const { value: subarray } = Object.getOwnPropertyDescriptor(typedArray, 'subarray') as { value: (this: ArrayBufferView, from: number, to: number) => ArrayLike<number> }
const { value: set } = Object.getOwnPropertyDescriptor(typedArray, 'set') as { value: (this: ArrayBufferView, from: ArrayLike<number>, at?: number) => void }

/**
 * `Float32Array` and so on, and `DataView` for what is no typed array: right for subclasses (`Buffer`) and for arrays of
 * another realm, unlike `constructor`.
 */
export function tagOf(array: object): string {
  return tag.call(array) ?? 'DataView'
}

/** The length of a typed array; 0 where its memory is lost. */
export function lengthOf(array: ArrayBufferView): number {
  return length.call(array)
}

/** Bytes of a typed array; 0 where its memory is lost. */
export function byteLengthOf(array: ArrayBufferView): number {
  return byteLength.call(array)
}

export function byteOffsetOf(array: ArrayBufferView): number {
  return byteOffset.call(array)
}

export function bufferOf(array: ArrayBufferView): ArrayBufferLike {
  return buffer.call(array)
}

/** Whether the array's memory may shrink. What threads share only grows. */
export function mayShrink(array: ArrayBufferView): boolean {
  try {
    return resizable?.get.call(bufferOf(array)) ?? false
  } catch {
    // Of a SharedArrayBuffer
    return false
  }
}

/** Whether other threads may make the array's memory, and with it the array, longer. */
export function mayGrow(array: ArrayBufferView): boolean {
  // An engine that lacks one lacks both
  if (resizable === undefined || growable === undefined) return false
  const memory = bufferOf(array)
  try {
    // Throws for a SharedArrayBuffer, and costs other memory nothing
    resizable.get.call(memory)
    return false
  } catch {
    return growable.get.call(memory)
  }
}

/** Copies numbers into a typed array, from this element on. */
export function setIn(array: ArrayBufferView, from: ArrayLike<number>, at = 0): void {
  set.call(array, from, at)
}

/** The elements `from` to `to - 1`, no copy. */
export function partOf(array: ArrayBufferView, from: number, to: number): ArrayLike<number> {
  return subarray.call(array, from, to)
}
