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
 * What all losses share. Logits are a Float32Array, a Float64Array, a Float16Array where the runtime has such, or a
 * Uint16Array that `dtype` explains, in any memory (shared, resizable, a view), or an array on a GPU ({@link DeviceArray});
 * targets one label from 0 to 1 per logit, or one class index per row. Every method checks its arguments before it
 * writes anything, and throws a TypeError or a RangeError that names the argument, what was expected and what came.
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
   * The loss and its gradient in one pass over the data. The gradient is of the reduced value; with 'none' of the sum.
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
   * Non-blocking {@link valueAndGrad}, with bit-identical results: timers fire and sockets are served meanwhile. Native
   * computes on other threads, one call after another; wasm and js in blocks of about 10 ms. An error rejects the promise.
   *
   * All arrays must stay as they are until the promise settles: neither written to, nor transferred, nor resized. A call that
   * is aborted stops within one block; what it leaves in `grad` and `out` is not specified.
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
   * second derivative is exact, and may be negative: for badly misclassified elements, or near soft labels. Boosters, which
   * divide by it, pass `clampHess`, `maxStep` or `curvature: 'expected'`. Of a softmax, whose logits of a row have mixed derivatives too, it is the diagonal alone.
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

  /** As {@link valueGradAndHess}, while the event loop keeps turning: see {@link valueAndGradAsync}. */
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
   * The sum of the losses and what reductions divide by, before any division: `grad` is of `sum`, `out` gets every
   * loss. Add the sums of several machines or batches up, then `sum / denominator(sums)` is the loss of the whole.
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

  /** Sums over data that come in chunks, begun at 0. */
  accumulator(): Accumulator {
    if (arguments.length > 0) throw surplus('accumulator()', 0, arguments.length)
    return new Accumulator(this.#constants, this.options.reduction, this.options.backend)
  }

  /** What this loss's reduction divides by: at least 1, and 1 for 'sum' and 'none'. */
  denominator(sums: Sums): number {
    if (arguments.length > 1) throw surplus('denominator()', 1, arguments.length)
    return denominatorOf(this.options.reduction, this.#constants.formula, sums)
  }

  /**
   * Calibrated probabilities for the logits of a model trained with this loss. Focal loss makes scores under-confident: its minimum
   * is not where the sigmoid (or softmax) equals the true probability. This is the exact inverse, monotone, with 0 and 1 at the
   * infinities. A network that is over-trained may be over-confident all the same: `evaluate` compares both on data. Example: with alpha 0.25 and gamma 2, sigmoid(x) = 0.108 stands for 0.01.
   * With inputs 'probabilities' it is the model's sigmoid (softmax) itself that is given.
   * With a margin (AsymmetricLoss) every score up to it stands for 0, and the largest ones for less than 1 where
   * `gammaPositive` is 0.
   *
   * A softmax's class of logit -Infinity, as one that was masked in training has, stands for 0 and had no share in label smoothing.
   *
   * Needs `shape` where classes differ: for softmax, and with weights per class along another axis than the last.
   *
   * @returns `call.out`, which may be the logits themselves, or a new array: one probability per logit; a softmax's rows
   *   sum to 1. Throws a RangeError where a weight of 0 leaves nothing to invert.
   */
  toProbability<A extends Logits>(logits: A, call: ProbabilityCall<A> = {}): SameKind<A> {
    if (arguments.length > 2) throw surplus('toProbability()', 2, arguments.length)
    return posteriors(this.#constants, logits, readCall(methods.toProbability, call)) as SameKind<A>
  }

  /**
   * The initial bias of a model's last layer for a given positive rate: the constant logit at which this loss is least. With it the
   * first steps are not spent on learning how rare positives are. `{ prior, rule: 'retinanet' }` gives the RetinaNet paper's
   * `-log((1 - prior) / prior)`, which is right for cross entropy. It is a logit whatever `inputs` is: a bias comes before the
   * sigmoid.
   *
   * @param prior between 0 and 1: the share of positives, or one per class. For softmax one per class, of sum 1. A
   *   RangeError where it is more than the largest logits stand for, as the loss then has no optimum.
   * @returns one logit, or with an array one per class; a softmax's are the logarithms of its optimal output.
   */
  priorBias(prior: number | PriorRule): number
  priorBias(prior: readonly number[]): Float64Array
  priorBias(prior: number | PriorRule | readonly number[]): number | Float64Array {
    if (arguments.length > 1) throw surplus('priorBias()', 1, arguments.length, "; a rule goes with its prior: { prior: 0.01, rule: 'retinanet' }")
    return biases(this.#constants, prior)
  }

  /**
   * Where the loss and its gradient go: cumulative distributions and shares by p_t, positives against negatives, and the
   * hardest examples; for many gammas and alphas at once. docs/explain.md says what every number means.
   *
   * @returns plain data. Throws a RangeError where a loss is not finite, and with inputs 'probabilities'.
   */
  explain(logits: Logits, targets: Targets, options: ExplainOptions = {}): Explanation {
    if (arguments.length > 3) throw surplus('explain()', 3, arguments.length)
    checkRecord('options', options)
    checkNames(options, explainNames, 'explain()')
    const { gammas, alphas, bins, perClass, hardest, ...call } = options
    return this.explainer({ gammas, alphas, bins, perClass, hardest }).add(logits, targets, call).result()
  }

  /** As {@link explain}, for data that comes in chunks: `explainer.add(logits, targets)` for each, then `explainer.result()`. */
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
    const problem = this.#problemOf(method, logits, targets, read)
    const curvature = curvatureCall(problem, read)
    const watch = new Watch(problem, checkSignal(read.signal))
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
