/** The base of every loss: from a call to a problem, from a backend's sums to the reduced value. */
import { Explainer } from '../analysis/explain/explainer.js'
import type { Explanation } from '../analysis/explain/explanation.js'
import { type Change, type ExplainerOptions, explainNames, type ExplainOptions } from '../analysis/explain/options.js'
import { biases, posteriors, type PriorRule } from '../analysis/posterior.js'
import { checkNames, checkRecord } from '../arguments.js'
import type { DevicePointer } from '../arrays/device_array.js'
import type { AnyLogits, DerivativeOutput, DeviceLogits, Logits, SameKind } from '../arrays/logits.js'
import type { Targets } from '../arrays/numeric_array.js'
import { runProblem, runProblemAsync } from '../backends/choose.js'
import { checkSignal, Watch } from '../backends/watch.js'
import { surplus } from '../errors.js'
import type { Formula } from '../formulas/formula.js'
import {
  type Abortable,
  givenOrNew,
  type GradCall,
  type HessCall,
  type Method,
  methods,
  type ProbabilityCall,
  readCall,
  type SumsCall,
  type ValueCall,
} from '../problem/call.js'
import { constantsOf, type LossConstants } from '../problem/constants.js'
import { describe } from '../problem/describe.js'
import { type LossOptions, type OptionRules, type Reduction, type ResolvedOptions, resolveOptions } from '../problem/options.js'
import { type AnyProblem, denominatorOf, divisorOf, nothing, requireHost, type Sums } from '../problem/problem.js'
import { Accumulator } from './accumulator.js'
import { curvatureCall } from './curvature.js'

/** What a loss returns: an array like the logits with reduction 'none', else a number. */
export type Reduced<R extends Reduction, A extends Logits | DeviceLogits> = R extends 'none' ? SameKind<A> : number

/** The output `K` of {@link FocalLossBase.sums}, where the call asks for it. */
export type OutputOf<A extends Logits | DeviceLogits, C, K extends 'grad' | 'out'> =
  C extends Record<K, infer G> ? (G extends Logits | DeviceLogits ? Readonly<Record<K, SameKind<G>>> : G extends true ? Readonly<Record<K, SameKind<A>>> : unknown) : unknown

/**
 * The methods that all losses share.
 *
 * Logits are raw scores, before a sigmoid or softmax: a Float32Array, a Float64Array, a Float16Array if the runtime has it, or a
 * Uint16Array with `dtype`. They may be shared, resizable or a view, or on a GPU ({@link DeviceArray}). Targets are one label
 * from 0 to 1 per logit, or one class index per row. Every method checks its arguments before it writes anything. It throws a
 * TypeError or a RangeError that names the argument, the expected value and the actual value.
 */
export abstract class FocalLossBase<R extends Reduction = Reduction, O extends object = object> {
  /** The options, defaults filled in; frozen. */
  readonly options: ResolvedOptions<R, O>
  readonly #constants: LossConstants
  readonly #constantsWith: (change: Change) => LossConstants

  protected constructor(options: LossOptions<R>, rules: OptionRules<O>, formula: Formula) {
    this.options = resolveOptions(options, rules)
    this.#constants = constantsOf(this.options, rules, formula)
    this.#constantsWith = (change) => constantsOf(resolveOptions({ ...this.options, ...change }, rules), rules, formula)
  }

  /**
   * The options as formulas take them, for adapters that compose the loss of a framework's operations.
   *
   * @hidden it may change
   */
  get constants(): LossConstants {
    return this.#constants
  }

  /**
   * The reduced loss; with reduction 'none' the loss of every element (softmax: of every row), in `call.out` or a new
   * array of the logits' kind.
   */
  value<A extends Logits | DeviceLogits>(logits: A, targets: Targets | DevicePointer, call: ValueCall<A> = {}): Reduced<R, A> {
    if (arguments.length > 3) throw surplus('value()', 3, arguments.length)
    return this.compute(methods.value, logits, targets, call).value as Reduced<R, A>
  }

