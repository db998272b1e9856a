/** The benchmark of the command line, in a page: the same problems, checks, timing and medians; beside the backends a loop by hand, and WebGPU where there is one. */
import { backends, releaseMemory } from 'focal-loss'
import { type BenchCase, type Dtype, hasSize, makeProblem } from '../../../src/cli/bench/cases.js'
import { backendContender, type Contender, measureProblem } from '../../../src/cli/bench/measure.js'
import { plainFocalLoss } from '../../../bench/peers/plain_js.js'
import type { Measurement } from '../../../src/cli/bench/result.js'
import { deviceHere, measureOnGpu } from './gpu.js'

export const SIZES = [80, 800, 8000, 80_000, 800_000]

/** For each measurement: its median moves little with more. */
const SECONDS = 0.12

/** Has the loss and the type that it is written for. */
const loopCase = (benchCase: BenchCase, dtype: Dtype) => benchCase.name === 'sigmoid' && dtype === 'float32'

/** The loop that one would write by hand: numerically stable, and nothing is allocated. */
export const plainLoop: Contender = {
  who: 'plain loop',
  prepare({ logits, targets, case: { classes } }, grad) {
    return () => plainFocalLoss(logits as Float32Array, targets as Int32Array, classes, grad as Float32Array)
  },
}

export interface Progress {
  readonly share: number
  readonly elements: number
  readonly measurements: readonly Measurement[]
}

/** Yields after every measurement, so that the page can be drawn between. Throws where a backend's result is wrong. */
export async function* measureHere(benchCase: BenchCase, dtype: Dtype): AsyncGenerator<Progress> {
  const contenders = backends().flatMap(({ name, available }) => (available && (name === 'wasm' || name === 'js') ? [backendContender(name)] : []))
  if (loopCase(benchCase, dtype)) contenders.push(plainLoop)
  // Its kernels compute in float32
  const device = dtype === 'float32' ? await deviceHere() : undefined
  const sizes = SIZES.filter((size) => hasSize(benchCase, size))
  const measurements: Measurement[] = []
  const all = sizes.length * (contenders.length + (device === undefined ? 1 : 2))
  let done = 0
  try {
    for (const elements of sizes) {
      const problem = makeProblem(benchCase, dtype, elements)
      for (const measured of measureProblem(problem, contenders, SECONDS)) {
        if (measured !== null) measurements.push(measured)
        yield { share: ++done / all, elements, measurements }
        await new Promise((drawn) => setTimeout(drawn))
      }
      if (device === undefined) continue
      measurements.push(await measureOnGpu(device, problem, SECONDS))
      yield { share: ++done / all, elements, measurements }
    }
  } finally {
    device?.destroy()
    releaseMemory()
  }
}
