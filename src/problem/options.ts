/** The options of a loss: checked once, in its constructor, and turned into the constants that backends work with. */
import { checkNames, checkRecord, flag, number, oneOf } from '../arguments.js'
import { outOfRange, wrongType } from '../errors.js'
import type { Parameters } from '../formulas/formula.js'

/** How the losses of a batch become one number; see {@link LossOptions.reduction}. */
export type Reduction = 'none' | 'sum' | 'mean' | 'mean-rows' | 'mean-positives'

/** Whether a loss takes logits or probabilities; see {@link LossOptions.inputs}. */
export type Inputs = 'logits' | 'probabilities'

/** One number for all classes, or one per class. */
export type PerClass = number | ArrayLike<number>

/** A backend: on a GPU, the Node.js addon, WebAssembly, or plain TypeScript. */
export type BackendName = 'cuda' | 'webgpu' | 'native' | 'wasm' | 'js'

/** All backends: those of GPUs, then the fastest first. */
export const backendNames = ['cuda', 'webgpu', 'native', 'wasm', 'js'] as const satisfies readonly BackendName[]

/** The options of every loss. `undefined` means the default. */
export interface LossOptions<R extends Reduction = Reduction> {
  /**
   * The first argument of every method. 'logits' (default): raw scores. 'probabilities': the output of a sigmoid, from 0 to 1, or of
   * a softmax. Prefer logits, because float32 cannot distinguish probabilities near 1.
   *
   * A probability outside 0 to 1 is a RangeError, and so is a row whose sum differs from 1 by more than 1e-3. Within 1e-6 (half
   * precision: two units in the last place, also of sums) it counts as rounding. Derivatives are with respect to the probability; in
   * a softmax row each class is a separate variable. Nothing is clipped. At 0 and 1 a result is its limit. Where the limit is
   * infinite, p is the nearest representable probability: the smallest normal number of the arrays' type (float32 2^-126, float64
   * 2^-1022, float16 2^-14, bfloat16 2^-126) or its largest number below 1. A derivative beyond the type's largest number is
   * clamped to it.
   */
  inputs?: Inputs | undefined
  /** Weights >= 0 that multiply the loss of each class. Default `null`: none. */
  classWeights?: PerClass | null | undefined
  /**
   * The class index that means "no class", or 'num-classes' for the class count (Detectron2, mmdetection). Where it is set, integer
   * targets of a one-class problem are class indices; see {@link CallOptions.targetKind}.
   */
  background?: number | 'num-classes' | null | undefined
  /**
   * Targets with this value are ignored: no loss, a zero gradient, in no denominator. An integer; or NaN, for data in which NaN means
   * "not labelled" (of a softmax's labels a row of nothing but NaN). Default `null`: none, and NaN among targets is an error.
   */
  ignoreIndex?: number | null | undefined
  // Not undefined: what methods return follows from it
  /**
   * 'mean' (default) divides the sum by the valid elements (softmax: rows), those neither masked nor ignored; 'mean-rows' by the valid rows,
   * 'mean-positives' by the positives, each at least 1; 'sum' does not divide; 'none' returns every loss.
   */
  reduction?: R
  /**
   * The backend for this loss, independent of `setBackend`; 'auto' is the fastest for the size. Default `null`: the backend of
   * `setBackend` or FOCAL_LOSS_BACKEND, else 'auto'.
   */
  backend?: BackendName | 'auto' | null | undefined
}

/** The options of sigmoid and softmax focal loss. */
export interface FocalOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /**
   * Focusing parameter, a finite number >= 0, or one per class (equalized focal loss: Li et al. 2022, arXiv:2201.02593, whose factor
   * `gamma_c / gamma_b` is `classWeights`); 0 is cross entropy. Default 2.
   */
  gamma?: PerClass | undefined
  /** Alpha balancing, in addition to `classWeights`. `null` switches it off; range and default depend on the loss. */
  alpha?: PerClass | null | undefined
  /** Label smoothing factor e, from 0 to 1: y becomes y (1 - e) + e / 2, for a softmax y (1 - e) + e / C. Default 0. */
  labelSmoothing?: number | undefined
}

/** `gamma`, `alpha` and `labelSmoothing` as a loss shows them. */
export interface FocalResolved {
  /** See {@link FocalOptions.gamma}. An array is a copy, and frozen. */
  readonly gamma: number | readonly number[]
  /** See {@link FocalOptions.alpha}. An array is a copy, and frozen. */
  readonly alpha: number | readonly number[] | null
  /** See {@link FocalOptions.labelSmoothing}. */
  readonly labelSmoothing: number
}

/** Options as a loss shows them: all present, checked, copied and frozen. `O`: those of its own. */
export type ResolvedOptions<R extends Reduction = Reduction, O extends object = object> = Readonly<O> & {
  readonly inputs: Inputs
  readonly classWeights: number | readonly number[] | null
  readonly background: number | 'num-classes' | null
  readonly ignoreIndex: number | null
  readonly reduction: R
  readonly backend: BackendName | 'auto' | null
}

const reductions: readonly Reduction[] = ['none', 'sum', 'mean', 'mean-rows', 'mean-positives']

const inputKinds: readonly Inputs[] = ['logits', 'probabilities']