  /**
   * The loss and its gradient with respect to the logits, in one pass over the data. The gradient is of the reduced value; with
   * 'none' of the sum.
   *
   * @returns `grad`: `call.grad`, which may be the logits themselves, or a new array as long as the logits.
   */
  valueAndGrad<A extends Logits | DeviceLogits, G extends A | DerivativeOutput<A> = A>(
    logits: A,
    targets: Targets | DevicePointer,
    call: GradCall<A, G> = {},
  ): { value: Reduced<R, A>; grad: SameKind<G> } {
    if (arguments.length > 3) throw surplus('valueAndGrad()', 3, arguments.length)
    const { value, grad } = this.compute(methods.valueAndGrad, logits, targets, call)
    return { value: value as Reduced<R, A>, grad: grad as SameKind<G> }
  }

  /**
   * {@link valueAndGrad} without blocking the event loop, with bit-identical results. Native computes on other threads, one call
   * after another; wasm and js compute in blocks of about 5 ms. An error rejects the promise.
   *
   * Do not write to, transfer or resize any array until the promise settles. An aborted call stops within one block; the contents
   * of `grad` and `out` are then unspecified.
   */
  async valueAndGradAsync<A extends Logits | DeviceLogits, G extends A | DerivativeOutput<A> = A>(
    logits: A,
    targets: Targets | DevicePointer,
    call: GradCall<A, G> & Abortable = {},
  ): Promise<{ value: Reduced<R, A>; grad: SameKind<G> }> {
    if (arguments.length > 3) throw surplus('valueAndGradAsync()', 3, arguments.length)
    const { value, grad } = await this.computeAsync(methods.valueAndGradAsync, logits, targets, call)
    return { value: value as Reduced<R, A>, grad: grad as SameKind<G> }
  }

  /**
   * Loss, gradient and the diagonal of the Hessian of the reduced loss (with 'none': of the sum), in one pass. The
   * second derivative is exact. It may be negative, for badly misclassified elements or near soft labels. Gradient boosting
   * divides by it, so pass `clampHess`, `maxStep` or `curvature: 'expected'` there. For a softmax it is the diagonal of each
   * row's Hessian.
   *
   * @returns `grad` and `hess`, as long as the logits: `call.grad` and `call.hess`, or new arrays.
   */
  valueGradAndHess<A extends Logits | DeviceLogits, G extends A | DerivativeOutput<A> = A, H extends A | DerivativeOutput<A> = A>(
    logits: A,
    targets: Targets | DevicePointer,
    call: HessCall<A, G, H> = {},
  ): { value: Reduced<R, A>; grad: SameKind<G>; hess: SameKind<H> } {
    if (arguments.length > 3) throw surplus('valueGradAndHess()', 3, arguments.length)
    const { value, grad, hess } = this.compute(methods.valueGradAndHess, logits, targets, call)
    return { value: value as Reduced<R, A>, grad: grad as SameKind<G>, hess: hess as SameKind<H> }
  }

  /** {@link valueGradAndHess} without blocking the event loop: see {@link valueAndGradAsync}. */
  async valueGradAndHessAsync<A extends Logits | DeviceLogits, G extends A | DerivativeOutput<A> = A, H extends A | DerivativeOutput<A> = A>(
    logits: A,
    targets: Targets | DevicePointer,
    call: HessCall<A, G, H> & Abortable = {},
  ): Promise<{ value: Reduced<R, A>; grad: SameKind<G>; hess: SameKind<H> }> {
    if (arguments.length > 3) throw surplus('valueGradAndHessAsync()', 3, arguments.length)
    const { value, grad, hess } = await this.computeAsync(methods.valueGradAndHessAsync, logits, targets, call)
    return { value: value as Reduced<R, A>, grad: grad as SameKind<G>, hess: hess as SameKind<H> }
  }

