/** The timing loop of the command line. The developers' benchmarks use benchmark.js, which is too much to ship. */

/** Short against a scheduler's slice, long against the clock's resolution. */
const SAMPLE_SECONDS = 0.002
const LEAST_SAMPLES = 3

/** Seconds per call, for about `seconds` or three samples, whichever is longer. */
export function sampleCalls(call: () => void, seconds: number): number[] {
  const end = now() + seconds
  const calls = callsPerSample(call)
  const sample: number[] = []
  while (sample.length < LEAST_SAMPLES || now() < end) sample.push(timed(call, calls) / calls)
  return sample
}

/** Grows the number of calls until they fill a sample; this also warms the engine's compiler up. */
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
