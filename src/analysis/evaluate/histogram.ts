/**
 * Logits in a histogram of fixed size that fits itself to them. Each distinct float32 has a slot of its own, and all that is computed
 * from them is exact, until there are more than fit; then the slots are merged two by two, by the order of the numbers' bits, until they
 * fit again: each halving leaves the numbers one bit of their mantissa less. Which slots there are in the end depends on the numbers alone, not on
 * their order or on how they were shared among several histograms.
 */
import { checkRecord } from '../../arguments.js'
import { outOfRange } from '../../errors.js'
import { checkList, isAmount } from '../part.js'

/** What is kept of a slot, together. */
const [COUNT, POSITIVES, NEGATIVES, FIELDS] = [0, 1, 2, 3]

/** The slots of a histogram, ascending: an array each for what they have. */
export interface Slots {
  readonly length: number
  /** The least number that belongs into each. */
  readonly from: Float64Array
  /** A number that stands for all of them: the middle. */
  readonly middle: Float64Array
  readonly counts: Float64Array
  /** Sums of weights. */
  readonly positives: Float64Array
  readonly negatives: Float64Array
}

/** As plain data, slots ascending. */
export interface HistogramState {
  /** How many bits of the numbers are left out. */
  readonly level: number
  /** The first slot's key, then what each is more than the one before. */
  readonly keys: readonly number[]
  readonly positives: readonly number[]
  readonly negatives: readonly number[]
  /** `null` where the weights are all 1, so that counts are their sums. */
  readonly counts: readonly number[] | null
}

/** Throws for a state that no histogram has written. */
export function checkHistogram(name: string, state: HistogramState): void {
  checkRecord(name, state)
  const { level, keys, positives, negatives, counts } = state
  if (!(Number.isInteger(level) && level >= 0 && level < 32)) throw outOfRange(`${name}.level`, level, 'an integer from 0 to 31')
  checkList(`${name}.keys`, keys, 'integers >= 0, which add up to fewer than 2^32', (key) => Number.isInteger(key) && isAmount(key))
  if (keys.reduce((sum, key) => sum + key, 0) >= 2 ** (32 - level)) throw outOfRange(`${name}.keys`, keys, `integers that add up to fewer than 2^${32 - level}`)
  checkList(`${name}.positives`, positives, 'finite numbers >= 0', isAmount, keys.length)
  checkList(`${name}.negatives`, negatives, 'finite numbers >= 0', isAmount, keys.length)
  if (counts !== null) checkList(`${name}.counts`, counts, 'finite numbers > 0', (count) => isAmount(count) && count > 0, keys.length)
}

/** As {@link checkHistogram}, one of each class. */
export function checkHistograms(name: string, states: readonly HistogramState[], classes: number): void {
  checkList(name, states, 'histograms, one for each class', (state) => typeof state === 'object', classes)
  states.forEach((state, c) => {
    checkHistogram(`${name}[${c}]`, state)
  })
}

export class Histogram {
  readonly #limit: number
  #level = 0
  #used = 0
  /** A hash table with open addressing, at most half full; a count of 0 is a free place. */
  #keys = new Uint32Array(256)
  #fields = new Float64Array(256 * FIELDS)

  /** @param limit how many slots there may be, a power of two from 2,048: so that infinity keeps a slot of its own. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Adds a number that is not NaN. A weight is above 0. */
  add(x: number, weight: number, isPositive: boolean): void {
    const at = this.#placeOf(keyOf(x) >>> this.#level)
    this.#fields[at + COUNT]++
    this.#fields[at + (isPositive ? POSITIVES : NEGATIVES)] += weight
  }

