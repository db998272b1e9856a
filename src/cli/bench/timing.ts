/** The timing loop of the command line. The developers' benchmarks use benchmark.js, which is too much to ship. */

/** Short against a scheduler's slice. */
const SAMPLE_SECONDS = 0.002
/** Ticks of the clock in a sample, at least: in Firefox and WebKit a tick may be 1 ms. */
const SAMPLE_TICKS = 20
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

/** Grows the number of calls until they fill a sample: twice, as what another program took is no part of them. */
function callsPerSample(call: () => void): number {
  const enough = Math.max(SAMPLE_SECONDS, SAMPLE_TICKS * tick())
  for (let calls = 1; ; calls *= 2) {
    if (timed(call, calls) >= enough && timed(call, calls) >= enough) return calls
  }
}

/** The least that the clock moves by. */
function tick(): number {
  let least = Infinity
  for (let k = 0; k < 3; k++) {
    const start = now()
    let later = start
    while (later === start) later = now()
    least = Math.min(least, later - start)
  }
  return least
}

function timed(call: () => void, calls: number): number {
  const start = now()
  for (let i = 0; i < calls; i++) call()
  return now() - start
}

function now(): number {
  return performance.now() / 1000
}
