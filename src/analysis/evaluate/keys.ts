/** Numbers as integers that are in the same order: the bits of a float32. */
const single = new Float32Array(1)
const bits = new Uint32Array(single.buffer)

/** The bits of a float32 as an integer in the order of the numbers. Of the two zeros there is the positive one. */
export function orderOf(pattern: number): number {
  return pattern < 0x80000000 ? (pattern | 0x80000000) >>> 0 : pattern === 0x80000000 ? pattern : ~pattern >>> 0
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
