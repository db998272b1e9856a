/**
 * Numbers in narrow slots, of which each keeps how many it has and the sums of their powers: what a smooth function adds up to over
 * them is then what it adds up to over a few nodes of the slot, each with a weight. So numbers are looked at once, for any number of functions.
 *
 * That is the integral of the polynomial through the Chebyshev nodes. For a function that changes like exp(k x) its relative error in a slot of width h
 * with n nodes is at most (k h / 2)^n / (2^(n-1) n!).
 */

/** Numbers from -LIMIT to below LIMIT have slots; what lies beyond is the caller's. */
export const LIMIT = 64

/** Slots that hold numbers, one after another. */
export interface Slot {
  /** Which of the groups. */
  readonly group: number
  /** What {@link Moments.placeOf} was told of its numbers. */
  readonly part: number
  readonly count: number
  /** Where to evaluate, and with which weights; they add up to `count`. */
  readonly nodes: Float64Array
  readonly weights: Float64Array
}

export class Moments {
  readonly perUnit: number
  /** Numbers kept of a slot: how many, and the sums of their powers from 1 on, counted from its middle in widths. */
  readonly order: number
  /** Of each group's slots where their sums begin in `sums`; 0: not yet, or divided into parts. */
  readonly places: Int32Array
  sums: Float64Array
  /** Of all places, in the order in which they were first needed: the slot and the part. */
  readonly #slots: number[] = []
  readonly #parts: number[] = []
  /** Places of slots that are divided, by slot and part. */
  readonly #divided = new Map<number, Map<number, number>>()
  /** Row j: node j's weight from the sums. */
  readonly #weights: readonly (readonly number[])[]
  readonly #nodes: readonly number[]

  /** @param order 1 to 8. */
  constructor(groups: number, perUnit: number, order: number) {
    this.perUnit = perUnit
    this.order = order
    this.places = new Int32Array(groups * 2 * LIMIT * perUnit)
    this.sums = new Float64Array(order * 256)
    this.#nodes = Array.from({ length: order }, (_, j) => Math.cos((Math.PI * (2 * j + 1)) / (2 * order)) / 2)
    this.#weights = this.#nodes.map((node, j) => lagrange(node, this.#nodes.filter((_, i) => i !== j)))
  }

  /** Slots of a group. */
  get width(): number {
    return 2 * LIMIT * this.perUnit
  }

  /**
   * Where the sums of a slot without a place are: a new place, unless it is divided. `partOf` tells to which part a number belongs; it is
   * monotone, and where both ends of the slot are of one part, so is all of it.
   */
  placeOf(slot: number, x: number, partOf: (x: number) => number): number {
    let parts = this.#divided.get(slot)
    if (parts === undefined) {
      const from = (slot % this.width) / this.perUnit - LIMIT
      const part = partOf(from)
      // Beyond the end, for what rounding does there
      if (part === partOf(from + 1.001 / this.perUnit)) return (this.places[slot] = this.#newPlace(slot, part))
      this.#divided.set(slot, (parts = new Map<number, number>()))
    }
    const part = partOf(x)
    const place = parts.get(part) ?? this.#newPlace(slot, part)
    parts.set(part, place)
    return place
  }

  *slots(): Generator<Slot> {
    const { order, sums } = this
    for (let i = 0; i < this.#slots.length; i++) {
      const [slot, at] = [this.#slots[i], (i + 1) * order]
      const middle = ((slot % this.width) + 0.5) / this.perUnit - LIMIT
      yield {
        group: Math.floor(slot / this.width),
        part: this.#parts[i],
        count: sums[at],
        nodes: Float64Array.from(this.#nodes, (node) => middle + node / this.perUnit),
        weights: Float64Array.from(this.#weights, (row) => row.reduce((sum, each, power) => sum + each * sums[at + power], 0)),
      }
    }
  }

  #newPlace(slot: number, part: number): number {
    this.#slots.push(slot)
    this.#parts.push(part)
    const place = this.#slots.length * this.order
    if (place + this.order > this.sums.length) {
      const larger = new Float64Array(2 * this.sums.length)
      larger.set(this.sums)
      this.sums = larger
    }
    return place
  }
}

/** The polynomial, by ascending powers, that is 1 at `node` and 0 at the others. */
function lagrange(node: number, others: readonly number[]): number[] {
  return others.reduce<number[]>(
    (polynomial, other) => {
      const times = [0, ...polynomial].map((each, power) => each - other * (polynomial[power] ?? 0))
      return times.map((each) => each / (node - other))
    },
    [1],
  )
}
