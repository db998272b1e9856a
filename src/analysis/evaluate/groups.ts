/** Examples of equal score together, the highest first: what every figure is worked out from. Arrays, as they may be many. */
import type { Cut } from './evaluation.js'
import type { Slots } from './histogram.js'
import type { Scale, Score } from './scale.js'

export class Groups {
  length = 0
  readonly p: Float64Array
  readonly costOfPositive: Float64Array
  readonly costOfNegative: Float64Array
  readonly odds: Float64Array
  readonly counts: Float64Array
  /** Sums of weights. */
  readonly positives: Float64Array
  readonly negatives: Float64Array
  readonly #lowest: Uint32Array
  readonly #cutOf: (at: number) => Cut

  /** @param cutOf what decides for everything from the example `at` upwards. */
  constructor(size: number, cutOf: (at: number) => Cut) {
    const numbers = () => new Float64Array(size)
    this.p = numbers()
    this.costOfPositive = numbers()
    this.costOfNegative = numbers()
    this.odds = numbers()
    this.counts = numbers()
    this.positives = numbers()
    this.negatives = numbers()
    this.#lowest = new Uint32Array(size)
    this.#cutOf = cutOf
  }

  /** What decides for a group and all that are higher. */
  cut(group: number): Cut {
    return this.#cutOf(this.#lowest[group])
  }

  /** The next lower examples, or more of the last ones. */
  add({ p, costOfPositive, costOfNegative, odds }: Score, count: number, positives: number, negatives: number, at: number): void {
    let i = this.length - 1
    if (i < 0 || odds !== this.odds[i]) {
      i = this.length++
      this.p[i] = p
      this.costOfPositive[i] = costOfPositive
      this.costOfNegative[i] = costOfNegative
      this.odds[i] = odds
    }
    this.counts[i] += count
    this.positives[i] += positives
    this.negatives[i] += negatives
    this.#lowest[i] = at
  }
}

/** The groups of class `c`. `isLogit`: whether what is in the slots is what the model puts out. */
export function groupsOf(slots: Slots, c: number, scale: Scale, isLogit: boolean): Groups {
  const { length, from, middle, counts, positives, negatives } = slots
  const score: Score = { p: 0, costOfPositive: 0, costOfNegative: 0, odds: 0 }
  const cutOf = (at: number) => {
    scale(from[at], c, score)
    return { probability: score.p, logit: isLogit ? from[at] : null }
  }
  const groups = new Groups(length, cutOf)
  for (let i = length - 1; i >= 0; i--) {
    scale(middle[i], c, score)
    groups.add(score, counts[i], positives[i], negatives[i], i)
  }
  return groups
}

/** The groups of several classes pooled. `isShared`: whether a logit stands for the same probability in all of them. */
export function together(all: readonly Groups[], isShared: boolean): Groups {
  const size = all.reduce((sum, { length }) => sum + length, 0)
  const [which, where, odds] = [new Uint32Array(size), new Uint32Array(size), new Float64Array(size)]
  let n = 0
  all.forEach((groups, c) => {
    for (let i = 0; i < groups.length; i++, n++) {
      which[n] = c
      where[n] = i
      odds[n] = groups.odds[i]
    }
  })
  const cutOf = (at: number) => {
    const cut = all[which[at]].cut(where[at])
    return isShared ? cut : { ...cut, logit: null }
  }
  const heap = new Groups(size, cutOf)
  for (const at of descending(odds, all.map(({ length }) => length))) {
    const { p, costOfPositive, costOfNegative, counts, positives, negatives } = all[which[at]]
    const i = where[at]
    heap.add({ p: p[i], costOfPositive: costOfPositive[i], costOfNegative: costOfNegative[i], odds: odds[at] }, counts[i], positives[i], negatives[i], at)
  }
  return heap
}

/** The places of numbers that come in runs, each descending, from the largest number to the least; of equal ones the first first. */
function descending(numbers: Float64Array, lengths: readonly number[]): Uint32Array {
  let ends = lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b, 0))
  let [order, merged] = [Uint32Array.from(numbers.keys()), new Uint32Array(numbers.length)]
  while (ends.length > 1) {
    let to = 0
    for (let run = 0; run < ends.length; run += 2) {
      const middle = ends[run]
      const end = ends[run + 1] ?? middle
      let [left, right] = [to, middle]
      for (; to < end; to++) merged[to] = right === end || (left < middle && numbers[order[left]] >= numbers[order[right]]) ? order[left++] : order[right++]
    }
    ends = ends.filter((_, run) => run % 2 === 1 || run === ends.length - 1)
    ;[order, merged] = [merged, order]
  }
  return order
}
