/** The options of a loss: checked once, in its constructor, and turned into the constants that backends work with. */
import { type BackendName, backendNames } from './backends/backend.js'
import { outOfRange, show, unknownOption, wrongType } from './errors.js'

/** How the losses of a batch become one number; see {@link FocalOptions.reduction}. */
export type Reduction = 'none' | 'sum' | 'mean' | 'mean-rows' | 'mean-positives'

/** How a soft label enters the sigmoid focal loss; see {@link SigmoidFocalOptions.softTargets}. */
export type SoftTargets = 'linear' | 'mixture'

/** One number for all classes, or one per class. */
export type PerClass = number | ArrayLike<number>

/** What every loss of the family takes. `undefined` means the default. */
export interface FocalOptions<R extends Reduction = Reduction> {
  /** Focusing, a finite number >= 0; 0 is cross entropy. Default 2. */
  gamma?: number
  /** Balance. `null` switches it off; the range and the default are the loss's own. */
  alpha?: PerClass | null
  /** Weights >= 0 that multiply the loss of each class, on top of `alpha`. Default `null`: none. */
  classWeights?: PerClass | null
  /** From 0 to 1: moves every target that far towards indifference. Default 0. */
  labelSmoothing?: number
  /** The class index that means "no class", or 'num-classes' for the class count (Detectron2, mmdetection). */
  background?: number | 'num-classes' | null
  /** The target that counts nowhere and gets a zero gradient. Default `null`: none. */
  ignoreIndex?: number | null
  /**
   * 'mean' (default) divides the sum by the elements that count (softmax: rows), 'mean-rows' by the rows that count,
   * 'mean-positives' by the positives, each at least 1; 'sum' divides by nothing; 'none' returns every loss.
   */
  reduction?: R
  /** The backend for this loss; by default what `setBackend` or FOCAL_LOSS_BACKEND says, else the cheapest for the size. */
  backend?: BackendName | 'auto'
}

/** Options as a loss shows them: all present, checked, copied and frozen. */
export interface ResolvedOptions<R extends Reduction = Reduction> {
  readonly gamma: number
  readonly alpha: number | readonly number[] | null
  readonly classWeights: number | readonly number[] | null
  readonly labelSmoothing: number
  readonly softTargets?: SoftTargets
  readonly background: number | 'num-classes' | null
  readonly ignoreIndex: number | null
  readonly reduction: R
  readonly backend: BackendName | 'auto' | undefined
}

const reductions: readonly Reduction[] = ['none', 'sum', 'mean', 'mean-rows', 'mean-positives']

const commonOptions = [
  'gamma',
  'alpha',
  'classWeights',
  'labelSmoothing',
  'background',
  'ignoreIndex',
  'reduction',
  'backend',
] as const satisfies readonly (keyof FocalOptions)[]

/** What differs from loss to loss. */
export interface OptionRules {
  /** The class, as error messages name it. */
  readonly loss: string
  readonly defaultAlpha: number | null
  /** The largest alpha: 1 where negatives weigh `1 - alpha`. */
  readonly largestAlpha: number
  readonly softTargets: boolean
}

/** The names of the options of a loss. */
export function optionNames(rules: OptionRules): readonly string[] {
  return rules.softTargets ? [...commonOptions, 'softTargets'] : commonOptions
}

/** Checks what a caller passed to a constructor. Throws a TypeError or RangeError that names the option. */
export function resolveOptions<R extends Reduction>(
  given: FocalOptions<R> & { softTargets?: SoftTargets },
  rules: OptionRules,
): ResolvedOptions<R> {
  checkRecord('options', given)
  checkNames(given, new Set(optionNames(rules)), rules.loss)
  const { gamma = 2, alpha = rules.defaultAlpha, classWeights = null, labelSmoothing = 0 } = given
  const { background = null, ignoreIndex = null, reduction = 'mean', backend } = given
  const resolved = {
    gamma: number('gamma', gamma, 0, Infinity),
    alpha: perClass('alpha', alpha, rules.largestAlpha),
    classWeights: perClass('classWeights', classWeights, Infinity),
    labelSmoothing: number('labelSmoothing', labelSmoothing, 0, 1),
    background: background === 'num-classes' ? background : index('background', background, " or 'num-classes'"),
    ignoreIndex: index('ignoreIndex', ignoreIndex, ''),
    reduction: oneOf('reduction', reduction, reductions) as R,
    backend: backend === undefined ? undefined : oneOf('backend', backend, ['auto', ...backendNames] as const),
  }
  if (!rules.softTargets) return Object.freeze(resolved)
  const softTargets = oneOf('softTargets', given.softTargets ?? 'linear', ['linear', 'mixture'] as const)
  return Object.freeze({ ...resolved, softTargets })
}

