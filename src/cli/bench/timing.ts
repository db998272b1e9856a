/** The timing loop of the command line. The developers' benchmarks use benchmark.js, which is too much to ship. */

/** Short against a scheduler's slice, long against the clock's resolution. */
const SAMPLE_SECONDS = 0.002
const LEAST_SAMPLES = 3
/** Of the time allowed: before it the engine has not compiled everything yet. */
const WARM_UP = 1 / 4

/** Seconds per call, for about `seconds` or three samples, whichever is longer. */
export function sampleCalls(call: () => void, seconds: number): number[] {
  const start = now()
  const end = start + seconds
  while (now() < start + WARM_UP * seconds) call()
  const calls = callsPerSample(call)
  const sample: number[] = []
  while (sample.length < LEAST_SAMPLES || now() < end) sample.push(timed(call, calls) / calls)
  return sample
}

/** Grows the number of calls until they fill a sample. */
function callsPerSample(call: () => void): number {
  for (let calls = 1; ; calls *= 2) {
    const elapsed = timed(call, calls)
    if (elapsed >= SAMPLE_SECONDS) return calls
  }
}

function timed(call: () => void, calls: number): number {
  const start = now()
  for (let i = 0; i < calls; i++) call()
  return now() - start
}

function now(): number {
  return performance.now() / 1000
}
