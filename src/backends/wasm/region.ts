/** What an asynchronous call of the WebAssembly backend has of the memory: its problem, its result, its run, its arrays. */
import type { Logits } from '../../arrays/logits.js'
import { kinds } from '../../arrays/kinds.js'
import type { NumericArray } from '../../arrays/numeric_array.js'
import { bufferOf, byteLengthOf, byteOffsetOf, lengthOf, setIn, tagOf } from '../../arrays/intrinsics.js'
import type { Problem, Sums } from '../../problem/problem.js'
import { type Machine, offsets, PROBLEM_BYTES, problemBytes, readResult, RESULT_BYTES, status, writeProblem } from '../layout.js'
import { allocate, guarded, type Instance, outOfMemory } from './instance.js'
import { bytesOf, point, sharesLogits } from './addresses.js'

/** A problem, its result, the address of its run, and 64 bytes for workers. */
const HEADER = Math.ceil((PROBLEM_BYTES + RESULT_BYTES + 8 + 64) / 64) * 64

/** Bytes that are copied a step, at some GB a second. */
const PIECE = 2 ** 18

/** An array and its address in the memory. */
type Placed<A> = readonly [array: A, at: number]

/** The bytes of an array that threads share, and their address in the memory. */
export interface SharedBytes {
  readonly buffer: SharedArrayBuffer
  readonly from: number
  readonly bytes: number
  readonly at: number
}

/** To be freed, however the call ends. Between two of its steps other calls may come, and the memory may grow. */
export class Region {
  readonly here: Instance
  /** The address of the run that {@link begin} has begun. */
  run = 0
  /** The address of the result. */
  readonly result: number
  /** The address of {@link HEADER}'s bytes for workers, 0 at the beginning. */
  readonly control: number
  readonly #problem: Problem
  readonly #at: number
  #inputs: readonly Placed<NumericArray>[]
  #outputs: readonly Placed<Logits>[]

  constructor(here: Instance, problem: Problem, machine: Machine) {
    const bytes = HEADER + bytesOf(problem)
    const at = allocate(here, bytes)
    if (at === 0) throw outOfMemory(bytes)
    this.here = here
    this.#problem = problem
    this.#at = at
    this.result = at + PROBLEM_BYTES
    this.control = this.result + RESULT_BYTES + 8
    new Uint8Array(here.memory.buffer, this.control, 64).fill(0)
    const to = problemBytes(here.memory.buffer, at)
    to.integers.fill(0)
    writeProblem(to, problem, machine)
    let end = at + HEADER
    const placed = <A extends NumericArray>(entries: [slot: number, array: A | null][]): Placed<A>[] =>
      entries.flatMap(([slot, array]) => {
        if (array === null) return []
        const start = end
        end = point(to, slot, array, start)
        return [[array, start]]
      })
    const { loss, logits, targets, weights, mask, values, grad, hess } = problem
    this.#inputs = placed<NumericArray>([
      [offsets.logits, logits],
      [offsets.targets, targets],
      [offsets.weights, weights],
      [offsets.mask, mask],
      [offsets.classPositive, loss.classTable],
      [offsets.classNegative, loss.classNegative],
    ])
    const outputs = placed<Logits>([
      [offsets.values, values],
      [offsets.hess, hess],
    ])
    if (grad !== null) {
      // As in a synchronous call, on the logits where they are of one type
      const [[, logitsAt]] = this.#inputs
      const gradAt = sharesLogits(problem) ? logitsAt : end
      point(to, offsets.grad, grad, gradAt)
      outputs.push([grad, gradAt])
    }
    this.#outputs = outputs
  }

  *copyIn(): Generator<void, void> {
    for (const [array, at] of this.#inputs) yield* copy(this.here, array, at, 'in')
  }

  *copyOut(): Generator<void, void> {
    for (const [array, at] of this.#outputs) yield* copy(this.here, array, at, 'out')
  }

  /** Leaves the copies of arrays in shared memory to those that get these lists. */
  takeShared(): { readonly inputs: readonly SharedBytes[]; readonly outputs: readonly SharedBytes[] } {
    const [inputs, outputs] = [this.#inputs.flatMap(sharedBytes), this.#outputs.flatMap(sharedBytes)]
    this.#inputs = this.#inputs.filter(isOwn)
    this.#outputs = this.#outputs.filter(isOwn)
    return { inputs, outputs }
  }

  begin(): void {
    const slot = this.result + RESULT_BYTES
    const code = guarded(this.here, () => this.here.exports.focal_begin(this.#at, slot))
    if (code !== status.ok) this.read(code)
    ;[this.run] = new Uint32Array(this.here.memory.buffer, slot, 1)
  }

  /** Throws what is wrong with the arrays' values, once all parts are counted. */
  finishScan(): void {
    this.read(guarded(this.here, () => this.here.exports.focal_finish_scan(this.run, this.result)))
  }

  /** The sums, once all blocks are computed. */
  finish(): Sums {
    return this.read(guarded(this.here, () => this.here.exports.focal_finish(this.run, this.result)))
  }

  free(): void {
    if (this.here.broken) return
    if (this.run !== 0) this.here.exports.focal_end(this.run)
    this.here.exports.focal_free(this.#at)
  }

  /** The result as sums, or the error that the status stands for. */
  read(code: number): Sums {
    return readResult(code, new Float64Array(this.here.memory.buffer, this.result, RESULT_BYTES / 8), this.#problem)
  }
}

function sharedBytes([array, at]: Placed<NumericArray>): SharedBytes[] {
  const buffer = bufferOf(array)
  return isSharedBuffer(buffer) ? [{ buffer, from: byteOffsetOf(array), bytes: byteLengthOf(array), at }] : []
}

function isOwn([array]: Placed<NumericArray>): boolean {
  return !isSharedBuffer(bufferOf(array))
}

/** Also of one of another realm. */
function isSharedBuffer(buffer: ArrayBufferLike): buffer is SharedArrayBuffer {
  return Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]'
}

function* copy(here: Instance, array: NumericArray, at: number, direction: 'in' | 'out'): Generator<void, void> {
  const Kind = kinds[tagOf(array)]
  const size = Kind.BYTES_PER_ELEMENT
  for (let from = 0; from < lengthOf(array); from += PIECE / size) {
    const count = Math.min(PIECE / size, lengthOf(array) - from)
    const theirs = new Kind(bufferOf(array), byteOffsetOf(array) + from * size, count)
    const ours = new Kind(here.memory.buffer, at + from * size, count)
    if (direction === 'in') setIn(ours, theirs)
    else setIn(theirs, ours)
    yield
  }
}