  slots(): Slots {
    const keys = this.#sortedKeys()
    const { length } = keys
    const [from, middle] = [new Float64Array(length), new Float64Array(length)]
    keys.forEach((key, i) => {
      const [first, last] = [numberOf(key * 2 ** this.#level), numberOf((key + 1) * 2 ** this.#level - 1)]
      // Beyond the infinities there are only keys of NaN
      const [least, most] = [Number.isNaN(first) ? last : first, Number.isNaN(last) ? first : last]
      from[i] = least
      middle[i] = least === most ? least : least / 2 + most / 2
    })
    return { length, from, middle, counts: this.#fieldOf(keys, COUNT), positives: this.#fieldOf(keys, POSITIVES), negatives: this.#fieldOf(keys, NEGATIVES) }
  }

  state(): HistogramState {
    const keys = this.#sortedKeys()
    const [counts, positives, negatives] = [COUNT, POSITIVES, NEGATIVES].map((field) => Array.from(this.#fieldOf(keys, field)))
    const isPlain = counts.every((count, i) => count === positives[i] + negatives[i])
    return { level: this.#level, keys: Array.from(keys, (key, i) => (i === 0 ? key : key - keys[i - 1])), positives, negatives, counts: isPlain ? null : counts }
  }

  /** Adds what another histogram with the same limit holds. */
  merge({ level, keys, positives, negatives, counts }: HistogramState): void {
    while (this.#level < level) this.#coarsen()
    let key = 0
    for (let i = 0; i < keys.length; i++) {
      key += keys[i]
      const at = this.#placeOf(Math.floor(key / 2 ** (this.#level - level)))
      this.#fields[at + COUNT] += counts === null ? positives[i] + negatives[i] : counts[i]
      this.#fields[at + POSITIVES] += positives[i]
      this.#fields[at + NEGATIVES] += negatives[i]
    }
  }

  #sortedKeys(): Uint32Array {
    return this.#keys.filter((_, at) => this.#fields[at * FIELDS + COUNT] > 0).sort()
  }

  #fieldOf(keys: Uint32Array, field: number): Float64Array {
    return Float64Array.from(keys, (key) => this.#fields[this.#find(key) * FIELDS + field])
  }

  /** Where the fields of a key are: a slot that there is, or a new one. */
  #placeOf(key: number): number {
    for (;;) {
      const at = this.#find(key)
      if (this.#fields[at * FIELDS + COUNT] > 0) return at * FIELDS
      if (this.#used < Math.min(this.#limit, this.#keys.length / 2)) {
        this.#keys[at] = key
        this.#used++
        return at * FIELDS
      }
      if (this.#used < this.#limit) this.#rebuild(2 * this.#keys.length, 0)
      else {
        this.#coarsen()
        key >>>= 1
      }
    }
  }

  /** The place of a key, or the free one where it belongs. */
  #find(key: number): number {
    const mask = this.#keys.length - 1
    // Neighbours of a number are neighbours in memory, eight at a time: logits crowd together
    let at = ((Math.imul(key >>> 3, 0x9e3779b1) >>> 8 << 3) | (key & 7)) & mask
    while (this.#fields[at * FIELDS + COUNT] > 0 && this.#keys[at] !== key) at = (at + 1) & mask
    return at
  }

  #coarsen(): void {
    this.#level++
    this.#rebuild(this.#keys.length, 1)
  }

  /** Moves all slots into a table of another size, their keys shortened. */
  #rebuild(size: number, bits: number): void {
    const [keys, fields] = [this.#keys, this.#fields]
    this.#keys = new Uint32Array(size)
    this.#fields = new Float64Array(size * FIELDS)
    this.#used = 0
    for (let i = 0; i < keys.length; i++) {
      if (fields[i * FIELDS + COUNT] === 0) continue
      const key = keys[i] >>> bits
      const at = this.#find(key)
      if (this.#fields[at * FIELDS + COUNT] === 0) this.#used++
      this.#keys[at] = key
      for (let field = 0; field < FIELDS; field++) this.#fields[at * FIELDS + field] += fields[i * FIELDS + field]
    }
  }
}

const single = new Float32Array(1)
const bits = new Uint32Array(single.buffer)

/** The largest float32 that is no larger than `x`, as an integer in the order of the numbers. */
export function keyOf(x: number): number {
  // Of the two zeros the positive one
  single[0] = x + 0
  const key = bits[0] >>> 31 === 0 ? (bits[0] | 0x80000000) >>> 0 : ~bits[0] >>> 0
  return single[0] > x ? key - 1 : key
}

function numberOf(key: number): number {
  bits[0] = key >= 0x80000000 ? key & 0x7fffffff : ~key
  return single[0]
}
