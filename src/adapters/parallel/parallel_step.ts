/**
 * The loss of a batch that several ranks share. Its denominator is that of the whole batch: a mean of the ranks' means is another
 * loss wherever the ranks have different numbers of positives (or valid rows), and so is a denominator that is kept above 0 on each.
 * So the ranks add up sums, and divide once.
 */
import { checkMethods, checkRecord } from '../../arguments.js'
import type { Targets } from '../../arrays/numeric_array.js'
import { surplus } from '../../errors.js'
import type { FocalLossBase } from '../../losses/base.js'
import type { CallOptions, Scaled } from '../../problem/call.js'
import type { Reduction } from '../../problem/options.js'
import type { Sums } from '../../problem/problem.js'
import { checkCollective, type Collective } from './collective.js'

/** What is used of a loss: any of this package with a reduction other than 'none'. */
export type ParallelLoss = Pick<FocalLossBase, 'sums' | 'denominator'> & { readonly options: { readonly reduction: Reduction } }

/** The options of a call: those of `valueAndGrad`, but for what ranks cannot have of their own. */
export interface ParallelCall<A extends Float32Array | Float64Array> extends CallOptions, Scaled {
  /** Where to write the gradient, as long as the logits; may be the logits themselves. */
  grad?: A | undefined
}

/** The loss of the whole batch. The same on every rank. */
export interface ParallelValue {
  /** The reduced loss. */
  readonly value: number
  /** The undivided sums of all ranks. */
  readonly sums: Sums
  /** What `value` and the gradients are divided by. */
  readonly denominator: number
}

/** One rank's part in the steps of a training: {@link parallelStep}. */
export interface ParallelStep {
  /**
   * The loss of the whole batch, and its gradient with respect to this rank's logits, divided already: the parameters' gradients
   * of the ranks are then added up, not averaged. A rank without samples calls it with empty arrays.
   *
   * Rejects on all ranks where one of them is refused: there with its own error, on the others with an Error that says how many.
   */
  valueAndGrad<A extends Float32Array | Float64Array>(logits: A, targets: Targets, call?: ParallelCall<A>): Promise<ParallelValue & { readonly grad: A }>
  /** A batch in parts: gradient accumulation. */
  batch(): ParallelBatch
}

/** Sum, elements, rows, positives, and how many ranks were refused. */
const FIELDS = 5

/** A batch that comes in parts, one after another: {@link ParallelStep.batch}. */
export class ParallelBatch {
  readonly #loss: ParallelLoss
  readonly #collective: Collective
  readonly #sums = new Float64Array(FIELDS)
  #refusal: Error | undefined
  #finished = false

  /** @hidden {@link ParallelStep.batch} makes it. */
  constructor(loss: ParallelLoss, collective: Collective) {
    this.#loss = loss
    this.#collective = collective
  }

  /**
   * Adds a part of this rank's. Throws where it is refused, as the loss does; {@link finish} is to be called all the same, as the
   * other ranks wait for it.
   *
   * @returns the gradient of the part's **sum**, undivided, as what divides is known last. Let it go back through the model, add
   *   the parameters' gradients up over parts and ranks, and divide them by the denominator.
   */
  add<A extends Float32Array | Float64Array>(logits: A, targets: Targets, call: ParallelCall<A> = {}): { readonly grad: A } {
    if (arguments.length > 3) throw surplus('add()', 3, arguments.length)
    if (this.#finished) throw new Error('the batch is finished; expected a new one, which batch() makes')
    try {
      const read = { ...call, grad: (call.grad ?? true) as Float64Array | true }
      const { grad, sum, elements, rows, positives } = this.#loss.sums(logits as Float64Array, targets, read)
      ;[sum, elements, rows, positives].forEach((part, i) => (this.#sums[i] += part))
      return { grad: grad as A }
    } catch (error) {
      this.#refusal ??= error instanceof Error ? error : new Error(String(error))
      throw error
    }
  }

  /**
   * Ends the batch, on every rank: one that has added nothing calls it too. Rejects on all ranks where a part of one was refused:
   * there with its own error, on the others with one that says on how many.
   */
  async finish(): Promise<ParallelValue> {
    if (this.#finished) throw new Error('the batch is finished; expected a new one, which batch() makes')
    this.#finished = true
    const all = this.#sums
    all[FIELDS - 1] = this.#refusal === undefined ? 0 : 1
    await this.#collective.allReduce(all, 'sum')
    if (this.#refusal !== undefined) throw this.#refusal
    const [sum, elements, rows, positives, refused] = all
    if (refused > 0) throw new Error(`${refused} of ${this.#collective.size} ranks refused their part of the batch; their errors say why`)
    const sums = { sum, elements, rows, positives }
    const denominator = this.#loss.denominator(sums)
    return { value: sum / denominator, sums, denominator }
  }
}

/**
 * The step of data-parallel training, from a loss and a collective: one all-reduce of five doubles a batch.
 *
 * @param loss an object of any loss of this package, with the same options on every rank. Its reduction is that of the whole
 *   batch; 'none' leaves nothing to add up, and is a TypeError.
 */
export function parallelStep(loss: ParallelLoss, collective: Collective): ParallelStep {
  if (arguments.length > 2) throw surplus('parallelStep()', 2, arguments.length)
  checkMethods('loss', loss, ['sums', 'denominator'])
  checkRecord('loss.options', loss.options)
  if (loss.options.reduction === 'none') throw new TypeError("loss has reduction 'none'; expected 'mean', 'mean-rows', 'mean-positives' or 'sum', as ranks share one loss")
  checkCollective(collective)
  return {
    async valueAndGrad(logits, targets, call) {
      if (arguments.length > 3) throw surplus('valueAndGrad()', 3, arguments.length)
      const batch = new ParallelBatch(loss, collective)
      let grad = logits
      try {
        ;({ grad } = batch.add(logits, targets, call))
      } catch {
        // finish() throws it, once the others know
      }
      const result = await batch.finish()
      const { denominator } = result
      if (denominator !== 1) for (let k = 0; k < grad.length; k++) grad[k] /= denominator
      return { ...result, grad }
    },
    batch: () => new ParallelBatch(loss, collective),
  }
}
