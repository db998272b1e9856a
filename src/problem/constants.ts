/** The options of a loss as formulas and backends take them: made once, with the loss. */
import { counted } from '../errors.js'
import type { Formula, Parameters } from '../formulas/formula.js'
import type { FocalResolved, Inputs, OptionRules, Reading, Reduction, ResolvedOptions } from './options.js'

/** What stays the same from call to call of one loss object. */
export interface LossConstants extends ClassWeighting, Parameters, Reading {
  readonly formula: Formula
  readonly inputs: Inputs
  readonly labelSmoothing: number
  /** NaN: none. */
  readonly background: number | 'num-classes'
  /** `null`: none; NaN: targets that are NaN. */
  readonly ignoreIndex: number | null
  /** The same of positions, whose labels are NaN then. */
  readonly ignoredPosition: number | null
  /** Gamma, where classes have one each: then there are `classPositive` and `classNegative`, too. */
  readonly classGamma: Float64Array | null
  /** The same as parameters, for formulas. */
  readonly classParameters: readonly Parameters[] | null
  /** The same for kernels: `classPositive`, and behind it the gammas. */
  readonly classTable: Float64Array | null
}

/** FOCAL_LARGEST_POWER: what gammas and beta are taken down to, which changes no loss. */
export const LARGEST_POWER = 1e15

/** FOCAL_LEAST_STAR_GAMMA: focal star is over its gamma, and below this it would leave the range of float32. */
export const LEAST_STAR_GAMMA = 1e-20

/** The parameters of class `c`. */
export function parametersOf(loss: LossConstants, c: number): Parameters {
  return loss.classParameters === null ? loss : loss.classParameters[c]
}

export function constantsOf<O extends object>(options: ResolvedOptions<Reduction, O>, rules: OptionRules<O>, formula: Formula): LossConstants {
  const { inputs, classWeights, background, ignoreIndex } = options
  const { alpha = null, posWeight = null, labelSmoothing = 0, gamma = 0, gammaNegative = 0, beta = 0, margin = 0, positionTargets = false, ...others } = rules.parameters(options)
  const classGamma = typeof gamma === 'number' ? null : Float64Array.from(gamma, (each) => Math.min(each, LARGEST_POWER))
  const weighting = classWeighting({ alpha, classWeights, posWeight, gamma }, rules.balance ?? (() => [1, 1]))
  const constants: LossConstants = {
    formula,
    inputs,
    gamma: Math.min(typeof gamma === 'number' ? gamma : gamma[0], LARGEST_POWER),
    gammaNegative: Math.min(gammaNegative, LARGEST_POWER),
    beta: Math.min(beta, LARGEST_POWER),
    margin,
    constantModulator: false,
    softTargets: 'linear',
    renormalize: false,
    positiveFrom: formula.positiveFrom,
    oneFrom: 1,
    positionTargets,
    ...others,
    labelSmoothing,
    background: background ?? NaN,
    ignoreIndex: positionTargets && ignoreIndex !== null ? NaN : ignoreIndex,
    ignoredPosition: positionTargets ? ignoreIndex : null,
    ...weighting,
    classGamma,
    classTable: classGamma === null || weighting.classPositive === null ? weighting.classPositive : joined(weighting.classPositive, classGamma),
    classParameters: null,
  }
  return classGamma === null ? constants : { ...constants, classParameters: Array.from(classGamma, (each) => ({ ...constants, gamma: each })) }
}

function joined(first: Float64Array, second: Float64Array): Float64Array {
  const both = new Float64Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

/** Weights of positives and negatives: numbers, or one per class. */
interface ClassWeighting {
  readonly positiveWeight: number
  readonly negativeWeight: number
  /** Length `classes`, instead of the numbers. */
  readonly classPositive: Float64Array | null
  readonly classNegative: Float64Array | null
  /** The first option that has an entry per class, for messages. */
  readonly perClassOption: string | null
  /** Whether a logit of an element-wise loss stands for the same posterior in all classes: class weights weigh positives and negatives alike. */
  readonly isOneScale: boolean
}

/** What weighs the loss of a class: a number, one per class, or nothing. */
interface Weighting {
  readonly alpha: FocalResolved['alpha']
  readonly classWeights: FocalResolved['alpha']
  readonly posWeight: FocalResolved['alpha']
  /** Which weighs nothing, but where there is one per class, there are weights per class. */
  readonly gamma: FocalResolved['gamma']
}

/** All of them multiplied. `balance` says what alpha is to positives and negatives. */
function classWeighting({ alpha, classWeights, posWeight, gamma }: Weighting, balance: (alpha: number) => readonly [number, number]): ClassWeighting {
  const weightsOf = (c: number): readonly [number, number] => {
    const each = at(alpha, c)
    const weight = at(classWeights, c) ?? 1
    const [positive, negative] = each === null ? [1, 1] : balance(each)
    return [positive * weight * (at(posWeight, c) ?? 1), negative * weight]
  }
  const first = firstPerClass({ gamma, alpha, classWeights, posWeight })
  if (first === undefined) {
    const [positiveWeight, negativeWeight] = weightsOf(0)
    return { positiveWeight, negativeWeight, classPositive: null, classNegative: null, perClassOption: null, isOneScale: true }
  }
  const perClass = (which: 0 | 1) => Float64Array.from({ length: first.length }, (_, c) => weightsOf(c)[which])
  return { positiveWeight: 1, negativeWeight: 1, classPositive: perClass(0), classNegative: perClass(1), perClassOption: first.name, isOneScale: firstPerClass({ gamma, alpha, classWeights: null, posWeight }) === undefined }
}

/** The first list among them; all are as long. */
function firstPerClass(weighting: Weighting): { readonly name: string; readonly length: number } | undefined {
  let first: { readonly name: string; readonly length: number } | undefined
  for (const [name, value] of Object.entries(weighting) as [string, FocalResolved['alpha']][]) {
    if (typeof value !== 'object' || value === null) continue
    first ??= { name, length: value.length }
    if (value.length !== first.length) throw new RangeError(`${name} has ${counted(value.length, 'entry', 'entries')}; expected one per class, and ${first.name} has ${first.length}`)
  }
  return first
}

function at(value: number | readonly number[] | null, c: number): number | null {
  return typeof value === 'object' && value !== null ? value[c] : value
}