const commonOptions = ['inputs', 'classWeights', 'background', 'ignoreIndex', 'reduction', 'backend'] as const satisfies readonly (keyof LossOptions)[]

/** How a loss reads its data, beside what its formula takes. */
export interface Reading {
  /** Whether rows of probabilities are divided by their sums, as part of the loss. */
  readonly renormalize: boolean
  /** The least label that is counted as a positive. */
  readonly positiveFrom: number
  /** The least label that is taken for 1. */
  readonly oneFrom: number
  /** Whether targets are positions on bins, one per row: src/problem/bins.ts. */
  readonly positionTargets: boolean
}

/** What positives alone are weighed with. */
export interface PositiveWeighting {
  readonly posWeight: number | readonly number[] | null
}

/** What differs from loss to loss. */
export interface OptionRules<O extends object> {
  /** The class, as error messages name it. */
  readonly loss: string
  /** The options of its own: what is given, checked, or the default for `undefined`. */
  readonly own: { readonly [K in keyof O]: (given: unknown) => O[K] }
  /** What its alpha makes of the weights of a positive and of a negative. */
  readonly balance?: (alpha: number) => readonly [positive: number, negative: number]
  /** What its options are to its formula. */
  readonly parameters: (options: O) => Partial<Omit<Parameters, 'gamma'> & Reading & Pick<FocalResolved, 'gamma' | 'alpha' | 'labelSmoothing'> & Pick<PositiveWeighting, 'posWeight'>>
}

/** The names of the options of a loss. */
export function optionNames(rules: { readonly own: object }): readonly string[] {
  return [...Object.keys(rules.own), ...commonOptions]
}

/** The check of an option that may be left out. */
export function optional<T>(fallback: T, check: (given: unknown) => T): (given: unknown) => T {
  return (given) => (given === undefined ? fallback : check(given))
}

/** The check of a number in a closed interval. */
export function numberOption(name: string, fallback: number, most = Infinity): (given: unknown) => number {
  return optional(fallback, (given) => number(name, given, 0, most))
}

/** The check of a switch, which is off by default. */
export function flagOption(name: string): (given: unknown) => boolean {
  return optional(false, (given) => flag(name, given))
}

/** Alpha, one or one per class, from 0 to `most`, or null. */
export function checkAlpha(given: unknown, most: number): FocalResolved['alpha'] {
  return perClass('alpha', given, most, given === -1 ? ', or null, which switches it off (as -1 does in fvcore and torchvision)' : '')
}

/** The option that takes it. */
export function alphaOption(fallback: number | null, most: number): (given: unknown) => FocalResolved['alpha'] {
  return optional<FocalResolved['alpha']>(fallback, (given) => checkAlpha(given, most))
}

/** `gamma`, `alpha` (its default and its largest) and `labelSmoothing`. */
export function focalRules(alpha: number | null, largestAlpha: number): OptionRules<FocalResolved>['own'] {
  return {
    gamma: optional(2, (given) => (typeof given === 'object' && given !== null ? (perClass('gamma', given, Infinity) as readonly number[]) : number('gamma', given, 0, Infinity))),
    alpha: alphaOption(alpha, largestAlpha),
    labelSmoothing: numberOption('labelSmoothing', 0, 1),
  }
}

/** Checks what a caller passed to a constructor. Throws a TypeError or RangeError that names the option. */
export function resolveOptions<R extends Reduction, O extends object>(given: LossOptions<R>, rules: OptionRules<O>): ResolvedOptions<R, O> {
  checkRecord('options', given)
  checkNames(given, new Set(optionNames(rules)), rules.loss)
  const own = Object.fromEntries(
    Object.entries<(given: unknown) => unknown>(rules.own).map(([name, check]) => [name, check((given as Record<string, unknown>)[name])]),
  ) as O
  const { inputs = 'logits', classWeights = null, background = null, ignoreIndex = null, reduction = 'mean', backend = null } = given
  return Object.freeze({
    ...own,
    inputs: oneOf('inputs', inputs, inputKinds),
    classWeights: perClass('classWeights', classWeights, Infinity),
    background: background === 'num-classes' ? background : index('background', background, " or 'num-classes'"),
    ignoreIndex: Number.isNaN(ignoreIndex) ? NaN : index('ignoreIndex', ignoreIndex, ' or NaN'),
    reduction: oneOf('reduction', reduction, reductions) as R,
    backend: backend === null ? null : oneOf('backend', backend, ['auto', ...backendNames] as const),
  })
}

function index(name: string, value: unknown, or: string): number | null {
  if (value === null) return null
  const expected = `an integer${or}`
  if (typeof value !== 'number') throw wrongType(name, value, expected)
  if (!Number.isSafeInteger(value)) throw outOfRange(name, value, expected)
  return value
}

/** A number, or one per class, from 0 to `most`; or null. */
export function perClass(name: string, value: unknown, most: number, hint = ''): number | readonly number[] | null {
  if (value === null) return null
  if (typeof value === 'number') return number(name, value, 0, most, hint)
  const isArray = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
  if (!isArray) throw wrongType(name, value, 'a number, an array of numbers (one per class) or null')
  const values = Array.from(value as ArrayLike<unknown>)
  if (values.length === 0) throw new RangeError(`${name} is an empty array; expected one number per class`)
  return Object.freeze(values.map((entry, c) => number(`${name}[${c}]`, entry, 0, most)))
}
