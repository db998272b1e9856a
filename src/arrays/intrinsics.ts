/**
 * What a typed array knows of itself, asked of the language's own getters. A property load slows down once many kinds
 * of arrays have come by, and by more than the loss of a small batch takes; a getter called outright does not.
 */

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object

interface Getter<T> {
  get: (this: unknown) => T
}

const { get: tag } = Object.getOwnPropertyDescriptor(typedArray, Symbol.toStringTag) as Getter<string | undefined>
const { get: length } = Object.getOwnPropertyDescriptor(typedArray, 'length') as Getter<number>

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
