/** Checks that options and counts agree on all ranks, within the sums of the step: no extra message. */

/** How many numbers tell of one value. */
export const TOLD = 3

/** Small, so that sums of squares are exact for a million of them. */
const HASHES = 1 << 16

/** Adds a value to those that `to` is told of, at `at`. */
export function tell(to: Float64Array, at: number, value: string | number): void {
  const hash = hashOf(String(value))
  to[at] += 1
  to[at + 1] += hash
  to[at + 2] += hash * hash
}

/** Whether the values that a sum was told of differ. Of equal hashes, and of them alone, the square of the sum is the sum of the squares times their number. */
export function differ(sum: Float64Array, at: number): boolean {
  return sum[at] * sum[at + 2] !== sum[at + 1] ** 2
}

/** FNV-1a, folded. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return ((hash >>> 16) ^ hash) & (HASHES - 1)
}
