/** The sums of one loss over all examples, in constant memory. */
import { checkRecord } from '../../arguments.js'
import type { Logits } from '../../arrays/logits.js'
import { type Examples, LEFT_OUT } from './examples.js'
import type { Bin, ClassTotals, CurvePoint, ExplainedLoss, HardExample, Portion, Total } from './explanation.js'
import { checkList, isAmount } from '../part.js'
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

/** All of it as plain data; of slots those that hold something. */
export interface TallyState {
  readonly groups: readonly number[]
  readonly classes: readonly number[]
  readonly slots: readonly number[]
  readonly counts: readonly number[]
  readonly losses: readonly number[]
  readonly hardest: readonly HardExample[]
}

/** What some examples add up to. */
export interface TalliedSums {
  readonly count: number
  readonly loss: number
  /** Of absolute values. */
  readonly gradient: number
  /** Of squared losses. */
  readonly square: number
}

export class Tally {
  readonly hardest: Hardest<Omit<HardExample, 'loss'>>
  readonly #edges: readonly number[]
  /** As examples.ts numbers them. */
  readonly #groups: Float64Array
  /** Those of the positives after those of the negatives. */
  readonly #slots = new Float64Array(2 * SLOTS * SLOT_FIELDS)
  /** Of each class's negatives and positives; empty unless they are wanted. */
  #classes = new Float64Array(0)
  #single = new Float32Array(0)

  constructor(edges: readonly number[], hardest: Tally['hardest']) {
    this.#edges = edges
    this.#groups = new Float64Array((2 * edges.length - 1) * GROUP_FIELDS)
    this.hardest = hardest
  }

