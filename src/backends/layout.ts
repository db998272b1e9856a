/** Writes a problem into the bytes of cpp/problem.h's FocalProblem, and reads a FocalResult. */
import { type AnyArray, dtypeOf } from '../arrays/logits.js'
import type { LossConstants } from '../problem/constants.js'
import type { Formula } from '../formulas/formula.js'
import type { Reduction } from '../problem/options.js'
import { type AnyProblem, badClass, badProbability, badRow, badTarget, type Per, type Sums } from '../problem/problem.js'

export const ABI = 8

/** FOCAL_BLOCK_ELEMENTS: how many losses are added up before blocks are. */
export const BLOCK_ELEMENTS = 4032

/** Rows that fill whole blocks of so many losses: an element-wise loss's blocks know no rows. */
export function blockRowsOf(elements: number, { perRow }: Formula, classes: number): number {
  return perRow ? Math.max(1, Math.floor(elements / classes)) : elements / greatestCommonDivisor(elements, classes)
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

const integers = [
  'abi',
  'loss',
  'dtype',
  'targetsKind',
  'targetsDtype',
  'softTargets',
  'reduction',
  'weightsPer',
  'weightsDtype',
  'maskPer',
  'maskDtype',
  'threads',
  'isa',
  'constantModulator',
  'inputs',
  'gradDtype',
  'hessDtype',
  'flags',
] as const

const doubles = [
  'outer',
  'classes',
  'inner',
  'gamma',
  'gammaNegative',
  'beta',
  'margin',
  'labelSmoothing',
  'background',
  'ignoreIndex',
  'normalizer',
  'gradScale',
  'positiveFrom',
  'leastHess',
  'positiveWeight',
  'negativeWeight',
  'sumBefore',
] as const

const pointers = [
  'logits',
  'targets',
  'weights',
  'mask',
  'classPositive',
  'classNegative',
  'values',
  'grad',
  'hess',
  'cancelled',
] as const

type Field = (typeof integers)[number] | (typeof doubles)[number] | (typeof pointers)[number]

/** The offsets of FocalProblem's fields, in their order. Pointers are slots of eight bytes on every machine. */
export const offsets = Object.fromEntries([
  ...integers.map((field, i) => [field, 4 * i]),
  ...[...doubles, ...pointers].map((field, i) => [field, 4 * integers.length + 8 * i]),
]) as Readonly<Record<Field, number>>

/** sizeof(FocalProblem) and sizeof(FocalResult). */
export const PROBLEM_BYTES = 4 * integers.length + 8 * (doubles.length + pointers.length)
export const RESULT_BYTES = 56

/** FocalFlags. */
const flags = { ignoreNan: 1, renormalize: 2, classGammas: 4 } as const

/** FocalStatus. */
export const status = { ok: 0, badClass: 1, badTarget: 2, outOfMemory: 3, badProblem: 4, cancelled: 5, badProbability: 6, badRow: 7 } as const

/** An array that is not there has no element type to speak of. */
function dtypeOrNone(array: AnyArray | null): number {
  return array === null ? 0 : dtypeOf(array)
}

function perOf(array: AnyArray | null, per: Per): number {
  return array === null ? 0 : per === 'row' ? 1 : 2
}

function reductionOf(reduction: Reduction): number {
  switch (reduction) {
    case 'mean':
      return 1
    case 'mean-rows':
      return 2
    case 'mean-positives':
      return 3
    default:
      // The kernel fills `values` whatever the reduction, so 'none' is a sum to it
      return 0
  }
}

/** How the kernel is to run: at most `threads` (0: as many as there are), on entry `isa - 1` of its list (0: the best). */
export interface Machine {
  readonly threads: number
  readonly isa: number
}

/** The bytes of a FocalProblem as its two kinds of numbers. Little-endian, as every machine is that has a kernel. */
export interface ProblemBytes {
  readonly integers: Int32Array
  readonly doubles: Float64Array
}

export function problemBytes(memory: ArrayBufferLike, at = 0): ProblemBytes {
  return {
    integers: new Int32Array(memory, at, PROBLEM_BYTES / 4),
    doubles: new Float64Array(memory, at, PROBLEM_BYTES / 8),
  }
}

/** Everything but the pointers, which stay as they are. */
export function writeProblem(to: ProblemBytes, problem: AnyProblem, machine: Machine): void {
  writeConstants(to, problem.loss, machine)
  writeCall(to, problem)
}

/** What all calls of a loss have in common. */
export function writeConstants({ integers, doubles }: ProblemBytes, loss: LossConstants, machine: Machine): void {
  integers[offsets.abi / 4] = ABI
  integers[offsets.loss / 4] = loss.formula.code
  integers[offsets.softTargets / 4] = loss.softTargets === 'linear' ? 0 : 1
  integers[offsets.threads / 4] = machine.threads
  integers[offsets.isa / 4] = machine.isa
  integers[offsets.constantModulator / 4] = loss.constantModulator ? 1 : 0
  integers[offsets.inputs / 4] = loss.inputs === 'logits' ? 0 : 1
  doubles[offsets.gamma / 8] = loss.gamma
  doubles[offsets.gammaNegative / 8] = loss.gammaNegative
  doubles[offsets.beta / 8] = loss.beta
  doubles[offsets.margin / 8] = loss.margin
  doubles[offsets.labelSmoothing / 8] = loss.labelSmoothing
  doubles[offsets.ignoreIndex / 8] = loss.ignoreIndex ?? NaN
  integers[offsets.flags / 4] = (Number.isNaN(loss.ignoreIndex) ? flags.ignoreNan : 0) + (loss.renormalize ? flags.renormalize : 0) + (loss.classGamma === null ? 0 : flags.classGammas) + (loss.formula.flags ?? 0)
  doubles[offsets.positiveWeight / 8] = loss.positiveWeight
  doubles[offsets.negativeWeight / 8] = loss.negativeWeight
}

/** What changes from call to call. */
export function writeCall({ integers, doubles }: ProblemBytes, problem: AnyProblem): void {
  const { weights, mask } = problem
  integers[offsets.dtype / 4] = problem.dtype
  integers[offsets.gradDtype / 4] = problem.gradDtype
  integers[offsets.hessDtype / 4] = problem.hessDtype
  integers[offsets.targetsKind / 4] = problem.targetsKind === 'labels' ? 0 : 1
  integers[offsets.targetsDtype / 4] = problem.targetsDtype
  integers[offsets.reduction / 4] = reductionOf(problem.reduction)
  integers[offsets.weightsPer / 4] = perOf(weights, problem.weightsPer)
  integers[offsets.weightsDtype / 4] = dtypeOrNone(weights)
  integers[offsets.maskPer / 4] = perOf(mask, problem.maskPer)
  integers[offsets.maskDtype / 4] = dtypeOrNone(mask)
  doubles[offsets.outer / 8] = problem.outer
  doubles[offsets.classes / 8] = problem.classes
  doubles[offsets.inner / 8] = problem.inner
  doubles[offsets.background / 8] = problem.background
  doubles[offsets.positiveFrom / 8] = problem.positiveFrom
  doubles[offsets.normalizer / 8] = problem.normalizer
  doubles[offsets.gradScale / 8] = problem.gradScale
  doubles[offsets.leastHess / 8] = problem.leastHess
  doubles[offsets.sumBefore / 8] = problem.sumBefore
}

/** FocalResult's seven doubles as sums, or the error that the status stands for. */
export function readResult(code: number, result: Float64Array, problem: AnyProblem): Sums {
  if (code !== status.ok) throw failure(code, result[5], result[6], problem)
  return { sum: result[0], elements: result[1], rows: result[2], positives: result[3] }
}

function failure(code: number, errorIndex: number, errorValue: number, problem: AnyProblem): Error {
  if (code === status.badClass) return badClass(problem, errorIndex, errorValue)
  if (code === status.badTarget) return badTarget(problem, errorIndex, errorValue)
  if (code === status.badProbability) return badProbability(errorIndex, errorValue)
  if (code === status.badRow) return badRow(errorIndex, errorValue, problem.dtype, problem.loss.renormalize)
  if (code === status.outOfMemory) return new RangeError('the kernel ran out of memory; split the batch into smaller ones')
  return new Error(`the kernel refused the problem (status ${code}); it was built from other sources: run npm run build`)
}
