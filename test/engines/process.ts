/** Commands with a limit of time, and what they print. */
import { type ChildProcess, spawn } from 'node:child_process'

interface Setting {
  readonly folder?: string
  /** Seconds. */
  readonly limit: number
}

/** A process of its own group, so that all it starts ends with it. */
export function start([command, ...rest]: readonly string[], folder?: string): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_config_|FOCAL_LOSS_|NODE_OPTIONS$)/i.test(name))
  return spawn(command, rest, { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: Object.fromEntries(inherited) })
}

export function stop(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended
  }
}

/** What it printed to stdout. An error with all that it printed where it fails, or takes longer than allowed. */
export async function run(command: readonly string[], { folder, limit }: Setting): Promise<string> {
  const child = start(command, folder)
  let [printed, complained] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (printed += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complained += text))
  let late = false
  const timer = setTimeout(() => {
    late = true
    stop(child)
  }, limit * 1000)
  const code = await new Promise<number | string>((done) => {
    child.on('error', (error) => done(error.message))
    child.on('close', (status, signal) => done(late ? `nothing after ${limit} s` : (status ?? String(signal))))
  })
  clearTimeout(timer)
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${printed.slice(-2000)}${complained.slice(-2000)}`)
  return printed
}
