/** Sums over data in chunks, for data larger than memory and for streams. */
import type { DerivativeOutput, DeviceLogits, Logits, Output } from '../arrays/logits.js'
import type { Targets } from '../arrays/numeric_array.js'
import type { BackendName, Reduction } from '../problem/options.js'
import { backendFor, runProblem } from '../backends/choose.js'
import { type CallOptions, methods, readCall, givenOrNew, type Scaled } from '../problem/call.js'
import type { LossConstants } from '../problem/constants.js'
import { describe } from '../problem/describe.js'
import type { DevicePointer } from '../arrays/device_array.js'
import { counted, outOfRange, surplus, wrongType } from '../errors.js'
import { denominatorOf, nothing, type Sums } from '../problem/problem.js'

export interface ChunkCall<A extends Logits | DeviceLogits> extends CallOptions, Scaled {
  /** Where to write the gradient of the sum, as long as the chunk's logits; may be the logits themselves. For half precision also in float32. */
  grad?: DerivativeOutput<A> | undefined
  /** Where to write the chunk's losses, one per element (softmax: per row). */
  out?: Output<A> | undefined
}

/**
 * The sums of one call, over chunks that are added one after another. `loss.accumulator()` creates it. If each chunk except the
 * last has a multiple of {@link blockRows} rows, the sums are bit-identical to one call on all data. Other chunks give the same
 * sums except for rounding.
 *
 * With 'auto', chunks in host memory run on the backend that {@link getBackend} names; chunks on a GPU run there.
 */
export class Accumulator {
  readonly #loss: LossConstants
  readonly #reduction: Reduction
  readonly #backend: BackendName | 'auto' | null
  #sums = nothing
  #classes: number | undefined

  constructor(loss: LossConstants, reduction: Reduction, backend: BackendName | 'auto' | null) {
    this.#loss = loss
    this.#reduction = reduction
    this.#backend = backend
  }

  /**
   * Adds a chunk, and writes the outputs that the call names. Takes the arguments of {@link FocalLossBase.sums}, with the caller's
   * arrays as outputs. A chunk that throws changes nothing.
   *
   * @throws RangeError also if the rows have another number of classes than earlier chunks.
   */
  add<A extends Logits | DeviceLogits>(logits: A, targets: Targets | DevicePointer, call: ChunkCall<A> = {}): this {
    if (arguments.length > 3) throw surplus('add()', 3, arguments.length)
    const read = readCall(methods.accumulatorAdd, call)
    const outputs = { values: givenOrNew(false, 'out', read.out), grad: givenOrNew(false, 'grad', read.grad), hess: false }
    const problem = describe(this.#loss, 'sum', logits, targets, read, outputs, this.#sums.sum)
    const { classes } = problem
    if (problem.logits.length === 0) return this
    if (this.#classes !== undefined && classes !== this.#classes) {
      throw new RangeError(`logits has rows of ${counted(classes, 'class', 'classes')}; expected ${this.#classes}, as in the chunks before (reset() begins anew)`)
    }
    const { sum, elements, rows, positives } = runProblem(problem, undefined, this.#backend)
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

  /** The undivided sums of all chunks so far. */
  get sums(): Sums {
    return { ...this.#sums }
  }

  /** The reduced loss of all chunks so far: `sum` divided by the loss's denominator; with 'none' the sum itself. */
  get value(): number {
    return this.#sums.sum / denominatorOf(this.#reduction, this.#loss.formula, this.#sums)
  }

  /** Resets the sums to 0. */
  reset(): this {
    if (arguments.length > 0) throw surplus('reset()', 0, arguments.length)
    this.#sums = nothing
    this.#classes = undefined
    return this
  }

  /**
   * The number of rows that fill whole blocks of the sum. Chunks with a multiple of it give the bits of one call. With another class
   * axis than the last, rows are counted in the same way: `[2, 5, 8, 8]` with `classAxis: 1` has 2 * 8 * 8 rows.
   *
   * @param classes an integer >= 1; 1 if each logit has a label and there is no `shape`.
   * @param backend the backend of the chunks, because block sizes differ: 'cuda' for arrays on a GPU. By default the backend of
   *   arrays in host memory.
   */
  blockRows(classes = 1, backend?: BackendName): number {
    if (arguments.length > 2) throw surplus('blockRows()', 2, arguments.length)
    if (typeof classes !== 'number') throw wrongType('classes', classes, 'an integer >= 1')
    if (!(Number.isSafeInteger(classes) && classes >= 1)) throw outOfRange('classes', classes, 'an integer >= 1')
    return backendFor(backend ?? this.#backend).blockRows(this.#loss.formula, classes)
  }
}
