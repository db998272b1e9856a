/** Measures small calls once: from how many logits the fast backend is faster than the plain one. */
import { dtypeOf } from '../arrays/logits.js'
import type { LossConstants } from '../problem/constants.js'
import type { Problem } from '../problem/problem.js'
import type { Backend, Dtype } from './backend.js'

export type Clock = () => number

/** Calls as large as this are never in question: the plain backend takes 20 ns a logit where it is fastest. */
export const DECIDED = 128

/** Two sizes make a line: what a call costs anyway, and what each logit adds. */
const SMALL = 1
const LARGE = 64

/** In milliseconds. With the loading of WebAssembly before it, the first call waits less than 50. */
export const BUDGET = 30
/** Of one backend on one size. Turns alternate, so that code compiled in the background is there for the later ones. */
const TURN = 0.1
/** What the plain backend must gain on a call, in milliseconds: else noise would choose between equals, now this and now that. */
const DOUBT = 1e-4

/**
 * The least number of logits at which a call costs less on `fast` than on `plain`. Both are timed on loss and gradient of
 * labels per logit until the clock, in milliseconds, says `end`; what was not timed by then counts for `fast`.
 */
export function crossover(fast: Backend, plain: Backend, loss: LossConstants, dtype: Dtype, clock: Clock, end: number): number {
  const problems = [problemOf(loss, dtype, SMALL), problemOf(loss, dtype, LARGE)]
  const [ofFast, ofPlain] = leastTimes([fast, plain], problems, clock, end).map(([small, large]) => {
    const each = Math.max(0, (large - small) / (LARGE - SMALL))
    return { anyway: small - each * SMALL, each }
  })
  for (let logits = 1; logits < DECIDED; logits++) {
    const cheaperOnPlain = ofPlain.anyway + ofPlain.each * logits + DOUBT < ofFast.anyway + ofFast.each * logits
    if (!cheaperOnPlain) return logits
  }
  return DECIDED
}

/** The least time of a call, by backend and problem; Infinity for what was not reached before the end. */
export function leastTimes(backends: readonly Backend[], problems: readonly Problem[], clock: Clock, end: number): number[][] {
  const least = backends.map(() => problems.map(() => Infinity))
  let now = clock()
  while (now < end) {
    for (const [row, backend] of backends.entries()) {
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

/** A call on labels per logit, or on the index of one row's class where the loss takes no labels: loss and gradient. */
export function problemOf(loss: LossConstants, dtype: Dtype, size: number): Problem {
  const filled = (value: number) => (dtype === 'float32' ? new Float32Array(size) : new Float64Array(size)).fill(value)
  const { formula } = loss
  const takesLabels = !(formula.perRow && formula.indicesOnly === true)
  const targets = takesLabels ? filled(0.5) : Int32Array.of(0)
  const code = dtypeOf(filled(0))
  return {
    // Weights per class would have to be as many as classes
    loss: { ...loss, classPositive: null, classNegative: null, classGamma: null, classTable: null, classParameters: null },
    logits: filled(0.5),
    dtype: code,
    gradDtype: code,
    hessDtype: code,
    targets,
    targetsDtype: dtypeOf(targets),
    targetsKind: takesLabels ? 'labels' : 'class-index',
    positions: null,
    outer: formula.perRow ? 1 : size,
    classes: formula.perRow ? size : 1,
    inner: 1,
    background: NaN,
    positiveFrom: loss.positiveFrom,
    oneFrom: 1,
    reduction: 'sum',
    normalizer: NaN,
    weights: null,
    weightsPer: 'row',
    mask: null,
    maskPer: 'row',
    values: null,
    grad: filled(0),
    hess: null,
    gradScale: 1,
    leastHess: -Infinity,
    sumBefore: 0,
    device: null,
  }
}
