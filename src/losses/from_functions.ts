/** Custom losses at run time, from plain functions of one logit and its label. */
import { checkMethods, checkNames, checkRecord, number } from '../arguments.js'
import type { DevicePointer } from '../arrays/device_array.js'
import type { DeviceLogits, Logits } from '../arrays/logits.js'
import type { Targets } from '../arrays/numeric_array.js'
import { outOfRange, surplus, wrongType } from '../errors.js'
import type { ElementFormula } from '../formulas/formula.js'
import type { HessCall, Method } from '../problem/call.js'
import { type LossOptions, optional, type OptionRules, type Reduction } from '../problem/options.js'
import { ElementwiseLoss } from './elementwise.js'

/** The functions of a loss: of one logit x, any finite number, and its label y, from 0 to 1. They are called once an element, and must depend on nothing else. */
export interface ElementwiseFunctions {
  /** The loss L(x, y). */
  value(x: number, y: number): number
  /** dL/dx. `gradcheck` tells whether it is right. */
  derivative(x: number, y: number): number
  /** d2L/dx2. Without it `valueGradAndHess` is a TypeError. */
  secondDerivative?: ((x: number, y: number) => number) | undefined
}

/** What {@link elementwiseLoss} takes beside the functions. `undefined` means the default. */
export interface ElementwiseLossOptions<R extends Reduction = Reduction> extends Omit<LossOptions<R>, 'inputs' | 'backend'> {
  /** The least label that is counted as a positive, above 0, at most 1. Default 0.5. */
  positiveFrom?: number | undefined
}

/** Its own options, with defaults filled in. */
export interface ElementwiseLossResolved {
  /** See {@link ElementwiseLossOptions.positiveFrom}. */
  readonly positiveFrom: number
}

const rules: OptionRules<ElementwiseLossResolved> = {
  loss: 'elementwiseLoss()',
  own: { positiveFrom: optional(0.5, checkPositiveFrom) },
  parameters: ({ positiveFrom }) => ({ positiveFrom }),
}

function checkPositiveFrom(given: unknown): number {
  const label = number('positiveFrom', given, 0, 1)
  if (label === 0) throw outOfRange('positiveFrom', label, 'a number above 0, at most 1')
  return label
}

function formulaOf(functions: ElementwiseFunctions): ElementFormula {
  // As they are now: an object that is changed later changes no loss
  const [value, derivative] = [functions.value.bind(functions), functions.derivative.bind(functions)]
  const secondDerivative = functions.secondDerivative?.bind(functions) ?? (() => NaN)
  return {
    name: 'elementwise',
    // No kernel has it
    code: -1,
    positiveFrom: 0.5,
    perRow: false,
    isModulated: false,
    // Without alpha, positives and negatives weigh the same
    element(x, y, weight, _negative, _parameters, to) {
      to.value = weight * value(x, y)
      to.grad = weight * derivative(x, y)
      to.hess = weight * secondDerivative(x, y)
    },
    probability() {
      throw new Error('a loss from functions takes logits')
    },
  }
}

class FromFunctions<R extends Reduction> extends ElementwiseLoss<R, ElementwiseLossResolved> {
  readonly #hasSecond: boolean

  constructor(functions: ElementwiseFunctions, options: ElementwiseLossOptions<R>) {
    super({ ...options, backend: 'js' }, rules, formulaOf(functions))
    this.#hasSecond = functions.secondDerivative !== undefined
  }

  protected override compute(method: Method, logits: Logits | DeviceLogits, targets: Targets | DevicePointer, call: HessCall<Logits | DeviceLogits>) {
    this.#check(method)
    return super.compute(method, logits, targets, call)
  }

  protected override async computeAsync(method: Method, logits: Logits | DeviceLogits, targets: Targets | DevicePointer, call: HessCall<Logits | DeviceLogits>) {
    this.#check(method)
    return super.computeAsync(method, logits, targets, call)
  }

  #check({ name, hess }: Method): void {
    if (hess && !this.#hasSecond) throw wrongType('secondDerivative', undefined, `a function of x and y, as ${name} is called`)
  }
}

const functionNames: ReadonlySet<string> = new Set(['value', 'derivative', 'secondDerivative'])

/**
 * A loss from plain functions, with everything that the losses of this package have: labels and class indices, layouts, class
 * weights, `weights`, `mask`, reductions, outputs of the caller's, `explain`, `toProbability` and so on. It runs on the plain
 * backend in double precision, at the speed of the functions, whatever {@link setBackend} says. docs/adding-a-loss.md says how a
 * loss becomes one of the fast backends'.
 *
 * `toProbability` and `priorBias` hold where `value` is convex in x and least at a label: they look for where
 * `eta dL(x, 1)/dx + (1 - eta) dL(x, 0)/dx` is 0.
 *
 * @param functions of one logit and its label: an error that they throw ends the call.
 * @returns the loss. Throws a TypeError or RangeError that names the argument, what was expected and what came.
 *
 * @example
 * ```js
 * import { elementwiseLoss } from 'focal-loss'
 *
 * const squared = elementwiseLoss({ value: (x, y) => (x - y) ** 2, derivative: (x, y) => 2 * (x - y) })
 * const { value, grad } = squared.valueAndGrad(new Float32Array([0.5, 2]), [1, 0])
 * console.log(value, grad[1]) // 2.125 and 2.0
 * ```
 */
export function elementwiseLoss<R extends Reduction = 'mean'>(
  functions: ElementwiseFunctions,
  options: ElementwiseLossOptions<R> = {},
): ElementwiseLoss<R, ElementwiseLossResolved> {
  if (arguments.length > 2) throw surplus('elementwiseLoss()', 2, arguments.length)
  checkMethods('functions', functions, ['value', 'derivative'])
  checkNames(functions, functionNames, 'elementwiseLoss()')
  const { secondDerivative } = functions
  if (secondDerivative !== undefined && typeof secondDerivative !== 'function') throw wrongType('functions.secondDerivative', secondDerivative, 'a function of x and y')
  checkRecord('options', options)
  const { inputs = 'logits', backend = null } = options as LossOptions<R>
  if (inputs !== 'logits') throw outOfRange('inputs', inputs, "'logits', as functions are of logits")
  if (backend !== null && backend !== 'auto' && backend !== 'js') throw outOfRange('backend', backend, "'js' or 'auto', as functions run on no other")
  return new FromFunctions(functions, options)
}
