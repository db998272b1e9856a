/** Arrays of the host as a device takes them, in float32, and as it gives them back: slice by slice of a problem. */
import { fromBits, toBits } from '../../arrays/half.js'
import { bufferOf, lengthOf, setIn, tagOf } from '../../arrays/intrinsics.js'
import { bitsDtype, FLOAT32, FLOAT64, type Logits } from '../../arrays/logits.js'
import type { NumericArray } from '../../arrays/numeric_array.js'
import { clamp, rangeOf, within } from '../../formulas/number_range.js'
import type { Per, Problem } from '../../problem/problem.js'

/** A part of a problem: of the outer index from `outer` on, and of the inner one, all of whose range it has where there are several outers. */
export interface Slice {
  readonly outer: number
  readonly outers: number
  readonly inner: number
  readonly inners: number
}

/** Slices of at most `most` rows. */
export function* slicesOf({ outer, inner }: Problem, most: number): Generator<Slice> {
  const [outers, inners] = inner <= most ? [Math.floor(most / inner), inner] : [1, most]
  for (let o = 0; o < outer; o += outers) {
    for (let i = 0; i < inner; i += inners) yield { outer: o, outers: Math.min(outers, outer - o), inner: i, inners: Math.min(inners, inner - i) }
  }
}

/** Where a slice's numbers lie in an array that has one per row or per element: begin, and length, of each piece. */
function* piecesOf({ classes, inner }: Problem, slice: Slice, per: Per): Generator<readonly [begin: number, length: number]> {
  const each = per === 'row' ? 1 : classes
  if (slice.inners === inner) yield [slice.outer * each * inner, slice.outers * each * inner]
  else for (let c = 0; c < each; c++) yield [(slice.outer * each + c) * inner + slice.inner, slice.inners]
}

/** The numbers of a slice, each piece read by `read`; those of the caller's memory where WebGPU may have it as it is. */
function gathered(problem: Problem, slice: Slice, array: NumericArray | Uint16Array, per: Per, read?: (piece: NumericArray) => ArrayLike<number>): Float32Array<ArrayBuffer> {
  const pieces = [...piecesOf(problem, slice, per)].map(([begin, length]) => array.subarray(begin, begin + length))
  const [first] = pieces
  if (pieces.length === 1 && read === undefined && isPlain(first)) return first
  const to = new Float32Array(pieces.reduce((sum, piece) => sum + lengthOf(piece), 0))
  let at = 0
  for (const piece of pieces) {
    setIn(to, read === undefined ? piece : read(piece), at)
    at += lengthOf(piece)
  }
  return to
}

/** Neither shared among threads nor resizable, which WebGPU refuses. */
function isPlain(array: NumericArray): array is Float32Array<ArrayBuffer> {
  const buffer = bufferOf(array) as ArrayBuffer & { readonly resizable?: boolean }
  return tagOf(array) === 'Float32Array' && Object.prototype.toString.call(buffer) === '[object ArrayBuffer]' && buffer.resizable !== true
}

/** The problem with logits that the target scan reads: of probabilities it looks at every one. */
export function scannable(problem: Problem): Problem {
  const { logits, dtype, loss } = problem
  const bits = bitsDtype(logits, dtype)
  return bits === undefined || loss.inputs === 'logits' ? problem : { ...problem, logits: fromBits(logits as Uint16Array, bits) }
}

/** The input arrays of a slice, by the names that kernels have for them. */
export function inputsOf(problem: Problem, slice: Slice): Readonly<Record<string, Float32Array<ArrayBuffer>>> {
  const { logits, dtype, weights, weightsPer, mask, maskPer } = problem
  const bits = bitsDtype(logits, dtype)
  return {
    logits: gathered(problem, slice, logits, 'element', bits && ((piece) => fromBits(piece as Uint16Array, bits))),
    ...targetsOf(problem, slice),
    ...(weights && { weights: gathered(problem, slice, weights, weightsPer) }),
    // What is so small that a device may flush it to 0 keeps an element, too
    ...(mask && { mask: gathered(problem, slice, mask, maskPer, (piece) => Uint8Array.from(piece, (kept) => Number(kept !== 0))) }),
  }
}

/** Labels of other types than float32 are put right here, as each type rounds in its own way. In double precision 1 minus them has digits of its own. */
function targetsOf(problem: Problem, slice: Slice): Readonly<Record<string, Float32Array<ArrayBuffer>>> {
  const { targets, targetsDtype, targetsKind, loss, oneFrom } = problem
  if (targetsKind === 'class-index') return { targets: gathered(problem, slice, targets, 'row') }
  if (targetsDtype === FLOAT32) return { targets: gathered(problem, slice, targets, 'element') }
  const labelOf = (y: number) => (Number.isNaN(y) || y === loss.ignoreIndex ? y : y >= oneFrom ? 1 : clamp(y))
  const labels = (of: (y: number) => number) => gathered(problem, slice, targets, 'element', (piece) => Float32Array.from(piece, of))
  return { targets: labels(labelOf), ...(targetsDtype === FLOAT64 && !loss.formula.perRow && { rests: labels((y) => 1 - labelOf(y)) }) }
}

/** Writes numbers of a device into an array of the caller's. */
export function scatter(problem: Problem, slice: Slice, from: Float32Array, to: Logits, dtype: number, per: Per): void {
  const bits = bitsDtype(to, dtype)
  let numbers: Float32Array | Uint16Array = from
  if (bits !== undefined) {
    numbers = new Uint16Array(lengthOf(from))
    const range = problem.loss.inputs === 'probabilities' ? rangeOf(dtype) : null
    toBits(Float64Array.from(from, (number) => (range === null ? number : within(range, number))), bits, numbers)
  }
  let at = 0
  for (const [begin, length] of piecesOf(problem, slice, per)) {
    setIn(to, numbers.subarray(at, at + length), begin)
    at += length
  }
}
