/** Writes a problem into the bytes of cpp/problem.h's FocalProblem, and reads a FocalResult. */
import { type NumericArray } from '../arrays.js'
import { tagOf } from '../errors.js'
import { badClass, badTarget, type Per, type Problem, type Sums } from '../problem.js'

export const ABI = 1

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

const dtypes: Record<string, number> = {
  Float32Array: 0,
  Float64Array: 1,
  Int8Array: 2,
  Uint8Array: 3,
  Uint8ClampedArray: 3,
  Int16Array: 4,
  Uint16Array: 5,
  Int32Array: 6,
  Uint32Array: 7,
}

// The kernel fills `values` whatever the reduction, so 'none' is a sum to it
const reductions = { none: 0, sum: 0, mean: 1, 'mean-rows': 2, 'mean-positives': 3 } as const

const status = { ok: 0, badClass: 1, badTarget: 2, outOfMemory: 3 } as const

function dtypeOf(array: NumericArray | null): number {
  return array === null ? 0 : dtypes[tagOf(array)]
}

function perOf(array: NumericArray | null, per: Per): number {
  return array === null ? 0 : per === 'row' ? 1 : 2
}

/** How the kernel is to run: at most `threads` (0: as many as there are), on entry `isa - 1` of its list (0: the best). */
export interface Machine {
  readonly threads: number
  readonly isa: number
}

/** Everything but the pointers, which stay as they are: the addon fills them in itself. */
export function writeProblem(view: DataView, problem: Problem, machine: Machine): void {
  const { loss, logits, targets, weights, mask } = problem
  const integer = (offset: number, value: number) => view.setInt32(offset, value, true)
  const double = (offset: number, value: number) => view.setFloat64(offset, value, true)
  integer(offsets.abi, ABI)
  integer(offsets.loss, loss.formula.code)
  integer(offsets.dtype, dtypeOf(logits))
  integer(offsets.targetsKind, problem.targetsKind === 'dense' ? 0 : 1)
  integer(offsets.targetsDtype, dtypeOf(targets))
  integer(offsets.softTargets, loss.softTargets === 'linear' ? 0 : 1)
  integer(offsets.reduction, reductions[problem.reduction])
  integer(offsets.weightsPer, perOf(weights, problem.weightsPer))
  integer(offsets.weightsDtype, dtypeOf(weights))
  integer(offsets.maskPer, perOf(mask, problem.maskPer))
  integer(offsets.maskDtype, dtypeOf(mask))
  integer(offsets.threads, machine.threads)
  integer(offsets.isa, machine.isa)
  double(offsets.outer, problem.outer)
  double(offsets.classes, problem.classes)
  double(offsets.inner, problem.inner)
  double(offsets.gamma, loss.gamma)
  double(offsets.labelSmoothing, loss.labelSmoothing)
  double(offsets.background, problem.background)
  double(offsets.ignoreIndex, loss.ignoreIndex)
  double(offsets.normalizer, problem.normalizer)
  double(offsets.positiveWeight, loss.positiveWeight)
  double(offsets.negativeWeight, loss.negativeWeight)
}

/** FocalResult's seven doubles as sums, or the error that the status stands for. */
export function readResult(code: number, result: Float64Array, problem: Problem): Sums {
  if (code === status.ok) return { sum: result[0], elements: result[1], rows: result[2], positives: result[3] }
  const errorIndex = result[5]
  const errorValue = result[6]
  if (code === status.badClass) throw badClass(problem, errorIndex, errorValue)
  if (code === status.badTarget) throw badTarget(problem, errorIndex, errorValue)
  if (code === status.outOfMemory) throw new RangeError('the kernel ran out of memory; split the batch into smaller ones')
  throw new Error(`the kernel refused the problem (status ${code}); it was built from other sources: run npm run build`)
}
