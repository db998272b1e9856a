/** The backend of the WebAssembly module: the same kernel, its bytes inside the package, on copies of the arrays. */
import type { Logits } from '../../arrays/logits.js'
import type { NumericArray } from '../../arrays/numeric_array.js'
import { lengthOf, partOf, setIn, tagOf } from '../../arrays/intrinsics.js'
import { checkOverlaps, type Problem, type Sums } from '../../problem/problem.js'
import type { Backend, BackendLoader } from '../backend.js'
import { BLOCK_ELEMENTS, blockRowsOf, offsets, PROBLEM_BYTES, readResult, writeProblem } from '../layout.js'
import { inTurns } from '../turns.js'
import {
  allocate,
  compileAtOnce,
  compileWithWait,
  dropInstance,
  guarded,
  type Heap,
  heapOf,
  type Instance,
  instance,
  memoryLimit,
  outOfMemory,
} from './instance.js'
import { bytesOf, point, sharesLogits } from './addresses.js'
import { withFixedLengths } from './fixed_lengths.js'
import { steps } from './steps.js'
import { describeWorkers, releasePoolMemory, runOnPool } from './worker_pool.js'
import { surplus } from '../../errors.js'

/** The kernel uses one thread, and the one instruction set it was compiled for. */
const machine = { threads: 1, isa: 0 } as const

const backend: Backend = {
  name: 'wasm',
  get description() {
    return `WebAssembly with 128-bit SIMD, 1 thread${memoryLimit()}${describeWorkers()}`
  },
  run,
  async runAsync(given, watch) {
    const problem = withFixedLengths(given)
    return (await runOnPool(problem, watch)) ?? inTurns(steps(problem, machine), watch)
  },
  blockRows: (formula, classes) => blockRowsOf(BLOCK_ELEMENTS, formula, classes),
}

/**
 * Gives the WebAssembly backend's memory back: it holds copies of the largest call's arrays. The next call gets new memory. What
 * asynchronous calls are using at the time goes when they end.
 */
export function releaseMemory(): void {
  if (arguments.length > 0) throw surplus('releaseMemory()', 0, arguments.length)
  dropInstance()
  releasePoolMemory()
}

export const wasmLoader: BackendLoader = {
  load() {
    compileAtOnce()
    return backend
  },
  async loadAsync() {
    await compileWithWait()
    return backend
  },
}

function run(given: Problem): Sums {
  const problem = withFixedLengths(given)
  checkOverlaps(problem)
  const { loss, logits, values, grad, hess } = problem
  const here = instance()
  const logitsAt = reserve(here, bytesOf(problem))
  const heap = heapOf(here)
  writeProblem(heap.problem, problem, machine)
  let at = copyIn(heap, offsets.logits, logits, logitsAt)
  at = copyIn(heap, offsets.targets, problem.targets, at)
  at = copyIn(heap, offsets.weights, problem.weights, at)
  at = copyIn(heap, offsets.mask, problem.mask, at)
  at = copyIn(heap, offsets.classPositive, loss.classTable, at)
  const valuesAt = copyIn(heap, offsets.classNegative, loss.classNegative, at)
  const hessAt = point(heap.problem, offsets.values, values, valuesAt)
  const end = point(heap.problem, offsets.hess, hess, hessAt)
  // The kernel may overwrite the logits with the gradient, so both share one copy where they are of one type
  const gradAt = sharesLogits(problem) ? logitsAt : end
  point(heap.problem, offsets.grad, grad, gradAt)

  const code = guarded(here, () => here.exports.focal_run(here.header, here.header + PROBLEM_BYTES))
  const { result, arrays } = heapOf(here)
  const sums = readResult(code, result, problem)
  copyOut(arrays, values, valuesAt)
  copyOut(arrays, grad, gradAt)
  copyOut(arrays, hess, hessAt)
  return sums
}

// Between arrays of one kind, `set` is a memmove; a view of the caller's bytes would cost a small call more than the copy
function copyIn(heap: Heap, slot: number, array: NumericArray | null, at: number): number {
  if (array !== null) {
    const all = heap.arrays[tagOf(array)]
    setIn(all, array, at / all.BYTES_PER_ELEMENT)
  }
  return point(heap.problem, slot, array, at)
}

function copyOut(arrays: Heap['arrays'], array: Logits | null, at: number): void {
  if (array === null) return
  const all = arrays[tagOf(array)]
  const first = at / all.BYTES_PER_ELEMENT
  setIn(array, partOf(all, first, first + lengthOf(array)))
}

/** The arena's address, once it has at least `bytes`. Contents are lost when it grows. */
function reserve(here: Instance, bytes: number): number {
  if (here.arena.bytes < bytes) {
    const spare = Math.max(bytes, 2 * here.arena.bytes)
    if (here.arena.pointer !== 0) here.exports.focal_free(here.arena.pointer)
    here.arena = { pointer: 0, bytes: 0 }
    for (const size of new Set([spare, bytes])) {
      const pointer = allocate(here, size)
      if (pointer !== 0) {
        here.arena = { pointer, bytes: size }
        break
      }
    }
    if (here.arena.pointer === 0) throw outOfMemory(bytes)
  }
  return here.arena.pointer
}
