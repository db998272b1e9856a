/** The contents of a histogram's slots, ascending, and slots that are made wider. */

/** An array each for what slots have. */
export interface Amounts {
  readonly counts: Float64Array
  /** Sums of weights. */
  readonly positives: Float64Array
  readonly negatives: Float64Array
}

/** Slots that hold something, by the key that the keys of their numbers begin with. */
export interface Entries extends Amounts {
  /** How many bits of a number's key are left out. */
  readonly level: number
  readonly keys: Uint32Array
}

/** How many bits more are to be left out of ascending keys so that at most `limit` remain. */
export function surplusBits(keys: Uint32Array, limit: number): number {
  // Neighbours are one when the highest bit that they differ in is gone
  const parted = new Uint32Array(32)
  for (let i = 1; i < keys.length; i++) parted[31 - Math.clz32(keys[i] ^ keys[i - 1])]++
  let left = keys.length
  let bits = 0
  while (left > limit) left -= parted[bits++]
  return bits
}

/** With `bits` bits less of the keys. */
export function shortened(entries: Entries, bits: number): Entries {
  if (bits === 0) return entries
  const { level, keys, counts, positives, negatives } = entries
  const [to, sums] = [new Uint32Array(keys.length), [counts, positives, negatives].map(({ length }) => new Float64Array(length))]
  let last = -1
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] >>> bits
    if (last < 0 || to[last] !== key) to[++last] = key
    sums[0][last] += counts[i]
    sums[1][last] += positives[i]
    sums[2][last] += negatives[i]
  }
  const [ofCounts, ofPositives, ofNegatives] = sums.map((each) => each.slice(0, last + 1))
  return { level: level + bits, keys: to.slice(0, last + 1), counts: ofCounts, positives: ofPositives, negatives: ofNegatives }
}