  /**
   * The undivided sum of the losses, and the counts that reductions divide by. `grad` is the gradient of `sum`, `out` receives
   * every loss. To combine several machines or batches, add up their sums: `sum / denominator(sums)` is the total loss.
   */
  sums<A extends Logits | DeviceLogits, C extends SumsCall<A>>(
    logits: A,
    targets: Targets | DevicePointer,
    call: C = {} as C,
  ): Sums & OutputOf<A, C, 'grad'> & OutputOf<A, C, 'out'> {
    if (arguments.length > 3) throw surplus('sums()', 3, arguments.length)
    const read: SumsCall<A> = readCall(methods.sums, call)
    const { out = false, grad: wanted = false } = read
    const outputs = { values: out, grad: wanted, hess: false }
    const problem = describe(this.#constants, 'sum', logits, targets, read, outputs)
    const { sum, elements, rows, positives } = this.#run(problem)
    const { grad, values } = problem
    const result = { sum, elements, rows, positives, ...(grad && { grad }), ...(values && { out: values }) }
    return result as Sums & OutputOf<A, C, 'grad'> & OutputOf<A, C, 'out'>
  }

  /** Sums over data in chunks, starting at 0. */
  accumulator(): Accumulator {
    if (arguments.length > 0) throw surplus('accumulator()', 0, arguments.length)
    return new Accumulator(this.#constants, this.options.reduction, this.options.backend)
  }

  /** The denominator of this loss's reduction: at least 1, and 1 for 'sum' and 'none'. */
  denominator(sums: Sums): number {
    if (arguments.length > 1) throw surplus('denominator()', 1, arguments.length)
    return denominatorOf(this.options.reduction, this.#constants.formula, sums)
  }

  /**
   * Calibrated probabilities for the logits of a model trained with this loss. Focal loss pulls scores towards 0.5: at its minimum small
   * probabilities come out too large, large ones too small. This is the exact, monotone inverse, with 0 and 1 at the infinities.
   * For example, with alpha 0.25 and gamma 2, sigmoid(x) = 0.108 stands for 0.01. An over-trained network may be over-confident
   * anyway: `evaluate` compares raw and recalibrated scores on data.
   *
   * - With inputs 'probabilities', pass the model's sigmoid (softmax).
   * - With a margin (AsymmetricLoss), scores up to the margin stand for 0. If `gammaPositive` is 0, the largest scores stand for less
   *   than 1.
   * - With label smoothing, a score beyond the smoothed label stands for 0 or 1. The log loss of such a probability is infinite if it
   *   is wrong.
   * - For a softmax, a class with logit -Infinity (masked in training) has probability 0 and no share of the label smoothing.
   *
   * Pass `shape` if classes differ: for a softmax, and with weights per class along another axis than the last.
   *
   * @returns `call.out`, which may be the logits themselves, or a new array: one probability per logit; a softmax's rows
   *   sum to 1. Throws a RangeError where a weight of 0 leaves nothing to invert.
   */
  toProbability<A extends Logits>(logits: A, call: ProbabilityCall<A> = {}): SameKind<A> {
    if (arguments.length > 2) throw surplus('toProbability()', 2, arguments.length)
    return posteriors(this.#constants, logits, readCall(methods.toProbability, call)) as SameKind<A>
  }

  /**
   * The initial bias of a model's last layer for a given positive rate: the constant logit with the lowest loss. Without it the model
   * spends the first steps on learning how rare positives are. `{ prior, rule: 'retinanet' }` gives the RetinaNet paper's
   * `-log((1 - prior) / prior)`, which is the optimum of cross entropy. The result is a logit for every `inputs`, because the bias
   * comes before the sigmoid.
   *
   * @param prior between 0 and 1: the share of positives, or one per class. For softmax one per class, of sum 1. Throws a
   *   RangeError if the largest logits stand for less than the prior, because the loss then has no optimum.
   * @returns one logit, or one per class for an array. For a softmax, the logarithms of its optimal output.
   */
  priorBias(prior: number | PriorRule): number
  priorBias(prior: readonly number[]): Float64Array
  priorBias(prior: number | PriorRule | readonly number[]): number | Float64Array {
    if (arguments.length > 1) throw surplus('priorBias()', 1, arguments.length, "; a rule goes with its prior: { prior: 0.01, rule: 'retinanet' }")
    return biases(this.#constants, prior)
  }

  /**
   * Which examples have the loss and the gradient: cumulative distributions and shares by p_t, for positives and negatives, and the
   * hardest examples, for many gammas and alphas at once. docs/explain.md defines every number.
   *
   * @returns plain data. Throws a RangeError if a loss is not finite, and with inputs 'probabilities'.
   */
  explain(logits: Logits, targets: Targets, options: ExplainOptions = {}): Explanation {
    if (arguments.length > 3) throw surplus('explain()', 3, arguments.length)
    checkRecord('options', options)
    checkNames(options, explainNames, 'explain()')
    const { gammas, alphas, bins, perClass, hardest, ...call } = options
    return this.explainer({ gammas, alphas, bins, perClass, hardest }).add(logits, targets, call).result()
  }

  /** {@link explain} for data in chunks: call `explainer.add(logits, targets)` for each chunk, then `explainer.result()`. */
  explainer(options: ExplainerOptions = {}): Explainer {
    if (arguments.length > 1) throw surplus('explainer()', 1, arguments.length)
    const none = { values: false, grad: false, hess: false }
    return new Explainer(
      {
        options: this.options,
        inputs: this.options.inputs,
        constantsWith: this.#constantsWith,
        describe: (logits, targets, call) => requireHost(describe(this.#constants, 'sum', logits, targets, call, none)),
        run: (problem) => this.#run(problem),
      },
      options,
    )
  }

  /** One checked call of a method. */
  protected compute(method: Method, logits: Logits | DeviceLogits, targets: Targets | DevicePointer, call: HessCall<Logits | DeviceLogits>): Computed {
    const read = readCall(method, call)
    const problem = this.#problemOf(method, logits, targets, read)
    const curvature = curvatureCall(problem, read)
    const sums = this.#run(curvature?.main ?? problem)
    if (curvature !== null && sizeOf(problem) > 0) {
      for (const other of curvature.after(sums)) this.#run(other)
      curvature.finish()
    }
    return { value: valueOf(problem, sums), grad: problem.grad, hess: problem.hess }
  }

  /** The same while the event loop keeps turning. */
  protected async computeAsync(
    method: Method,
    logits: Logits | DeviceLogits,
    targets: Targets | DevicePointer,
    call: HessCall<Logits | DeviceLogits> & Abortable,
  ): Promise<Computed> {
    const read = readCall(method, call)
    // Its getters may take an array's memory away
    const signal = checkSignal(read.signal)
    const problem = this.#problemOf(method, logits, targets, read)
    const curvature = curvatureCall(problem, read)
    const watch = new Watch(problem, signal)
    watch.check()
    const size = sizeOf(problem)
    if (size === 0) return { value: valueOf(problem, nothing), grad: problem.grad, hess: problem.hess }
    const sums = await runProblemAsync(curvature?.main ?? problem, size, this.options.backend, watch)
    if (curvature !== null) {
      for (const other of curvature.after(sums)) await runProblemAsync(other, size, this.options.backend, watch)
      curvature.finish()
    }
    return { value: valueOf(problem, sums), grad: problem.grad, hess: problem.hess }
  }

  #problemOf(method: Method, logits: unknown, targets: unknown, call: HessCall<Logits | DeviceLogits>): AnyProblem {
    const { reduction } = this.options
    if (call.out !== undefined && reduction !== 'none') {
      throw new TypeError(`out is given with reduction '${reduction}'; expected reduction 'none'`)
    }
    return describe(this.#constants, reduction, logits, targets, call, {
      values: reduction === 'none' && givenOrNew(true, 'out', call.out),
      grad: method.grad && givenOrNew(true, 'grad', call.grad),
      hess: method.hess && givenOrNew(true, 'hess', call.hess),
    })
  }

  #run(problem: AnyProblem): Sums {
    const size = sizeOf(problem)
    return size === 0 ? nothing : runProblem(problem, size, this.options.backend)
  }
}

/** What a call has computed. */
interface Computed {
  readonly value: number | AnyLogits
  readonly grad: AnyLogits | null
  readonly hess: AnyLogits | null
}

function valueOf(problem: AnyProblem, sums: Sums): number | AnyLogits {
  return problem.values ?? sums.sum / divisorOf(problem, sums)
}

function sizeOf({ outer, classes, inner }: AnyProblem): number {
  return outer * classes * inner
}
