/** The options of `explain`, checked. */
import { type CallOptions, methods } from '../../problem/call.js'
import { outOfRange, wrongType } from '../../errors.js'
import { number } from '../../arguments.js'
import type { ExplainedLoss } from './explanation.js'

/** What {@link FocalLossBase.explainer} is to find out. */
export interface ExplainerOptions {
  /** Compare these gammas, on every alpha. Default: the loss's own. Not for losses without a `gamma`. */
  gammas?: readonly number[] | undefined
  /** Compare these alphas, `null` for none, on every gamma. Default: the loss's own. Not for losses without an `alpha`. */
  alphas?: readonly (number | null)[] | undefined
  /**
   * How many bins of equal width p_t is divided into, 1 to 10,000; or their edges, ascending from 0 to 1. Default: ten, the last
   * of which is divided again at 0.99 and 0.999, where the easy examples of a detector are.
   */
  bins?: number | readonly number[] | undefined
  /** Whether the totals of each class are wanted too. Default false. */
  perClass?: boolean | undefined
  /** How many of the examples of greatest loss are listed, 0 to 1,000,000. Default 10. */
  hardest?: number | undefined
}

/** What {@link FocalLossBase.explain} is to find out, and the layout of its call. */
export interface ExplainOptions extends ExplainerOptions, CallOptions {}

const optionNames = ['gammas', 'alphas', 'bins', 'perClass', 'hardest']
/** The options of `explainer()` and of `explain()`. */
export const explainerNames: ReadonlySet<string> = new Set(optionNames)
export const explainNames: ReadonlySet<string> = new Set([...optionNames, ...methods.explainerAdd.options])

const DEFAULT_EDGES = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 0.999, 1]
const MOST_BINS = 10_000
export const MOST_HARDEST = 1_000_000

/** What a loss says of itself, where it has it. */
export type GammaAndAlpha = Pick<ExplainedLoss, 'gamma' | 'alpha'>

/** What is different of a loss that it is compared with. */
export interface Change {
  readonly gamma?: number
  readonly alpha?: number | null
}

/** Every pair of alpha and gamma that is asked for. */
export function changesOf(options: object, { gammas, alphas }: ExplainerOptions): Change[] {
  const ofGamma = listOf('gammas', gammas, 'gamma' in options).map((gamma) => (gamma == null ? {} : { gamma }))
  const ofAlpha = listOf('alphas', alphas, 'alpha' in options).map((alpha) => (alpha === undefined ? {} : { alpha }))
  return ofAlpha.flatMap((alpha) => ofGamma.map((gamma) => ({ ...alpha, ...gamma })))
}

/** What is to be compared; where the option is left out, `undefined` alone: the loss's own. The loss checks how large its own may be. */
function listOf(name: 'gammas' | 'alphas', given: unknown, known: boolean): (number | null | undefined)[] {
  if (given === undefined) return [undefined]
  if (!known) throw wrongType(name, given, `nothing, as this loss has no ${name.slice(0, -1)}`)
  const nullable = name === 'alphas'
  if (!Array.isArray(given)) throw wrongType(name, given, `an array of numbers${nullable ? ' or null' : ''}`)
  if (given.length === 0) throw new RangeError(`${name} is an empty array; expected at least one number`)
  return given.map((each: unknown, i) => (nullable && each === null ? null : number(`${name}[${i}]`, each, 0, Infinity)))
}

/** The gamma and the alpha of a loss with these options changed, as far as it has them. */
export function namedOf(options: object, change: Change): GammaAndAlpha {
  const { gamma, alpha }: Omit<GammaAndAlpha, 'gamma'> & { gamma?: unknown } = { ...options, ...change }
  return { ...(typeof gamma === 'number' && { gamma }), ...('alpha' in options && { alpha }) }
}

/** The edges of the bins, from 0 to 1. */
export function edgesOf(bins: unknown): readonly number[] {
  if (bins === undefined) return DEFAULT_EDGES
  if (typeof bins === 'number') {
    const count = integer('bins', bins, 1, MOST_BINS)
    return Array.from({ length: count + 1 }, (_, i) => i / count)
  }
  if (!Array.isArray(bins)) throw wrongType('bins', bins, 'a number or an array of edges')
  if (bins.length < 2 || bins.length > MOST_BINS + 1) throw outOfRange('bins', bins, `2 to ${MOST_BINS + 1} edges`)
  bins.forEach((edge: unknown, i) => {
    const name = `bins[${i}]`
    const value = number(name, edge, 0, 1)
    if (i === 0 && value !== 0) throw outOfRange(name, value, '0, the first edge')
    if (i === bins.length - 1 && value !== 1) throw outOfRange(name, value, '1, the last edge')
    if (i > 0 && value <= bins[i - 1]) throw outOfRange(name, value, `a number above bins[${i - 1}], ${String(bins[i - 1])}`)
  })
  return [...(bins as number[])]
}

export function integer(name: string, value: unknown, least: number, most: number): number {
  const expected = `an integer from ${least} to ${most}`
  if (typeof value !== 'number') throw wrongType(name, value, expected)
  if (!(Number.isInteger(value) && value >= least && value <= most)) throw outOfRange(name, value, expected)
  return value
}
