/** Arrays of numbers as callers give them. */

/** Float16Array among others, for compilers whose library declares it. */
export type OrFloat16<Others> = typeof globalThis extends { Float16Array: { readonly prototype: infer A } } ? Others | A : Others

/** Float16Array, where there is such a type. */
export type Float16 = OrFloat16<never>

/** Every array that backends read. */
export type NumericArray = OrFloat16<
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
>

/** Numbers as callers may give them: any numeric typed array, or a plain array of numbers or booleans. */
export type Numbers = NumericArray | readonly number[] | readonly boolean[]

/** Targets as callers may give them: also the 64-bit integers that PyTorch and NumPy keep class indices in. */
export type Targets = Numbers | BigInt64Array | BigUint64Array
