/**
 * The loss of a batch that several ranks share. Its denominator is that of the whole batch. A mean of the ranks' means is another
 * loss if the ranks have different numbers of positives (or valid rows), and so is a denominator that is clamped on each rank.
 * So the ranks add up sums, and divide once.
 */
import { describeLoss } from '../../analysis/part.js'
import { checkLossMethods, checkNames, checkRecord } from '../../arguments.js'
import { tagOf } from '../../arrays/intrinsics.js'
import type { Targets } from '../../arrays/numeric_array.js'
import { counted, surplus, wrongType } from '../../errors.js'
import type { FocalLossBase } from '../../losses/base.js'
import { type CallOptions, type Method, methods, type Scaled } from '../../problem/call.js'
import type { Reduction } from '../../problem/options.js'
import type { Sums } from '../../problem/problem.js'
import { differ, tell, TOLD } from './agreement.js'
import { checkCollective, checkFloats, type Collective } from './collective.js'

/** The part of a loss that is used: any loss of this package with a reduction other than 'none'. */
export type ParallelLoss = Pick<FocalLossBase, 'sums' | 'denominator' | 'constants'> & { readonly options: { readonly reduction: Reduction } }

/** The options of a call: those of `valueAndGrad` that may differ between ranks. */
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

/** The training steps of one rank: {@link parallelStep}. */
export interface ParallelStep {
  /**
   * The loss of the whole batch, and its gradient with respect to this rank's logits, divided already: the parameters' gradients
   * of the ranks are then added up, not averaged. A rank without samples calls it with empty arrays.
   *
   * Rejects on all ranks where one of them is refused: there with its own error, on the others with an Error that says how many. So it does where
   * the ranks differ in the options of the loss (but its backend), in the type of their logits or, with a softmax, in the number of classes, and where the
   * collective has not added up as many ranks as there are.
   */
  valueAndGrad<A extends Float32Array | Float64Array>(logits: A, targets: Targets, call?: ParallelCall<A>): Promise<ParallelValue & { readonly grad: A }>
  /** A batch in parts: gradient accumulation. */
  batch(): ParallelBatch
}

/** What is added up: the sums, how many ranks were refused and how many there are, then what must be the same for all of them. */
const [SUMS, REFUSED, RANKS, ALIKE] = [0, 4, 5, 6]
const OPTIONS = ALIKE
const TYPE = OPTIONS + TOLD
const CLASSES = TYPE + TOLD
const FIELDS = CLASSES + TOLD
const alike = [[OPTIONS, 'the options of the loss'], [TYPE, 'the type of the logits'], [CLASSES, 'the number of classes']] as const

/** A batch in parts: {@link ParallelStep.batch}. */
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
    return this.addOf(methods.parallelAdd, logits, targets, call)
  }

  /** @hidden {@link add}, of which messages say that it is `method` */
  addOf<A extends Float32Array | Float64Array>(method: Method, logits: A, targets: Targets, call: ParallelCall<A>): { readonly grad: A } {
    if (this.#finished) throw new Error('the batch is finished; expected a new one, which batch() makes')
    try {
      checkRecord('call options', call)
      checkNames(call, method.options, method.name)
      // It is divided in JavaScript: half precision's bits would be divided as integers
      if (call.grad === undefined) checkFloats('logits', logits)
      else checkFloats('grad', call.grad)
      const read = { ...call, grad: (call.grad ?? true) as Float64Array | true }
      const { grad, sum, elements, rows, positives } = this.#loss.sums(logits as Float64Array, targets, read)
      ;[sum, elements, rows, positives].forEach((part, i) => (this.#sums[SUMS + i] += part))
      if (logits.length > 0) this.#tellOf(logits, call)
      return { grad: grad as A }
    } catch (error) {
      this.#refusal ??= error instanceof Error ? error : new Error(String(error))
      throw error
    }
  }

  /** Of a part that the loss has taken. */
  #tellOf(logits: Float32Array | Float64Array, { dtype, shape, classAxis = -1 }: CallOptions): void {
    tell(this.#sums, TYPE, dtype ?? tagOf(logits))
    // Of an element-wise loss any axis will do, and parts may be flat
    const classes = this.#loss.constants.formula.perRow ? shape?.at(classAxis) : undefined
    if (classes !== undefined) tell(this.#sums, CLASSES, classes)
  }

  /**
   * Ends the batch, on every rank: one that has added nothing calls it too. Rejects on all ranks where a part of one was refused:
   * there with its own error, on the others with one that says on how many; and where ranks differ, as {@link ParallelStep.valueAndGrad} does.
   */
  async finish(): Promise<ParallelValue> {
    if (arguments.length > 0) throw surplus('finish()', 0, arguments.length)
    if (this.#finished) throw new Error('the batch is finished; expected a new one, which batch() makes')
    this.#finished = true
    const all = this.#sums
    all[REFUSED] = this.#refusal === undefined ? 0 : 1
    all[RANKS] = 1
    tell(all, OPTIONS, optionsOf(this.#loss))
    try {
      await this.#collective.allReduce(all, 'sum')
    } catch (error) {
      // Which came first, and may be why
      throw this.#refusal ?? error
    }
    if (this.#refusal !== undefined) throw this.#refusal
    this.#checkSums(all)
    const [sum, elements, rows, positives] = all
    const sums = { sum, elements, rows, positives }
    const denominator = this.#loss.denominator(sums)
    return { value: sum / denominator, sums, denominator }
  }

  #checkSums(all: Float64Array): void {
    const { size } = this.#collective
    if (all[RANKS] !== size) throw new Error(`collective.allReduce has added up ${counted(all[RANKS], 'rank')}; expected ${size}, in place, once it returns or its promise resolves`)
    if (all[REFUSED] > 0) throw new Error(`${all[REFUSED]} of ${counted(size, 'rank')} refused their part of the batch; their errors say why`)
    const different = alike.find(([at]) => differ(all, at))
    if (different === undefined) return
    const [at, what] = different
    throw new Error(`the ranks differ in ${what}; expected the same on all of them${at === OPTIONS ? `, and here is ${optionsOf(this.#loss)}` : ''}`)
  }
}

/** All that the loss of the batch depends on, as text. */
function optionsOf({ constants, options }: ParallelLoss): string {
  return `${describeLoss(constants.formula.name, options)} ${options.reduction}`
}

/**
 * The step of data-parallel training, from a loss and a collective: one all-reduce of 15 doubles a batch.
 *
 * @param loss an object of any loss of this package, with the same options on every rank. Its reduction is that of the whole
 *   batch; 'none' leaves nothing to add up, and is a TypeError.
 */
export function parallelStep(loss: ParallelLoss, collective: Collective): ParallelStep {
  if (arguments.length > 2) throw surplus('parallelStep()', 2, arguments.length)
  checkLossMethods(loss, ['sums', 'denominator'])
  checkRecord('loss.options', loss.options)
  // Which those who do not write TypeScript find out here
  if ((loss as Partial<ParallelLoss>).constants === undefined) throw wrongType('loss', loss, 'a loss of this package, whose options all ranks can compare')
  if (loss.options.reduction === 'none') throw new TypeError("loss has reduction 'none'; expected 'mean', 'mean-rows', 'mean-positives' or 'sum', as ranks share one loss")
  checkCollective(collective)
  return {
    async valueAndGrad(logits, targets, call = {}) {
      if (arguments.length > 3) throw surplus('valueAndGrad()', 3, arguments.length)
      const batch = new ParallelBatch(loss, collective)
      let grad = logits
      try {
        ;({ grad } = batch.addOf(methods.parallelStep, logits, targets, call))
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
