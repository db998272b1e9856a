/** Divides a problem into blocks whose results fit the cache. */
import type { NumericArray } from '../../arrays/numeric_array.js'
import type { Problem } from '../../problem/problem.js'

/** Logits in a block; at least one slice of the outermost axis. */
const BLOCK = 1 << 14

/** The problem as smaller ones, in whole slices of the outermost axis. */
export function* blocksOf(whole: Problem): Generator<Problem> {
  const { outer, classes, inner, logits, targets, targetsKind, weights, weightsPer, mask, maskPer } = whole
  const slice = classes * inner
  if (slice === 0) return
  const step = Math.max(1, Math.floor(BLOCK / slice))
  const rowsOr = (perRow: boolean) => (perRow ? inner : slice)
  for (let from = 0; from < outer; from += step) {
    const to = Math.min(outer, from + step)
    const cut = <T extends NumericArray>(array: T, each: number) => array.subarray(from * each, to * each) as T
    yield {
      ...whole,
      outer: to - from,
      logits: cut(logits, slice),
      targets: cut(targets, rowsOr(targetsKind === 'class-index')),
      weights: weights && cut(weights, rowsOr(weightsPer === 'row')),
      mask: mask && cut(mask, rowsOr(maskPer === 'row')),
    }
  }
}

