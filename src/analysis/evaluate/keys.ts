/** Numbers as integers that are in the same order: the bits of a float32. */
const single = new Float32Array(1)
const bits = new Int32Array(single.buffer)

/** The pattern of -0, as of all bits a 32-bit integer. */
const NEGATIVE_ZERO = -0x80000000

/** The bits of a float32 as an integer in the order of the numbers. Of the two zeros there is the positive one. No branch depends on a sign, which nobody can predict. */
export function orderOf(pattern: number): number {
  const own = pattern === NEGATIVE_ZERO ? 0 : pattern
  return (own ^ ((own >> 31) | 0x80000000)) >>> 0
}

/** The largest float32 that is no larger than `x`, as an integer in the order of the numbers. */
export function keyOf(x: number): number {
  single[0] = x
  const key = orderOf(bits[0])
  return single[0] > x ? key - 1 : key
}

export function numberOf(key: number): number {
  bits[0] = key >= 0x80000000 ? key & 0x7fffffff : ~key
  return single[0]
}