/** Weights of positives and negatives: numbers, or one per class. */
export interface ClassWeighting {
  readonly positiveWeight: number
  readonly negativeWeight: number
  /** Length `classes`, instead of the numbers. */
  readonly classPositive: Float64Array | null
  readonly classNegative: Float64Array | null
}

/** Alpha and class weights multiplied; with `balanced`, negatives weigh `1 - alpha`, else they have no weight of their own. */
export function classWeighting(options: ResolvedOptions, balanced: boolean): ClassWeighting {
  const { alpha, classWeights } = options
  const positive = (a: number | null, weight: number) => (a ?? 1) * weight
  const negative = (a: number | null, weight: number) => (balanced && a !== null ? 1 - a : 1) * weight
  const perClass = (weigh: typeof positive): Float64Array =>
    Float64Array.from({ length: lengthOf(alpha) ?? lengthOf(classWeights) ?? 0 }, (_, c) =>
      weigh(at(alpha, c), at(classWeights, c) ?? 1),
    )
  if (lengthOf(alpha) === undefined && lengthOf(classWeights) === undefined) {
    const weight = at(classWeights, 0) ?? 1
    const positiveWeight = positive(at(alpha, 0), weight)
    const negativeWeight = negative(at(alpha, 0), weight)
    return { positiveWeight, negativeWeight, classPositive: null, classNegative: null }
  }
  const [a, b] = [lengthOf(alpha), lengthOf(classWeights)]
  if (a !== undefined && b !== undefined && a !== b) {
    throw new RangeError(`classWeights has ${b} entries; expected one per class, and alpha has ${a}`)
  }
  return {
    positiveWeight: 1,
    negativeWeight: 1,
    classPositive: perClass(positive),
    classNegative: balanced ? perClass(negative) : null,
  }
}

export function checkRecord(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw wrongType(name, value, 'an object with options')
  }
}

export function checkNames(given: object, known: ReadonlySet<string>, what: string): void {
  for (const name in given) if (!known.has(name)) throw unknownOption(what, name, [...known])
}

/** A finite number in a closed interval; `Infinity` as an end means there is none. */
export function number(name: string, value: unknown, least: number, most: number): number {
  const expected = most === Infinity ? `a finite number >= ${least}` : `a number from ${least} to ${most}`
  if (typeof value !== 'number') throw wrongType(name, value, expected)
  if (!(value >= least && value <= most && Number.isFinite(value))) throw outOfRange(name, value, expected)
  return value
}

export function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  const expected = `one of ${allowed.map(show).join(', ')}`
  if (typeof value !== 'string') throw wrongType(name, value, expected)
  if (!allowed.includes(value as T)) throw outOfRange(name, value, expected)
  return value as T
}

function index(name: string, value: unknown, or: string): number | null {
  if (value === null) return null
  const expected = `an integer${or}`
  if (typeof value !== 'number') throw wrongType(name, value, expected)
  if (!Number.isSafeInteger(value)) throw outOfRange(name, value, expected)
  return value
}

function perClass(name: string, value: unknown, most: number): number | readonly number[] | null {
  if (value === null) return null
  if (typeof value === 'number') return number(name, value, 0, most)
  const isArray = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
  if (!isArray) throw wrongType(name, value, 'a number, an array of numbers (one per class) or null')
  const values = Array.from(value as ArrayLike<unknown>)
  if (values.length === 0) throw new RangeError(`${name} is an empty array; expected one number per class`)
  return Object.freeze(values.map((entry, c) => number(`${name}[${c}]`, entry, 0, most)))
}

function lengthOf(value: number | readonly number[] | null): number | undefined {
  return typeof value === 'object' && value !== null ? value.length : undefined
}

function at(value: number | readonly number[] | null, c: number): number | null {
  return typeof value === 'object' && value !== null ? value[c] : value
}
