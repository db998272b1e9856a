/** Writes a problem into the bytes of cpp/problem.h's FocalProblem, and reads a FocalResult. */
import { dtypeOf, type NumericArray } from '../arrays.js'
import type { Reduction } from '../options.js'
import { badClass, badTarget, type LossConstants, type Per, type Problem, type Sums } from '../problem.js'

export const ABI = 2

/** sizeof(FocalProblem) and sizeof(FocalResult). */
export const PROBLEM_BYTES = 208
export const RESULT_BYTES = 56

/** The offsets of FocalProblem's fields. Pointers are slots of eight bytes on every machine. */
export const offsets = {
  abi: 0,
  loss: 4,
  dtype: 8,
  targetsKind: 12,
  targetsDtype: 16,
  softTargets: 20,
  reduction: 24,
  weightsPer: 28,
  weightsDtype: 32,
  maskPer: 36,
  maskDtype: 40,
  threads: 44,
  isa: 48,
  outer: 56,
  classes: 64,
  inner: 72,
  gamma: 80,
  labelSmoothing: 88,
  background: 96,
  ignoreIndex: 104,
  normalizer: 112,
  positiveWeight: 120,
  negativeWeight: 128,
  logits: 136,
  targets: 144,
  weights: 152,
  mask: 160,
  classPositive: 168,
  classNegative: 176,
  values: 184,
  grad: 192,
  hess: 200,
} as const

const status = { ok: 0, badClass: 1, badTarget: 2, outOfMemory: 3 } as const

/** An array that is not there has no element type to speak of. */
function dtypeOrNone(array: NumericArray | null): number {
  return array === null ? 0 : dtypeOf(array)
}

function perOf(array: NumericArray | null, per: Per): number {
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

export function problemBytes(memory: ArrayBuffer, at = 0): ProblemBytes {
  return {
    integers: new Int32Array(memory, at, PROBLEM_BYTES / 4),
    doubles: new Float64Array(memory, at, PROBLEM_BYTES / 8),
  }
}

/** Everything but the pointers, which stay as they are. */
export function writeProblem(to: ProblemBytes, problem: Problem, machine: Machine): void {
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
  doubles[offsets.gamma / 8] = loss.gamma
  doubles[offsets.labelSmoothing / 8] = loss.labelSmoothing
  doubles[offsets.ignoreIndex / 8] = loss.ignoreIndex
  doubles[offsets.positiveWeight / 8] = loss.positiveWeight
  doubles[offsets.negativeWeight / 8] = loss.negativeWeight
}

/** What changes from call to call. */
export function writeCall({ integers, doubles }: ProblemBytes, problem: Problem): void {
  const { weights, mask } = problem
  integers[offsets.dtype / 4] = dtypeOf(problem.logits)
  integers[offsets.targetsKind / 4] = problem.targetsKind === 'dense' ? 0 : 1
  integers[offsets.targetsDtype / 4] = dtypeOf(problem.targets)
  integers[offsets.reduction / 4] = reductionOf(problem.reduction)
  integers[offsets.weightsPer / 4] = perOf(weights, problem.weightsPer)
  integers[offsets.weightsDtype / 4] = dtypeOrNone(weights)
  integers[offsets.maskPer / 4] = perOf(mask, problem.maskPer)
  integers[offsets.maskDtype / 4] = dtypeOrNone(mask)
  doubles[offsets.outer / 8] = problem.outer
  doubles[offsets.classes / 8] = problem.classes
  doubles[offsets.inner / 8] = problem.inner
  doubles[offsets.background / 8] = problem.background
  doubles[offsets.normalizer / 8] = problem.normalizer
}

/** FocalResult's seven doubles as sums, or the error that the status stands for. */
export function readResult(code: number, result: Float64Array, problem: Problem): Sums {
  if (code !== status.ok) throw failure(code, result[5], result[6], problem)
  return { sum: result[0], elements: result[1], rows: result[2], positives: result[3] }
}

function failure(code: number, errorIndex: number, errorValue: number, problem: Problem): Error {
  if (code === status.badClass) return badClass(problem, errorIndex, errorValue)
  if (code === status.badTarget) return badTarget(problem, errorIndex, errorValue)
  if (code === status.outOfMemory) return new RangeError('the kernel ran out of memory; split the batch into smaller ones')
  return new Error(`the kernel refused the problem (status ${code}); it was built from other sources: run npm run build`)
}
