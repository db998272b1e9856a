/** What one loss adds up over all examples, in memory that does not grow with them. */
import type { Logits } from '../../arrays/logits.js'
import { type Examples, LEFT_OUT } from './examples.js'
import type { Bin, CurvePoint, ExplainedLoss, HardExample, Portion, Total } from './explanation.js'
import { Hardest } from './hardest.js'

/**
 * Losses are sorted into a fine histogram by the top bits of their float32 form: 8 of the exponent and 6 of the mantissa,
 * so that those of a slot are within 1/64 of each other. Each slot knows its exact mass.
 */
const MANTISSA_BITS = 6
const SLOTS = 1 << (8 + MANTISSA_BITS)
const SHIFT = 23 - MANTISSA_BITS

/** What is kept of a group, together: apart, a processor spends twice the time on them. */
const [COUNT, LOSS, GRADIENT, SQUARE, GROUP_FIELDS] = [0, 1, 2, 3, 4]
/** And of a slot, which has COUNT and LOSS alone. */
const SLOT_FIELDS = 2

/** A point of a curve is left out while the curve has moved less than this since the last. */
const CURVE_STEP = 1 / 200

export class Tally {
  readonly #edges: readonly number[]
  /** As examples.ts numbers them. */
  readonly #groups: Float64Array
  /** Those of the positives after those of the negatives. */
  readonly #slots = new Float64Array(2 * SLOTS * SLOT_FIELDS)
  readonly #hardest: Hardest<Omit<HardExample, 'loss'>>
  #single = new Float32Array(0)

  constructor(edges: readonly number[], hardest: number) {
    this.#edges = edges
    this.#groups = new Float64Array((2 * edges.length - 1) * GROUP_FIELDS)
    this.#hardest = new Hardest(hardest)
  }

  /** Adds the losses of the examples and their gradients (of any sign); `firstRow` is the row that the block begins with. */
  add(examples: Examples, losses: Logits, gradients: ArrayLike<number>, firstRow: number): void {
    const { groups, count } = examples
    const bits = this.#bitsOf(losses)
    const [byGroup, bySlot, hardest] = [this.#groups, this.#slots, this.#hardest]
    const withoutProbability = 2 * (this.#edges.length - 1)
    for (let e = 0; e < count; e++) {
      const group = groups[e]
      if (group === LEFT_OUT) continue
      const loss = losses[e]
      const at = group * GROUP_FIELDS
      byGroup[at + COUNT]++
      byGroup[at + LOSS] += loss
      byGroup[at + GRADIENT] += Math.abs(gradients[e])
      byGroup[at + SQUARE] += loss * loss
      const slot = (((bits[e] >>> SHIFT) & (SLOTS - 1)) + (group & 1) * SLOTS) * SLOT_FIELDS
      bySlot[slot + COUNT]++
      bySlot[slot + LOSS] += loss
      if (loss > hardest.floor && group !== withoutProbability) hardest.add(loss, examples.describe(e, firstRow))
    }
  }

  result(): Omit<ExplainedLoss, 'gamma' | 'alpha'> {
    const of = (group: number, field: number) => this.#groups[group * GROUP_FIELDS + field]
    const sum = (field: number, positive?: 0 | 1) => {
      let total = 0
      for (let group = 0; group < 2 * this.#edges.length - 1; group++) if (positive === undefined || (group & 1) === positive) total += of(group, field)
      return total
    }
    const [allLoss, allGradient] = [sum(LOSS), sum(GRADIENT)]
    const portion = (count: number, loss: number, gradient: number): Portion => ({
      count,
      loss,
      lossShare: ratio(loss, allLoss),
      gradient,
      gradientShare: ratio(gradient, allGradient),
    })
    const total = (positive?: 0 | 1): Total => {
      const [count, loss] = [sum(COUNT, positive), sum(LOSS, positive)]
      // Losses too small to be squared cannot be told apart, and count all
      const effectiveCount = loss === 0 ? 0 : Math.min(count, loss * (loss / sum(SQUARE, positive)))
      return { ...portion(count, loss, sum(GRADIENT, positive)), effectiveCount }
    }
    const ofGroup = (group: number) => portion(of(group, COUNT), of(group, LOSS), of(group, GRADIENT))
    const bins = this.#edges.slice(0, -1).map(
      (from, bin): Bin => ({ from, to: this.#edges[bin + 1], positives: ofGroup(2 * bin + 1), negatives: ofGroup(2 * bin) }),
    )
    return {
      all: total(),
      positives: total(1),
      negatives: total(0),
      bins,
      curves: { positives: this.#curve(SLOTS), negatives: this.#curve(0) },
      hardest: this.#hardest.sorted().map(({ loss, what }) => ({ ...what, loss })),
    }
  }

  /** The losses' float32 form as integers. */
  #bitsOf(losses: Logits): Uint32Array {
    if (losses instanceof Float32Array) return new Uint32Array(losses.buffer, losses.byteOffset, losses.length)
    if (this.#single.length < losses.length) this.#single = new Float32Array(losses.length)
    this.#single.set(losses)
    return new Uint32Array(this.#single.buffer)
  }

  #curve(firstSlot: number): CurvePoint[] {
    const slots = Array.from({ length: SLOTS }, (_, i) => (firstSlot + i) * SLOT_FIELDS).filter((at) => this.#slots[at + COUNT] > 0)
    if (slots.length === 0) return []
    const [count, loss] = [COUNT, LOSS].map((field) => slots.reduce((total, at) => total + this.#slots[at + field], 0))
    const points: CurvePoint[] = [{ examples: 0, loss: 0 }]
    let [counted, lost] = [0, 0]
    let reached = points[0]
    for (const at of slots) {
      counted += this.#slots[at + COUNT]
      lost += this.#slots[at + LOSS]
      const next = { examples: counted / count, loss: ratio(lost, loss) }
      const last = points[points.length - 1]
      const moved = Math.max(next.examples - last.examples, next.loss - last.loss)
      // Before a long step, the point where it begins
      if (moved >= CURVE_STEP && reached !== last) points.push(reached)
      reached = next
    }
    points.push(reached)
    return points
  }
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0
}
