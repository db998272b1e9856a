/**
 * Logits in a histogram of fixed size that fits itself to them. Each distinct float32 has a slot of its own, and all that is computed
 * from them is exact, until there are more than fit; then the slots are merged two by two, by the order of the numbers' bits, until they
 * fit again: each halving leaves the numbers one bit of their mantissa less. Which slots there are in the end depends on the numbers alone, not on
 * their order or on how they were shared among several histograms. Before the first halving there may be twice as many, so that it can be of many bits at once.
 */
import type { Logits } from '../../arrays/logits.js'
import { LEFT_OUT, NEGATIVE, POSITIVE } from '../labels.js'
import { type Amounts, type Entries, shortened, surplusBits } from './entries.js'
import type { HistogramState } from './histogram_state.js'
import { keyOf, numberOf, orderOf } from './keys.js'

/** How many keys a histogram looks up in a table of all of them: at most so many times its slots, and so many bytes in all histograms together. */
const [DIRECT, DIRECT_BYTES] = [64, 1 << 28]

/** How many numbers of weight 1 an integer can count. */
const MOST_PLAIN = 2 ** 32 - 1

/** The slots of a histogram, ascending: an array each for what they have. */
export interface Slots extends Amounts {
  readonly length: number
  /** The least number that belongs into each. */
  readonly from: Float64Array
  /** A number that stands for all of them: the middle. */
  readonly middle: Float64Array
}

export class Histogram {
  readonly #limit: number
  readonly #mostDirect: number
  #level = 0
  #used = 0
  /** Of the slots, in the order in which they were first needed. */
  #keys = new Uint32Array(128)
  /** Two sums of weights each, of negatives and of positives: integers, which take half of a cache, until they may be others. */
  #sums: Uint32Array | Float64Array = new Uint32Array(2 * 128)
  /** How many numbers of weight 1 have been added, some of them left out perhaps. */
  #plain = 0
  /** How many examples; `null` while all weights are 1, so that the sums say it. */
  #counts: Float64Array | null = null
  /** Where slots are, from 1 on, and 0: nowhere. By key once there are few enough of them; before by a hash, with open addressing, at most half full. */
  #table = new Int32Array(256)
  #isDirect = false

  /**
   * @param limit how many slots there may be, a power of two from 2,048: so that infinity keeps a slot of its own.
   * @param count how many histograms there are, this one among them.
   */
  constructor(limit: number, count = 1) {
    this.#limit = limit
    this.#mostDirect = Math.min(DIRECT * limit, DIRECT_BYTES / Int32Array.BYTES_PER_ELEMENT / count)
  }