  /** The same sums, to add others to. The hardest are shared. */
  copy(): Tally {
    const copy = new Tally(this.#edges, this.hardest)
    copy.#groups.set(this.#groups)
    copy.#slots.set(this.#slots)
    copy.#classes = this.#classes.slice()
    return copy
  }

  get hasClasses(): boolean {
    return this.#classes.length > 0
  }

  /** Makes room for the totals of classes. */
  separate(classes: number): void {
    if (this.#classes.length === 0) this.#classes = new Float64Array(2 * classes * GROUP_FIELDS)
  }

  /** Adds the losses of the examples and their gradients (of any sign); `firstRow` is the row that the block begins with. */
  add(examples: Examples, losses: Logits, gradients: ArrayLike<number>, firstRow: number): void {
    const { groups, count } = examples
    const bits = this.#bitsOf(losses)
    const [byGroup, bySlot, hardest] = [this.#groups, this.#slots, this.hardest]
    const withoutProbability = 2 * (this.#edges.length - 1)
    for (let e = 0; e < count; e++) {
      const group = groups[e]
      if (group === LEFT_OUT) continue
      const loss = losses[e]
      addTo(byGroup, group, loss, gradients[e])
      const slot = slotOf(bits[e], group)
      bySlot[slot + COUNT]++
      bySlot[slot + LOSS] += loss
      if (loss > hardest.floor && group !== withoutProbability) hardest.add(loss, examples.describe(e, firstRow))
    }
    if (this.#classes.length > 0) this.#addToClasses(examples, losses, gradients)
  }

  /** Adds what examples of a group add up to, whose losses are all about as large as `loss`. */
  addSums(group: number, sums: TalliedSums, loss: number): void {
    addSums(this.#groups, group, sums)
    single[0] = loss
    const slot = slotOf(singleBits[0], group)
    this.#slots[slot + COUNT] += sums.count
    this.#slots[slot + LOSS] += sums.loss
  }

  /** Adds what negatives (`2 c`) or positives (`2 c + 1`) of class `c` add up to, where there is room for classes. */
  addToClass(group: number, sums: TalliedSums): void {
    if (this.hasClasses) addSums(this.#classes, group, sums)
  }

  result(): Omit<ExplainedLoss, 'gamma' | 'alpha'> {
    const groups = Array.from({ length: 2 * this.#edges.length - 1 }, (_, group) => group)
    const [allLoss, allGradient] = [LOSS, GRADIENT].map((field) => sumOf(this.#groups, groups, field))
    const portionOf = (table: Float64Array, of: readonly number[]): Portion => {
      const [count, loss, gradient] = [COUNT, LOSS, GRADIENT].map((field) => sumOf(table, of, field))
      return { count, loss, lossShare: ratio(loss, allLoss), gradient, gradientShare: ratio(gradient, allGradient) }
    }
    const totalOf = (table: Float64Array, of: readonly number[]): Total => {
      const portion = portionOf(table, of)
      const { count, loss } = portion
      // Losses too small to be squared cannot be told apart, and count all
      const effectiveCount = loss === 0 ? 0 : Math.min(count, loss * (loss / sumOf(table, of, SQUARE)))
      return { ...portion, effectiveCount }
    }
    const totalsOf = (table: Float64Array, of: readonly number[]): ClassTotals => {
      const ofPositive = (is: 0 | 1) => of.filter((group) => (group & 1) === is)
      return { all: totalOf(table, of), positives: totalOf(table, ofPositive(1)), negatives: totalOf(table, ofPositive(0)) }
    }
    const bins = this.#edges.slice(0, -1).map((from, bin): Bin => {
      const [negatives, positives] = [0, 1].map((is) => portionOf(this.#groups, [2 * bin + is]))
      return { from, to: this.#edges[bin + 1], positives, negatives }
    })
    const classes = Array.from({ length: this.#classes.length / 2 / GROUP_FIELDS }, (_, c) => totalsOf(this.#classes, [2 * c, 2 * c + 1]))
    return {
      ...totalsOf(this.#groups, groups),
      ...(classes.length > 0 && { classes }),
      bins,
      curves: { positives: this.#curve(SLOTS), negatives: this.#curve(0) },
      hardest: this.hardest.sorted().map(({ loss, what }) => ({ ...what, loss })),
    }
  }

  state(): TallyState {
    const slots = Array.from({ length: 2 * SLOTS }, (_, slot) => slot).filter((slot) => this.#slots[slot * SLOT_FIELDS + COUNT] > 0)
    return {
      groups: Array.from(this.#groups),
      classes: Array.from(this.#classes),
      slots,
      counts: slots.map((slot) => this.#slots[slot * SLOT_FIELDS + COUNT]),
      losses: slots.map((slot) => this.#slots[slot * SLOT_FIELDS + LOSS]),
      hardest: this.hardest.sorted().map(({ loss, what }) => ({ ...what, loss })),
    }
  }

  /** Throws for a state of other bins or another number of classes (`null` for none), or that is damaged. */
  check(name: string, state: TallyState, classes: number | null): void {
    checkRecord(name, state)
    const { groups, classes: ofClasses, slots, counts, losses, hardest } = state
    const amounts = 'finite numbers >= 0'
    checkList(`${name}.groups`, groups, amounts, isAmount, this.#groups.length)
    checkList(`${name}.classes`, ofClasses, amounts, isAmount, 2 * (classes ?? 0) * GROUP_FIELDS)
    checkList(`${name}.slots`, slots, `integers from 0 to ${2 * SLOTS - 1}`, (slot) => Number.isInteger(slot) && isAmount(slot) && slot < 2 * SLOTS)
    checkList(`${name}.counts`, counts, amounts, isAmount, slots.length)
    checkList(`${name}.losses`, losses, amounts, isAmount, slots.length)
    checkList(`${name}.hardest`, hardest, 'examples', (example) => {
      const { loss, row, class: of, positive, probability } = Object(example) as Partial<HardExample>
      return [loss, row, of, probability].every(isAmount) && typeof positive === 'boolean'
    })
  }

  /** Adds what another one with the same bins holds, whose rows come after `firstRow` others. */
  merge({ groups, classes, slots, counts, losses, hardest }: TallyState, firstRow: number): void {
    groups.forEach((each, i) => (this.#groups[i] += each))
    classes.forEach((each, i) => (this.#classes[i] += each))
    slots.forEach((slot, i) => {
      this.#slots[slot * SLOT_FIELDS + COUNT] += counts[i]
      this.#slots[slot * SLOT_FIELDS + LOSS] += losses[i]
    })
    for (const { loss, ...what } of hardest) if (loss > this.hardest.floor) this.hardest.add(loss, { ...what, row: firstRow + what.row })
  }

  #addToClasses(examples: Examples, losses: Logits, gradients: ArrayLike<number>): void {
    const { groups, classes, count } = examples
    const withoutClass = examples.isPerRow ? 2 * (this.#edges.length - 1) : LEFT_OUT
    for (let e = 0; e < count; e++) {
      const group = groups[e]
      if (group !== LEFT_OUT && group !== withoutClass) addTo(this.#classes, 2 * classes[e] + (group & 1), losses[e], gradients[e])
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

const single = new Float32Array(1)
const singleBits = new Uint32Array(single.buffer)

/** Where the fields of a loss's slot are, from the bits of its float32 form. */
function slotOf(bits: number, group: number): number {
  return (((bits >>> SHIFT) & (SLOTS - 1)) + (group & 1) * SLOTS) * SLOT_FIELDS
}

function addSums(table: Float64Array, group: number, { count, loss, gradient, square }: TalliedSums): void {
  const at = group * GROUP_FIELDS
  table[at + COUNT] += count
  table[at + LOSS] += loss
  table[at + GRADIENT] += gradient
  table[at + SQUARE] += square
}

function addTo(table: Float64Array, group: number, loss: number, gradient: number): void {
  const at = group * GROUP_FIELDS
  table[at + COUNT]++
  table[at + LOSS] += loss
  table[at + GRADIENT] += Math.abs(gradient)
  table[at + SQUARE] += loss * loss
}

function sumOf(table: Float64Array, groups: readonly number[], field: number): number {
  return groups.reduce((sum, group) => sum + table[group * GROUP_FIELDS + field], 0)
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0
}
