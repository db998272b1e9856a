/** The backend in plain TypeScript and double precision: the readable reference, which runs everywhere. */
import { bitsDtype, holdsBits, type Logits } from '../../arrays/logits.js'
import { fromBits, type HalfDtype, toBits } from '../../arrays/half.js'
import { checkOverlaps, divisorOf, type Problem, type Sums } from '../../problem/problem.js'
import type { Backend } from '../backend.js'
import { BLOCK_ELEMENTS, blockRowsOf } from '../layout.js'
import { scan, scanSteps } from '../target_scan.js'
import { inTurns, pieces, rowPieces, STEP } from '../turns.js'
import { compute } from './rows.js'

export const jsBackend: Backend = {
  name: 'js',
  description: 'plain JavaScript in double precision',
  run,
  runAsync: (problem, watch) => inTurns(steps(problem), watch),
  blockRows: (formula, classes) => blockRowsOf(BLOCK_ELEMENTS, formula, classes),
}

function run(problem: Problem): Sums {
  checkOverlaps(problem)
  const dtype = bitsDtype(problem.logits, problem.dtype)
  if (dtype === undefined) return runNumbers(problem)
  const { length } = problem.logits
  const numbers = inNumbers(problem)
  readBits(problem, numbers, dtype, 0, length)
  const sums = runNumbers(numbers)
  writeBits(problem, numbers, dtype, 0, length)
  return sums
}

/**
 * The same, some rows at a time. A call that took these steps in one go would take 0.35 us longer, which is as long as one
 * of a few logits takes at all.
 */
function* steps(problem: Problem): Generator<void, Sums> {
  checkOverlaps(problem)
  const dtype = bitsDtype(problem.logits, problem.dtype)
  if (dtype === undefined) return yield* stepsOnNumbers(problem)
  const { length } = problem.logits
  const numbers = inNumbers(problem)
  for (const [begin, end] of pieces(length, STEP)) {
    readBits(problem, numbers, dtype, begin, end)
    yield
  }
  const sums = yield* stepsOnNumbers(numbers)
  for (const [begin, end] of pieces(length, STEP)) {
    writeBits(problem, numbers, dtype, begin, end)
    yield
  }
  return sums
}

/** Arrays whose elements are the numbers. */
function runNumbers(problem: Problem): Sums {
  const rows = problem.outer * problem.inner
  const sums = scan(problem)
  return { ...sums, sum: compute(problem, 0, rows, divisorOf(problem, sums), sums.sum) }
}

function* stepsOnNumbers(problem: Problem): Generator<void, Sums> {
  const sums = yield* scanSteps(problem)
  const divisor = divisorOf(problem, sums)
  let { sum } = sums
  for (const [begin, end] of rowPieces(problem)) {
    sum = compute(problem, begin, end, divisor, sum)
    yield
  }
  return { ...sums, sum }
}

/** A problem of half precision with room for the numbers that its bits stand for. Derivatives in float32 need none. */
function inNumbers(problem: Problem): Problem & { readonly logits: Float64Array } {
  const roomFor = (array: Logits | null) => (array !== null && holdsBits(array) ? new Float64Array(array.length) : array)
  const { logits, values, grad, hess } = problem
  return { ...problem, logits: new Float64Array(logits.length), values: roomFor(values), grad: roomFor(grad), hess: roomFor(hess) }
}

function readBits({ logits }: Problem, numbers: Problem, dtype: HalfDtype, begin: number, end: number): void {
  numbers.logits.set(fromBits((logits as Uint16Array).subarray(begin, end), dtype), begin)
}

/** Values of a softmax are fewer than logits. */
function writeBits(problem: Problem, numbers: Problem, dtype: HalfDtype, begin: number, end: number): void {
  for (const output of ['values', 'grad', 'hess'] as const) {
    const [from, to] = [numbers[output], problem[output]]
    if (from !== null && from !== to) toBits(from.subarray(begin, end) as Float64Array, dtype, to?.subarray(begin, end) as Uint16Array)
  }
}
