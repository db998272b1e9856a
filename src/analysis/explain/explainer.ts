/**
 * Explains a loss on any amount of data: chunks are added one after another, and only sums are kept. Where losses depend on logits alone ({@link LogitSums}),
 * each is looked at once; else blocks go through the loss's own backend, and every loss of a comparison sees a block while it is in the cache.
 * All is in double precision.
 */
import { checkNames, checkRecord, flag } from '../../arguments.js'
import type { Logits } from '../../arrays/logits.js'
import type { Targets } from '../../arrays/numeric_array.js'
import { counted, outOfRange, surplus } from '../../errors.js'
import { type CallOptions, methods, readCall } from '../../problem/call.js'
import type { LossConstants } from '../../problem/constants.js'
import type { Inputs } from '../../problem/options.js'
import { firstOf } from '../../problem/positions.js'
import type { Problem, Sums } from '../../problem/problem.js'
import { inDouble, inFull } from '../in_full.js'
import { checkList, checkPart, describeLoss, isAmount, type Part } from '../part.js'
import { blocksOf } from './blocks.js'
import { Examples, LEFT_OUT } from './examples.js'
import type { Explanation } from './explanation.js'
import { Hardest } from './hardest.js'
import { areOfLogits, LogitSums } from './logit_sums.js'
import {
  type Change,
  changesOf,
  edgesOf,
  explainerNames,
  type ExplainerOptions,
  type GammaAndAlpha,
  integer,
  MOST_HARDEST,
  namedOf,
} from './options.js'
import { rowLogits } from './row_logits.js'
import { Tally, type TallyState } from './tally.js'

/** A loss as the explainer sees it. */
export interface ExplainableLoss {
  readonly options: object
  readonly inputs: Inputs
  /** What its calls share, with some of its options changed. */
  constantsWith(change: Change): LossConstants
  /** A checked call. */
  describe(logits: unknown, targets: unknown, call: CallOptions): Problem
  run(problem: Problem): Sums
}

interface Explained {
  readonly named: GammaAndAlpha
  readonly constants: LossConstants
  readonly tally: Tally
}

/** What an explainer keeps: plain data, which goes through JSON. What is in it may change with its version. */
export interface ExplainerState extends Part {
  readonly kind: 'explanation'
  /** What was compared, in which bins. */
  readonly settings: string
  /** How many rows there were, ignored ones too. */
  readonly rows: number
  /** How many classes rows have, where totals of classes are kept. */
  readonly classes: number | null
  /** @hidden sums, for each loss compared */
  readonly tallies: readonly TallyState[]
}

/** Made by `loss.explainer(options)`. */
export class Explainer {
  readonly #loss: ExplainableLoss
  readonly #examples: Examples
  readonly #edges: readonly number[]
  readonly #explained: readonly Explained[]
  readonly #perRow: boolean
  readonly #perClass: boolean
  readonly #name: string
  readonly #settings: string
  #rows = 0
  #classes: number | null = null
  /** Where losses depend on logits alone. */
  readonly #ofLogits: LogitSums | null
  #values = new Float64Array(0)
  #grad = new Float64Array(0)
  #rowGradients = new Float64Array(0)

