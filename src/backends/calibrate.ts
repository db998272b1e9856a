/** What a small call costs here, measured once: from how many logits on the fast backend beats the plain one. */
import type { LossConstants } from '../constants.js'
import type { Problem } from '../problem.js'
import type { Backend } from './backend.js'

export type Clock = () => number

/** The type of logits. */
export type Dtype = 'float32' | 'float64'

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

/** Smaller calls on arrays of the host are never worth a GPU's while: copies start in microseconds, and end in as many as this. */
export const GPU_LEAST = 2 ** 18
/** The other end of the line that is measured. */
const GPU_LARGE = 2 ** 20
/** In milliseconds; a call that has begun by then is waited for. */
export const GPU_BUDGET = 60
/** What a GPU must gain, as a share: timings of copies vary. */
const GPU_DOUBT = 1.1

/**
 * The least number of logits at which a call on arrays of the host costs less on `gpu` than on `fast`, copies included; Infinity
 * where it never does, and where the clock said `end` before that was known.
 */
export function gpuCrossover(gpu: Backend, fast: Backend, loss: LossConstants, dtype: Dtype, clock: Clock, end: number): number {
  const problems = [problemOf(loss, dtype, GPU_LEAST), problemOf(loss, dtype, GPU_LARGE)]
  // The first call finds out what the others need
  gpu.run(problems[1])
  const [[gpuSmall, gpuLarge], [fastSmall, fastLarge]] = leastTimes([gpu, fast], problems, clock, end)
  if (![gpuSmall, gpuLarge, fastSmall, fastLarge].every(Number.isFinite)) return Infinity
  if (gpuSmall * GPU_DOUBT < fastSmall && gpuLarge * GPU_DOUBT < fastLarge) return GPU_LEAST
  // Where the lines cross: none where the GPU's is the steeper one
  const gain = fastLarge - fastSmall - GPU_DOUBT * (gpuLarge - gpuSmall)
  const behind = GPU_DOUBT * gpuSmall - fastSmall
  if (!(gain > 0 && behind > 0)) return Infinity
  return Math.ceil(GPU_LEAST + (behind / gain) * (GPU_LARGE - GPU_LEAST))
}

/** The least time of a call, by backend and problem; Infinity for what was not reached before the end. */
function leastTimes(backends: readonly Backend[], problems: readonly Problem[], clock: Clock, end: number): number[][] {
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

function problemOf(loss: LossConstants, dtype: Dtype, size: number): Problem {
  const filled = (value: number) => (dtype === 'float32' ? new Float32Array(size) : new Float64Array(size)).fill(value)
  const { perRow } = loss.formula
  return {
    // Weights per class would have to be as many as classes
    loss: { ...loss, classPositive: null, classNegative: null },
    logits: filled(0.5),
    dtype: dtype === 'float32' ? 0 : 1,
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
    leastHess: -Infinity,
    sumBefore: 0,
    device: null,
  }
}
