/** What a call costs on each backend here, measured once, and from how many logits on each of them is the cheapest. */
import type { LossConstants, Problem } from '../problem.js'
import type { Backend } from './backend.js'

type Clock = () => number

export type Dtype = 'float32' | 'float64'

/** Calls of `from` logits, up to the next step's, run on this backend. */
export interface Step {
  readonly from: number
  readonly backend: Backend
}

/** Calls as large as this go to the first candidate, measured or not: what a logit costs outweighs what a call does. */
export const DECIDED = 1024

/** Two sizes make a line: what a call costs anyway, and what each logit adds. */
const SMALL = 1
const LARGE = 256

/** In milliseconds, the loading of the addon and of WebAssembly included. */
export const BUDGET = 40
/** Of one backend on one size. Turns alternate, so that code compiled in the background is there for the later ones. */
const TURN = 0.1
/** What a later candidate must gain on the one before it: else noise would choose between equals, now this and now that. */
const DOUBT = 5e-5

/**
 * Which candidate serves which sizes, the first from 1. The candidates, the fastest on large problems first, are timed
 * on loss and gradient of labels per logit until the clock, in milliseconds, says `end`. One alone is not timed.
 */
export function calibrate(candidates: readonly Backend[], loss: LossConstants, dtype: Dtype, clock: Clock, end: number): Step[] {
  if (candidates.length === 1) return [{ from: 1, backend: candidates[0] }]
  const problems = [problemOf(loss, dtype, SMALL), problemOf(loss, dtype, LARGE)]
  const lines = leastTimes(candidates, problems, clock, end).map(([small, large], place) => {
    const each = Math.max(0, (large - small) / (LARGE - SMALL))
    return { backend: candidates[place], anyway: small - each * SMALL + place * DOUBT, each }
  })
  const steps: Step[] = []
  for (let from = 1; from < DECIDED; ) {
    const best = lines.reduce((a, b) => (b.anyway + b.each * from < a.anyway + a.each * from ? b : a))
    if (best.backend !== steps.at(-1)?.backend) steps.push({ from, backend: best.backend })
    const crossings = lines
      .filter(({ each }) => each < best.each)
      .map(({ anyway, each }) => Math.floor((anyway - best.anyway) / (best.each - each)) + 1)
    from = Math.max(from + 1, Math.min(DECIDED, ...crossings))
  }
  if (steps.at(-1)?.backend !== candidates[0]) steps.push({ from: DECIDED, backend: candidates[0] })
  return steps
}

/** The least time of a call, by candidate and problem; Infinity for what was not reached before the end. */
function leastTimes(candidates: readonly Backend[], problems: readonly Problem[], clock: Clock, end: number): number[][] {
  const least = candidates.map(() => problems.map(() => Infinity))
  let now = clock()
  while (now < end) {
    for (const [row, backend] of candidates.entries()) {
      for (const [column, problem] of problems.entries()) {
        const begin = now
        let calls = 0
        while (now < Math.min(begin + TURN, end)) {
          backend.run(problem)
          calls++
          now = clock()
        }
        if (calls > 0) least[row][column] = Math.min(least[row][column], (now - begin) / calls)
      }
    }
  }
  return least
}

function problemOf(loss: LossConstants, dtype: Dtype, size: number): Problem {
  const filled = (value: number) => (dtype === 'float32' ? new Float32Array(size) : new Float64Array(size)).fill(value)
  const { perRow } = loss.formula
  return {
    // Weights per class would have to be as many as classes
    loss: { ...loss, classPositive: null, classNegative: null },
    logits: filled(0.5),
    targets: filled(0.5),
    targetsKind: 'dense',
    outer: perRow ? 1 : size,
    classes: perRow ? size : 1,
    inner: 1,
    background: NaN,
    reduction: 'sum',
    normalizer: NaN,
    weights: null,
    weightsPer: 'row',
    mask: null,
    maskPer: 'row',
    values: null,
    grad: filled(0),
    hess: null,
  }
}
