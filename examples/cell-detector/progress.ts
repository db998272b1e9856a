import { SingleBar } from 'cli-progress'

export interface Progress {
  advance(note?: string): void
  stop(): void
}

/** Between two lines where there is no terminal to draw a bar on. */
const LINE_EVERY_MS = 10_000

/** A bar on a terminal; plain lines now and then where the output goes to a file or a pipe. */
export function startProgress(label: string, total: number): Progress {
  return process.stdout.isTTY ? startBar(label, total) : startLines(label, total)
}

function startBar(label: string, total: number): Progress {
  const bar = new SingleBar({ format: `${label} [{bar}] {percentage} % | {eta_formatted} left{note}`, etaBuffer: 50, barsize: 24, hideCursor: true })
  bar.start(total, 0, { note: '' })
  return {
    advance: (note) => bar.increment(1, note === undefined ? {} : { note: ` | ${note}` }),
    stop: () => bar.stop(),
  }
}

function startLines(label: string, total: number): Progress {
  const started = performance.now()
  let done = 0
  let lastLine = started
  const print = (note: string | undefined): void => {
    const elapsed = (performance.now() - started) / 1000
    const left = Math.round((elapsed / done) * (total - done))
    console.log(`${label}: ${Math.floor((100 * done) / total)} %, ${Math.round(elapsed)} s gone, about ${left} s left${note === undefined ? '' : `, ${note}`}`)
  }
  return {
    advance: (note) => {
      done++
      const now = performance.now()
      if (done < total && now - lastLine < LINE_EVERY_MS) return
      lastLine = now
      print(note)
    },
    stop: () => undefined,
  }
}
