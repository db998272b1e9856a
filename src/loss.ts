/** The base of every loss: from a call to a problem, from a backend's sums to the reduced value. */
import type { Logits, Numbers, SameKind } from './arrays.js'
import { chooseBackend } from './backends/choose.js'
import { wrongType } from './errors.js'
import type { Formula } from './losses/formula.js'
import {
  checkNames,
  checkRecord,
  classWeighting,
  type FocalOptions,
  type OptionRules,
  type Reduction,
  type ResolvedOptions,
  resolveOptions,
  type SoftTargets,
} from './options.js'
import {
  denominatorOf,
  describe,
  divisorOf,
  type GradCall,
  type HessCall,
  type LossConstants,
  type Method,
  methods,
  type Problem,
  type Sums,
  type SumsCall,
  type ValueCall,
} from './problem.js'

/** What a loss returns: an array like the logits with reduction 'none', else a number. */
export type Reduced<R extends Reduction, A extends Logits> = R extends 'none' ? SameKind<A> : number

/** The output `K` of {@link FocalLossBase.sums}, where the call asks for it. */
export type Written<A extends Logits, C, K extends 'grad' | 'out'> =
  C extends Record<K, SameKind<A> | true> ? Readonly<Record<K, SameKind<A>>> : unknown

const nothing: Sums = { sum: 0, elements: 0, rows: 0, positives: 0 }

/**
 * What all losses share. Logits are a Float32Array or a Float64Array in any memory (shared, resizable, a view);
 * targets one label from 0 to 1 per logit, or one class index per row. Every method checks its arguments before it
 * writes anything, and throws a TypeError or a RangeError that names the argument, what was expected and what came.
 */
export abstract class FocalLossBase<R extends Reduction = Reduction> {
  /** The options, defaults filled in; frozen. */
  readonly options: ResolvedOptions<R>
  readonly #constants: LossConstants

  protected constructor(
    options: FocalOptions<R> & { softTargets?: SoftTargets },
    rules: OptionRules,
    formula: Formula,
  ) {
    this.options = resolveOptions(options, rules)
    const { gamma, labelSmoothing, softTargets = 'linear', background, ignoreIndex } = this.options
    this.#constants = {
      formula,
      // Past this a power is 0 or 1 for every number; all products with gamma stay finite below it
      gamma: Math.min(gamma, 1e30),
      labelSmoothing,
      softTargets,
      background: background ?? NaN,
      ignoreIndex: ignoreIndex ?? NaN,
      ...classWeighting(this.options, !formula.perRow),
    }
  }

  /**
   * The reduced loss; with reduction 'none' the loss of every element (softmax: of every row), in `call.out` or a new
   * array of the logits' kind.
   */
  value<A extends Logits>(logits: A, targets: Numbers, call: ValueCall<A> = {}): Reduced<R, A> {
    return this.compute(methods.value, logits, targets, call).value as Reduced<R, A>
  }

  /**
   * The loss and its gradient in one pass over the data. The gradient is of the reduced value; with 'none' of the sum.
   *
   * @returns `grad`: `call.grad`, which may be the logits themselves, or a new array as long as the logits.
   */
  valueAndGrad<A extends Logits>(
    logits: A,
    targets: Numbers,
    call: GradCall<A> = {},
  ): { value: Reduced<R, A>; grad: SameKind<A> } {
    const { value, grad } = this.compute(methods.valueAndGrad, logits, targets, call)
    return { value: value as Reduced<R, A>, grad: grad as SameKind<A> }
  }

  /**
   * The sum of the losses and what reductions divide by, before any division: `grad` is of `sum`, `out` gets every
   * loss. Add the sums of several machines or batches up, then `sum / denominator(sums)` is the loss of the whole.
   */
  sums<A extends Logits, C extends SumsCall<A>>(
    logits: A,
    targets: Numbers,
    call: C = {} as C,
  ): Sums & Written<A, C, 'grad'> & Written<A, C, 'out'> {
    checkCall(methods.sums, call)
    const { out = false, grad: wanted = false } = call as SumsCall<A>
    const outputs = { values: out, grad: wanted, hess: false }
    const problem = describe(this.#constants, 'sum', logits, targets, call, outputs)
    const { sum, elements, rows, positives } = this.#run(problem)
    const { grad, values } = problem
    const result = { sum, elements, rows, positives, ...(grad && { grad }), ...(values && { out: values }) }
    return result as Sums & Written<A, C, 'grad'> & Written<A, C, 'out'>
  }

  /** What this loss's reduction divides by: at least 1, and 1 for 'sum' and 'none'. */
  denominator(sums: Sums): number {
    return denominatorOf(this.options.reduction, this.#constants.formula, sums)
  }

  /** One checked call of a method. */
  protected compute(
    method: Method,
    logits: Logits,
    targets: Numbers,
    call: HessCall<Logits>,
  ): { value: number | Logits | null; grad: Logits | null; hess: Logits | null } {
    checkCall(method, call)
    const { reduction } = this.options
    if (call.out !== undefined && reduction !== 'none') {
      throw new TypeError(`out is given with reduction '${reduction}'; expected reduction 'none'`)
    }
    const problem = describe(this.#constants, reduction, logits, targets, call, {
      values: reduction === 'none' && theirsOrNew('out', call.out),
      grad: method.grad && theirsOrNew('grad', call.grad),
      hess: method.hess && theirsOrNew('hess', call.hess),
    })
    const sums = this.#run(problem)
    const value = problem.values ?? sums.sum / divisorOf(problem, sums)
    return { value, grad: problem.grad, hess: problem.hess }
  }

  #run(problem: Problem): Sums {
    const size = problem.outer * problem.classes * problem.inner
    return size === 0 ? nothing : chooseBackend(problem, size, this.options.backend).run(problem)
  }
}

/** The caller's array, or `true` for a new one. */
function theirsOrNew(name: string, given: unknown): unknown {
  if (given === undefined) return true
  if (typeof given === 'boolean') throw wrongType(name, given, 'a Float32Array or a Float64Array')
  return given
}

function checkCall(method: Method, call: object): void {
  checkRecord('call options', call)
  checkNames(call, method.options, method.name)
}
