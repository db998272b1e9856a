/** A progress bar on standard error, only on a terminal. */
export interface Progress {
  note(text: string): void
  /** By what has been done since, 1 unless told. */
  advance(by?: number): void
  stop(): void
}

const WIDTH = 24
const CLEAR_LINE = '\r\x1b[2K'

export function startProgress(total: number): Progress {
  const { stderr } = process
  let done = 0
  let text = ''
  const draw = () => {
    if (!stderr.isTTY) return
    const full = Math.round((done / total) * WIDTH)
    const bar = '='.repeat(full) + '-'.repeat(WIDTH - full)
    const line = `[${bar}] ${Math.round((100 * done) / total)} %  ${text}`
    // A line that wraps could not be cleared; some terminals do not tell how wide they are
    stderr.write(CLEAR_LINE + line.slice(0, (stderr.columns || 80) - 1))
  }
  return {
    note(now) {
      text = now
      draw()
    },
    advance(by = 1) {
      done += by
      draw()
    },
    stop() {
      if (stderr.isTTY) stderr.write(CLEAR_LINE)
    },
  }
}
