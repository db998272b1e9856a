/** Sums over data that come in chunks: more than memory holds, or as a stream brings them. */
import type { Logits, SameKind, Targets } from './arrays.js'
import type { BackendName } from './backends/backend.js'
import { chooseBackend } from './backends/choose.js'
import { BLOCK_ELEMENTS } from './backends/layout.js'
import { type CallOptions, methods, readCall, theirsOr } from './call.js'
import type { LossConstants } from './constants.js'
import { outOfRange, wrongType } from './errors.js'
import type { Reduction } from './options.js'
import { denominatorOf, describe, nothing, type Sums } from './problem.js'

export interface ChunkCall<A extends Logits> extends CallOptions {
  /** Where to write the gradient of the sum, as long as the chunk's logits; may be the logits themselves. */
  grad?: SameKind<A>
  /** Where to write the chunk's losses, one per element (softmax: per row). */
  out?: SameKind<A>
}

/**
 * The sums of one call, of chunks that are added one after another; `loss.accumulator()` makes one. They have the bits of a
 * call on all of the data where each chunk but the last has a multiple of {@link blockRows} rows. Other chunks give the same
 * sums but for rounding.
 *
 * With 'auto', all chunks run on the backend for large problems.
 */
export class Accumulator {
  readonly #loss: LossConstants
  readonly #reduction: Reduction
  readonly #backend: BackendName | 'auto' | undefined
  #sums = nothing
  #classes: number | undefined

  constructor(loss: LossConstants, reduction: Reduction, backend: BackendName | 'auto' | undefined) {
    this.#loss = loss
    this.#reduction = reduction
    this.#backend = backend
  }

  /**
   * Adds a chunk, and writes what the call asks for. Takes what {@link FocalLossBase.sums} takes, with outputs in arrays of the
   * caller's. A chunk that is refused leaves everything as it was.
   *
   * @throws RangeError also where the rows have another number of classes than those before.
   */
  add<A extends Logits>(logits: A, targets: Targets, call: ChunkCall<A> = {}): this {
    const read = readCall(methods.accumulatorAdd, call)
    const outputs = { values: theirsOr(false, 'out', read.out), grad: theirsOr(false, 'grad', read.grad), hess: false }
    const problem = describe(this.#loss, 'sum', logits, targets, read, outputs, this.#sums.sum)
    const { classes } = problem
    if (problem.logits.length === 0) return this
    if (this.#classes !== undefined && classes !== this.#classes) {
      throw new RangeError(`logits has rows of ${classes} classes; expected ${this.#classes}, as in the chunks before (reset() begins anew)`)
    }
    const { sum, elements, rows, positives } = chooseBackend(problem, Infinity, this.#backend).run(problem)
    const before = this.#sums
    this.#classes = classes
    this.#sums = {
      sum,
      elements: before.elements + elements,
      rows: before.rows + rows,
      positives: before.positives + positives,
    }
    return this
  }

  /** The sums of all chunks so far, undivided; `sum` goes on from chunk to chunk. */
  get sums(): Sums {
    return { ...this.#sums }
  }

  /** The reduced loss of all chunks so far: `sum` over what the loss's reduction divides by; with 'none' the sum itself. */
  get value(): number {
    return this.#sums.sum / denominatorOf(this.#reduction, this.#loss.formula, this.#sums)
  }

  /** Forgets all chunks. */
  reset(): this {
    this.#sums = nothing
    this.#classes = undefined
    return this
  }

  /**
   * The rows that fill whole blocks of the sum: chunks of a multiple of so many give the bits of one call. Where the class
   * axis is not the last, `shape` counts them as well: `[2, 5, 8, 8]` with `classAxis: 1` has 2 * 8 * 8 rows.
   *
   * @param classes an integer >= 1; 1 where each logit has a label and no `shape` is given.
   */
  blockRows(classes = 1): number {
    if (typeof classes !== 'number') throw wrongType('classes', classes, 'an integer >= 1')
    if (!(Number.isSafeInteger(classes) && classes >= 1)) throw outOfRange('classes', classes, 'an integer >= 1')
    if (this.#loss.formula.perRow) return Math.max(1, Math.floor(BLOCK_ELEMENTS / classes))
    return BLOCK_ELEMENTS / greatestCommonDivisor(BLOCK_ELEMENTS, classes)
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