  constructor(loss: ExplainableLoss, options: ExplainerOptions) {
    checkRecord('options', options)
    checkNames(options, explainerNames, 'explainer()')
    if (loss.inputs !== 'logits') throw outOfRange('inputs', loss.inputs, "'logits', as explain() weighs the gradients of logits")
    const edges = edgesOf(options.bins)
    const hardest = integer('hardest', options.hardest ?? 10, 0, MOST_HARDEST)
    this.#loss = loss
    this.#edges = edges
    this.#perClass = flag('perClass', options.perClass ?? false)
    this.#examples = new Examples(edges, this.#perClass)
    this.#explained = changesOf(loss.options, options).map((change) => ({
      named: namedOf(loss.options, change),
      constants: loss.constantsWith(change),
      tally: new Tally(edges, new Hardest(hardest)),
    }))
    this.#ofLogits = areOfLogits(this.#explained.map(({ constants }) => constants)) ? new LogitSums(this.#explained, edges) : null
    const { formula } = this.#explained[0].constants
    this.#perRow = formula.perRow
    this.#name = describeLoss(formula.name, loss.options)
    this.#settings = JSON.stringify({ compared: this.#explained.map(({ named }) => named), edges, hardest, perClass: this.#perClass })
  }

  /**
   * Adds a chunk: whole rows, with targets and call options as for `value`. Everything is checked before anything is counted: a
   * chunk that is refused changes nothing. Throws a RangeError where a loss is not finite, and with `perClass` for another number of classes than before.
   */
  add(logits: Logits, targets: Targets, call: CallOptions = {}): this {
    if (arguments.length > 3) throw surplus('add()', 3, arguments.length)
    const given = inFull(this.#loss.describe(logits, targets, readCall(methods.explainerAdd, call)))
    if (given.logits.length === 0) return this
    const classes = this.#perClass ? sameClasses(this.#classes, given.classes, 'logits has rows of') : null
    const examples = this.#ofLogits?.examplesOf(given, classes, (problem) => rowLogits(problem, this.#edges, (each) => this.#loss.run(each)))
    if (examples) {
      this.#separate(classes)
      this.#ofLogits?.add(examples, classes, this.#rows)
      this.#rows += given.outer * given.inner
      return this
    }
    const whole = inDouble(given)
    for (const { constants } of this.#explained) {
      const problem = { ...whole, loss: constants }
      const { sum } = this.#loss.run(problem)
      if (!Number.isFinite(sum)) this.#refuseInfinite(problem, sum)
    }
    this.#separate(classes)
    for (const block of blocksOf(whole)) {
      this.#examples.read(block)
      for (const { constants, tally } of this.#explained) {
        const { values, grad } = this.#compute({ ...block, loss: constants })
        tally.add(this.#examples, values, this.#perRow ? this.#sumRows(block, grad) : grad, this.#rows)
      }
      this.#rows += block.outer * block.inner
    }
    return this
  }

  /** What all chunks so far amount to. More may be added. */
  result(): Explanation {
    if (arguments.length > 0) throw surplus('result()', 0, arguments.length)
    return {
      example: this.#perRow ? 'row' : 'element',
      // Of nothing, nobody knows how many classes there are
      losses: this.#tallies().map((tally, i) => {
        const result = tally.result()
        return { ...this.#explained[i].named, ...result, ...(this.#perClass && { classes: result.classes ?? [] }) }
      }),
    }
  }

  /** All that is kept of the chunks so far: plain data for {@link merge}, of at most about 1 MB for each loss compared, whatever the data's size. */
  state(): ExplainerState {
    if (arguments.length > 0) throw surplus('state()', 0, arguments.length)
    return {
      kind: 'explanation',
      version: 1,
      loss: this.#name,
      settings: this.#settings,
      rows: this.#rows,
      classes: this.#classes,
      tallies: this.#tallies().map((tally) => tally.state()),
    }
  }

  /**
   * Adds what others have kept of other parts of the data, in other processes perhaps: `state()` of explainers of the same loss with the same options, through
   * JSON or not, in the order of the data. The result is that of one pass over everything, up to the last digits of sums.
   *
   * @throws TypeError or RangeError for what is no such state, or one of another loss, of other options or another number of classes; nothing has been added then.
   */
  merge(...parts: readonly ExplainerState[]): this {
    let before = this.#classes
    for (const part of parts) {
      checkPart(part, 'explanation', this.#name)
      if (part.settings !== this.#settings) throw new RangeError(`part was made with ${part.settings}; expected ${this.#settings}`)
      before = sameClasses(before, part.classes, 'part has')
      if (!isAmount(part.rows)) throw outOfRange('part.rows', part.rows, 'an integer >= 0')
      checkList('part.tallies', part.tallies, 'sums, for each loss compared', (tally) => typeof tally === 'object', this.#explained.length)
      this.#explained.forEach(({ tally }, i) => {
        tally.check(`part.tallies[${i}]`, part.tallies[i], part.classes)
      })
    }
    for (const { rows, classes, tallies } of parts) {
      this.#separate(classes)
      this.#explained.forEach(({ tally }, i) => {
        tally.merge(tallies[i], this.#rows)
      })
      this.#rows += rows
    }
    return this
  }

  /** With all that is in sums of logits. */
  #tallies(): readonly Tally[] {
    const tallies = this.#explained.map(({ tally }) => (this.#ofLogits === null ? tally : tally.copy()))
    this.#ofLogits?.addTo(tallies, this.#classes)
    return tallies
  }

  /** Makes room for the totals of classes, where they are wanted. */
  #separate(classes: number | null): void {
    if (classes === null) return
    this.#classes = classes
    for (const { tally } of this.#explained) tally.separate(classes)
  }

  /** The losses of a block and their gradient, in buffers that the next block uses again. */
  #compute(block: Problem): { values: Float64Array; grad: Float64Array } {
    const { logits, outer, inner } = block
    if (this.#grad.length < logits.length) {
      this.#values = new Float64Array(logits.length)
      this.#grad = new Float64Array(logits.length)
    }
    const values = this.#values.subarray(0, this.#perRow ? outer * inner : logits.length)
    const grad = this.#grad.subarray(0, logits.length)
    this.#loss.run({ ...block, values, grad })
    return { values, grad }
  }

  /** The absolute gradients of each row added up. */
  #sumRows(block: Problem, grad: Logits): Float64Array {
    const { outer, classes, inner } = block
    if (this.#rowGradients.length < outer * inner) this.#rowGradients = new Float64Array(outer * inner)
    for (let r = 0; r < outer * inner; r++) {
      const first = firstOf(block, r)
      let sum = 0
      for (let c = 0; c < classes; c++) sum += Math.abs(grad[first + c * inner])
      this.#rowGradients[r] = sum
    }
    return this.#rowGradients
  }

  /** Throws for the first example whose loss is no finite number. */
  #refuseInfinite(whole: Problem, sum: number): void {
    let before = 0
    for (const block of blocksOf(whole)) {
      const { values } = this.#compute(block)
      this.#examples.read(block)
      const at = values.findIndex((loss, e) => this.#examples.groups[e] !== LEFT_OUT && !Number.isFinite(loss))
      if (at >= 0) {
        const which = this.#perRow ? `the loss of row ${before + at}` : `the loss of logits[${before + at}]`
        throw outOfRange(which, values[at], 'a finite number, to share the sum by')
      }
      before += values.length
    }
    if (!Number.isFinite(sum)) throw outOfRange('the sum of the losses', sum, 'a finite number')
  }
}

/** The number of classes, `null` for any. Throws where it is not what it was before. */
function sameClasses(before: number | null, came: number | null, what: string): number | null {
  if (before !== null && came !== null && before !== came) throw new RangeError(`${what} ${counted(came, 'class', 'classes')}; expected ${before}, as before`)
  return came ?? before
}
