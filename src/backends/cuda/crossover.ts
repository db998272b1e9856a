/** Measures large calls on arrays in host memory on a GPU, copies included: from how many logits it is faster than the CPU. */
import type { LossConstants } from '../../problem/constants.js'
import type { Formula } from '../../formulas/formula.js'
import type { Problem } from '../../problem/problem.js'
import type { Backend, Calibration, Dtype } from '../backend.js'
import { type Clock, leastTimes, problemOf } from '../calibrate.js'

/** Smaller calls are never worth a GPU's while: copies begin in microseconds, in which the host computes as many logits. */
export const GPU_LEAST = 2 ** 18
/** The other end of the line that is measured. */
const LARGE = 2 ** 20
/** In milliseconds; a call that has begun by then is waited for. */
export const GPU_BUDGET = 60
/** What a GPU must gain, as a share: timings of copies vary. */
const DOUBT = 1.1

/**
 * The least number of logits at which a call costs less on `gpu` than on `fast`; Infinity where it never does, and where the
 * clock said `end` before that was known.
 */
export function gpuCrossover(gpu: Backend, fast: Backend, loss: LossConstants, dtype: Dtype, clock: Clock, end: number): number {
  const problems = [problemOf(loss, dtype, GPU_LEAST), problemOf(loss, dtype, LARGE)]
  // The first call finds out what the others need
  gpu.run(problems[1])
  const [[gpuSmall, gpuLarge], [fastSmall, fastLarge]] = leastTimes([gpu, fast], problems, clock, end)
  if (![gpuSmall, gpuLarge, fastSmall, fastLarge].every(Number.isFinite)) return Infinity
  if (gpuSmall * DOUBT < fastSmall && gpuLarge * DOUBT < fastLarge) return GPU_LEAST
  // Where the lines cross: none where the GPU's is the steeper one
  const gain = fastLarge - fastSmall - DOUBT * (gpuLarge - gpuSmall)
  const behind = DOUBT * gpuSmall - fastSmall
  if (!(gain > 0 && behind > 0)) return Infinity
  return Math.ceil(GPU_LEAST + (behind / gain) * (LARGE - GPU_LEAST))
}

/** What has been found out about a GPU, by type of logits and loss. */
export class GpuCrossovers {
  readonly #known = { float32: new Map<Formula, Calibration>(), float64: new Map<Formula, Calibration>() } as const

  get all(): Calibration[] {
    return [...this.#known.float32.values(), ...this.#known.float64.values()]
  }

  /** Whether a call on the host's arrays should run on `gpu`. Measured when that is first asked. */
  pays(gpu: Backend, fast: Backend, { loss, logits }: Problem): boolean {
    // Half precision goes at half the price over the bus and is dear to the host; nobody has measured it
    if (logits.length < GPU_LEAST || logits.BYTES_PER_ELEMENT === 2) return false
    const dtype = logits.BYTES_PER_ELEMENT === 4 ? 'float32' : 'float64'
    let found = this.#known[dtype].get(loss.formula)
    if (found === undefined) {
      const clock = () => performance.now()
      const begin = clock()
      const from = gpuCrossover(gpu, fast, loss, dtype, clock, begin + GPU_BUDGET)
      found = { loss: loss.formula.name, dtype, backend: gpu.name, from, milliseconds: clock() - begin }
      this.#known[dtype].set(loss.formula, found)
    }
    return logits.length >= found.from
  }
}
