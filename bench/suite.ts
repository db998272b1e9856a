/** The adapter to benchmark.js: from contestants to seconds per call. */
import Benchmark from 'benchmark'
import type { Contestant, Work } from './contestants.js'

export interface Effort {
  /** Every contestant is timed this often in turn, so that a slow minute of the machine falls on all of them. */
  readonly rounds: number
  /** For one contestant in one round. */
  readonly seconds: number
}

/** In one round: the slowest peers take seconds a call. */
const LEAST_SAMPLES = 2
/** One sample repeats the call until it takes this long. */
const SAMPLE_SECONDS = 0.02

// Else it would compile the source text of what it is given, which knows none of the variables around it
Benchmark.support.decompilation = false

/** The sample of each contestant over all rounds, in seconds per call. */
export async function timeAll(contestants: readonly Contestant[], effort: Effort, advance: (who: string) => void): Promise<number[][]> {
  const samples: number[][] = contestants.map(() => [])
  for (let round = 0; round < effort.rounds; round++) {
    const inTurn = [...contestants.entries()]
    // Every other round backwards: who comes after the slowest finds caches and processors as that one left them
    if (round % 2 === 1) inTurn.reverse()
    for (const [index, { who, begin, work }] of inTurn) {
      advance(who)
      await begin?.()
      samples[index].push(...(await time(work, effort.seconds)))
    }
  }
  return samples
}

function time(work: Work, seconds: number): Promise<number[]> {
  return work.kind === 'elsewhere' ? work.sample(seconds) : timeHere(work, seconds)
}

function timeHere(work: Exclude<Work, { kind: 'elsewhere' }>, seconds: number): Promise<number[]> {
  const deferred = work.kind === 'async'
  return new Promise((resolve, reject) => {
    const benchmark = new Benchmark({
      fn: deferred ? (deferred: Benchmark.Deferred) => void work.call().then(() => deferred.resolve(), reject) : work.call,
      defer: deferred,
      minSamples: LEAST_SAMPLES,
      minTime: SAMPLE_SECONDS,
      maxTime: seconds,
      onComplete: () => {
        const { error, stats } = benchmark
        if (error === undefined) resolve(stats.sample)
        else reject(error)
      },
    })
    benchmark.run({ async: false })
  })
}
