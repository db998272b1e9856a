/** Which parts of our code have run, as V8 counts them block by block: it needs no build of its own, and runs on every Node.js. */
import { type Profiler, Session } from 'node:inspector'

/** For each script, a 1 for each character of it that has run. */
export type Run = ReadonlyMap<string, Uint8Array>

/** Counts from when it is made, which has to be before anything runs, in the scripts whose address contains `part`. */
export class Coverage {
  readonly #part: string
  readonly #session = new Session()
  readonly #ever = new Map<string, Uint8Array>()

  constructor(part: string) {
    this.#part = part
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true })
  }

  /** What has run since the last call. */
  take(): Run {
    let scripts: readonly Profiler.ScriptCoverage[] = []
    this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error !== null) throw error
      scripts = taken.result
    })
    return new Map(scripts.filter(({ url }) => url.includes(this.#part)).map(({ url, functions }) => [url, painted(functions)]))
  }

  /** Where blocks begin in a run that had run in none that was kept. */
  newIn(run: Run): readonly Place[] {
    const places: Place[] = []
    for (const [script, ran] of run) {
      const ever = this.#ever.get(script)
      let before = false
      for (let at = 0; at < ran.length; at++) {
        const isNew = ran[at] === 1 && ever?.[at] !== 1
        if (isNew && !before) places.push({ script, at })
        before = isNew
      }
    }
    return places
  }

  keep(run: Run): void {
    for (const [script, ran] of run) {
      const before = this.#ever.get(script) ?? new Uint8Array(0)
      const ever = new Uint8Array(Math.max(before.length, ran.length))
      ever.set(before)
      for (let at = 0; at < ran.length; at++) ever[at] |= ran[at]
      this.#ever.set(script, ever)
    }
  }

  /** Characters that have run in what was kept. */
  get reached(): number {
    let sum = 0
    for (const ever of this.#ever.values()) for (const each of ever) sum += each
    return sum
  }
}

export interface Place {
  readonly script: string
  readonly at: number
}

export function reaches(run: Run, places: readonly Place[]): boolean {
  return places.every(({ script, at }) => run.get(script)?.[at] === 1)
}

/** Functions and blocks come after those that they are in, which they overrule. */
function painted(functions: readonly Profiler.FunctionCoverage[]): Uint8Array {
  const ranges = functions.flatMap((each) => each.ranges)
  const ran = new Uint8Array(Math.max(0, ...ranges.map(({ endOffset }) => endOffset)))
  for (const { startOffset, endOffset, count } of ranges) ran.fill(Math.min(1, count), startOffset, endOffset)
  return ran
}
