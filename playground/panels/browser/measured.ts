/** The benchmark of the command line, in a page: the same problems, checks, timing and medians. */
import { backends, releaseMemory } from 'focal-loss'
import { type BenchCase, type Dtype, hasSize, makeProblem } from '../../../src/cli/bench/cases.js'
import { measureProblem } from '../../../src/cli/bench/measure.js'
import type { Measurement } from '../../../src/cli/bench/result.js'

export const SIZES = [80, 800, 8000, 80_000, 800_000]

/** For each measurement: its median moves little with more. */
const SECONDS = 0.12

export interface Progress {
  readonly share: number
  readonly elements: number
  readonly measurements: readonly Measurement[]
}

/** Yields after every measurement, so that the page can be drawn between. Throws where a backend's result is wrong. */
export async function* measureHere(benchCase: BenchCase, dtype: Dtype): AsyncGenerator<Progress> {
  const names = backends().flatMap(({ name, available }) => (available ? [name] : []))
  const sizes = SIZES.filter((size) => hasSize(benchCase, size))
  const measurements: Measurement[] = []
  const all = sizes.length * (names.length + 1)
  let done = 0
  try {
    for (const elements of sizes) {
      for (const measured of measureProblem(makeProblem(benchCase, dtype, elements), names, SECONDS)) {
        if (measured !== null) measurements.push(measured)
        yield { share: ++done / all, elements, measurements }
        await new Promise((drawn) => setTimeout(drawn))
      }
    }
  } finally {
    releaseMemory()
  }
}
