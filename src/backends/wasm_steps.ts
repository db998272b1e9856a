/** The asynchronous calls of the WebAssembly backend, step by step. */
import type { Logits, NumericArray } from '../arrays.js'
import { tagOf } from '../intrinsics.js'
import { checkOverlaps, type Problem, type Sums } from '../problem.js'
import { type Machine, offsets, PROBLEM_BYTES, problemBytes, readResult, RESULT_BYTES, status, writeProblem } from './layout.js'
import { allocate, guarded, type Instance, instance, kinds, outOfMemory } from './wasm_instance.js'
import { bytesOf, point } from './wasm_places.js'

/** A problem, its result, and the address of its run. */
const HEADER = Math.ceil((PROBLEM_BYTES + RESULT_BYTES + 8) / 64) * 64

/** Bytes that are copied a step, at some GB a second. */
const PIECE = 2 ** 20

/**
 * The same in steps. The call has a region of the memory to itself: its problem, its result, where its run is, its arrays.
 * Between two steps other calls may come, and the memory may grow.
 */
export function* steps(problem: Problem, machine: Machine): Generator<void, Sums> {
  checkOverlaps(problem)
  const here = instance()
  const bytes = HEADER + bytesOf(problem)
  const region = allocate(here, bytes)
  if (region === 0) throw outOfMemory(bytes)
  const result = region + PROBLEM_BYTES
  const slot = result + RESULT_BYTES
  let run = 0
  try {
    const { inputs, outputs } = writeProblemAt(here, region, problem, machine)
    for (const [array, at] of inputs) yield* copy(here, array, at, 'in')
    let code = guarded(here, () => here.exports.focal_begin(region, slot))
    if (code === status.ok) {
      ;[run] = new Uint32Array(here.exports.memory.buffer, slot, 1)
      while ((code = guarded(here, () => here.exports.focal_step(run, result))) === status.unfinished) yield
    }
    const sums = readResult(code, new Float64Array(here.exports.memory.buffer, result, RESULT_BYTES / 8), problem)
    for (const [array, at] of outputs) yield* copy(here, array, at, 'out')
    return sums
  } finally {
    if (!here.broken) {
      if (run !== 0) here.exports.focal_end(run)
      here.exports.focal_free(region)
    }
  }
}

/** An array and its place in the memory. */
type Placed<A> = readonly [array: A, at: number]

function writeProblemAt(here: Instance, region: number, problem: Problem, machine: Machine) {
  const to = problemBytes(here.exports.memory.buffer, region)
  to.integers.fill(0)
  writeProblem(to, problem, machine)
  let end = region + HEADER
  const place = <A extends NumericArray>(entries: [slot: number, array: A | null][]): Placed<A>[] =>
    entries.flatMap(([slot, array]) => {
      if (array === null) return []
      const at = end
      end = point(to, slot, array, at)
      return [[array, at]]
    })
  const { loss, logits, targets, weights, mask, values, grad, hess } = problem
  const inputs = place<NumericArray>([
    [offsets.logits, logits],
    [offsets.targets, targets],
    [offsets.weights, weights],
    [offsets.mask, mask],
    [offsets.classPositive, loss.classPositive],
    [offsets.classNegative, loss.classNegative],
  ])
  const outputs = place<Logits>([
    [offsets.values, values],
    [offsets.hess, hess],
  ])
  if (grad !== null) {
    // As in a synchronous call, on the logits
    const [[, at]] = inputs
    point(to, offsets.grad, grad, at)
    outputs.push([grad, at])
  }
  return { inputs, outputs } as const
}

function* copy(here: Instance, array: NumericArray, at: number, direction: 'in' | 'out'): Generator<void, void> {
  const tag = tagOf(array)
  const size = array.BYTES_PER_ELEMENT
  for (let from = 0; from < array.length; from += PIECE / size) {
    const count = Math.min(PIECE / size, array.length - from)
    const theirs = new kinds[tag](array.buffer, array.byteOffset + from * size, count)
    const ours = new kinds[tag](here.exports.memory.buffer, at + from * size, count)
    if (direction === 'in') ours.set(theirs)
    else theirs.set(ours)
    yield
  }
}