  /** Adds a number that is not NaN. A weight is above 0. */
  add(x: number, weight: number, isPositive: boolean): void {
    if (weight === 1) this.#expect(1)
    else {
      this.#widen()
      this.#counts ??= this.#plainCounts()
    }
    const slot = this.#slotOf(keyOf(x) | 0)
    this.#sums[2 * slot + (isPositive ? POSITIVE : NEGATIVE)] += weight
    if (this.#counts !== null) this.#counts[slot]++
  }

  /** Adds numbers of weight 1 that are not NaN, `step` apart, with what labels.ts says of each. */
  addAll(logits: Logits, labels: Uint8Array, from: number, to: number, step: number): void {
    if (this.#counts !== null) {
      for (let k = from; k < to; k += step) if (labels[k] !== LEFT_OUT) this.add(logits[k], 1, labels[k] === POSITIVE)
      return
    }
    this.#expect(Math.ceil((to - from) / step))
    const patterns = logits instanceof Float32Array ? new Int32Array(logits.buffer, logits.byteOffset, logits.length) : null
    let [level, table, sums, isDirect] = [this.#level, this.#table, this.#sums, this.#isDirect]
    for (let k = from; k < to; k += step) {
      const label = labels[k]
      if (label === LEFT_OUT) continue
      const key = (patterns === null ? keyOf(logits[k]) : orderOf(patterns[k])) | 0
      let slot = isDirect ? table[key >>> level] - 1 : -1
      if (slot < 0) {
        slot = this.#slotOf(key)
        level = this.#level
        table = this.#table
        sums = this.#sums
        isDirect = this.#isDirect
      }
      sums[2 * slot + label]++
    }
  }

  /** Before so many numbers of weight 1 are added. */
  #expect(count: number): void {
    this.#plain += count
    if (this.#plain > MOST_PLAIN) this.#widen()
  }

  /** From here on, sums may be any numbers. */
  #widen(): void {
    if (this.#sums instanceof Uint32Array) this.#sums = Float64Array.from(this.#sums)
  }

  slots(): Slots {
    const { keys, level, counts, positives, negatives } = this.#fitted()
    const { length } = keys
    const [from, middle] = [new Float64Array(length), new Float64Array(length)]
    readNumbers(keys, level, from, middle)
    return { length, from, middle, counts, positives, negatives }
  }

  state(): HistogramState {
    const { keys, level, counts, positives, negatives } = this.#fitted()
    const isPlain = counts.every((count, i) => count === positives[i] + negatives[i])
    const steps = Array.from(keys, (key, i) => (i === 0 ? key : key - keys[i - 1]))
    return { level, keys: steps, positives: Array.from(positives), negatives: Array.from(negatives), counts: isPlain ? null : Array.from(counts) }
  }

  /** Adds what another histogram with the same limit holds. */
  merge({ level, keys, positives, negatives, counts }: HistogramState): void {
    this.#widen()
    if (level > this.#level) this.#coarsen(level - this.#level)
    if (counts !== null) this.#counts ??= this.#plainCounts()
    let key = 0
    for (let i = 0; i < keys.length; i++) {
      key += keys[i]
      this.#put(key << level, negatives[i], positives[i], counts === null ? positives[i] + negatives[i] : counts[i])
    }
  }

  #put(key: number, negatives: number, positives: number, count: number): void {
    const slot = this.#slotOf(key)
    this.#sums[2 * slot + NEGATIVE] += negatives
    this.#sums[2 * slot + POSITIVE] += positives
    if (this.#counts !== null) this.#counts[slot] += count
  }

  /** The slots that the numbers so far have in the end. */
  #fitted(): Entries {
    const entries = this.#entries()
    return shortened(entries, surplusBits(entries.keys, this.#limit))
  }

  /** All slots, ascending. */
  #entries(): Entries {
    const [used, table, sums, counts] = [this.#used, this.#table, this.#sums, this.#counts]
    const keys = this.#sortedKeys()
    const [ofCounts, ofPositives, ofNegatives] = [new Float64Array(used), new Float64Array(used), new Float64Array(used)]
    for (let i = 0; i < used; i++) {
      const slot = table[this.#placeOf(keys[i] | 0)] - 1
      const [negatives, positives] = [sums[2 * slot + NEGATIVE], sums[2 * slot + POSITIVE]]
      ofNegatives[i] = negatives
      ofPositives[i] = positives
      ofCounts[i] = counts === null ? negatives + positives : counts[slot]
    }
    return { level: this.#level, keys, counts: ofCounts, positives: ofPositives, negatives: ofNegatives }
  }

  #sortedKeys(): Uint32Array {
    return this.#keys.slice(0, this.#used).sort()
  }

  #plainCounts(): Float64Array {
    const counts = new Float64Array(this.#sums.length / 2)
    for (let slot = 0; slot < counts.length; slot++) counts[slot] = this.#sums[2 * slot] + this.#sums[2 * slot + 1]
    return counts
  }

  /** The slot of a number's key, a new one where there is none. Its 32 bits come as a signed integer: from 2^31 on, a number that is passed on is an object to V8. */
  #slotOf(key: number): number {
    for (;;) {
      const own = (key >>> this.#level) | 0
      const at = this.#placeOf(own)
      if (this.#table[at] > 0) return this.#table[at] - 1
      if (this.#used < this.#keys.length) {
        this.#keys[this.#used] = own
        this.#table[at] = ++this.#used
        return this.#used - 1
      }
      if (this.#used < (this.#level === 0 ? 2 : 1) * this.#limit) this.#grow()
      else this.#coarsen(this.#level === 0 ? surplusBits(this.#sortedKeys(), this.#limit) : 1)
    }
  }

  /** Where in the table a key is, or belongs; signed too. */
  #placeOf(key: number): number {
    if (this.#isDirect) return key
    const [table, keys] = [this.#table, this.#keys]
    const mask = table.length - 1
    // Neighbours of a number are neighbours in memory, eight at a time: logits crowd together
    let at = (((Math.imul(key >>> 3, 0x9e3779b1) >>> 8) << 3) | (key & 7)) & mask
    while (table[at] > 0 && (keys[table[at] - 1] | 0) !== key) at = (at + 1) & mask
    return at
  }

  /** Makes room for four times as many slots, or for all that there may be. */
  #grow(): void {
    const size = Math.min(4 * this.#used, 2 * this.#limit)
    this.#keys = widened(new Uint32Array(size), this.#keys)
    this.#sums = this.#sums instanceof Uint32Array ? widened(new Uint32Array(2 * size), this.#sums) : widened(new Float64Array(2 * size), this.#sums)
    if (this.#counts !== null) this.#counts = widened(new Float64Array(size), this.#counts)
    if (this.#isDirect) return
    this.#table = new Int32Array(2 * size)
    for (let slot = 0; slot < this.#used; slot++) this.#table[this.#placeOf(this.#keys[slot] | 0)] = slot + 1
  }

  /** Leaves out `bits` more bits of all keys, after which they fit. */
  #coarsen(bits: number): void {
    const [used, before] = [this.#used, this.#level]
    const [keys, sums] = [this.#keys.slice(0, used), this.#sums.slice(0, 2 * used)]
    const counts = this.#counts === null ? null : this.#counts.slice(0, used)
    const level = before + bits
    const size = this.#limit
    this.#level = level
    this.#isDirect = 2 ** (32 - level) <= this.#mostDirect
    this.#table = cleared(this.#table, this.#isDirect ? 2 ** (32 - level) : 2 * size, Int32Array)
    this.#keys = cleared(this.#keys, size, Uint32Array)
    this.#sums = this.#sums instanceof Uint32Array ? cleared(this.#sums, 2 * size, Uint32Array) : cleared(this.#sums, 2 * size, Float64Array)
    if (this.#counts !== null) this.#counts = cleared(this.#counts, size, Float64Array)
    this.#used = 0
    for (let i = 0; i < used; i++) {
      const [negatives, positives] = [sums[2 * i + NEGATIVE], sums[2 * i + POSITIVE]]
      this.#put(keys[i] << before, negatives, positives, counts === null ? negatives + positives : counts[i])
    }
  }
}

/** The least number of each slot, and the middle. */
function readNumbers(keys: Uint32Array, level: number, from: Float64Array, middle: Float64Array): void {
  const width = 2 ** level
  for (let i = 0; i < keys.length; i++) {
    const first = numberOf(keys[i] * width)
    const last = numberOf((keys[i] + 1) * width - 1)
    // Beyond the infinities there are only keys of NaN
    const least = first === first ? first : last
    const most = last === last ? last : first
    from[i] = least
    middle[i] = least === most ? least : least / 2 + most / 2
  }
}

/** So many zeros: in the same memory, where it is not too large for them. */
function cleared<T extends Int32Array | Uint32Array | Float64Array>(array: T, length: number, make: new (length: number) => T): T {
  if (array.length < length || array.length > 2 * length) return new make(length)
  const part = array.subarray(0, length) as T
  part.fill(0)
  return part
}

function widened<T extends Uint32Array | Float64Array>(to: T, from: T): T {
  to.set(from)
  return to
}
