/** The same command in several processes, each with a share of the file: how `--threads` works. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { mergedParts, readParts } from './parts.js'
import type { Found } from './question.js'

/** For each core. More take memory and no less time. */
const MOST_PROCESSES = 2

/** This process's own command, `most` times or fewer; what one of them says on standard error is the error. */
export async function inProcesses(most: number): Promise<Found> {
  const count = Math.min(most, MOST_PROCESSES * availableParallelism())
  const folder = await mkdtemp(join(tmpdir(), 'focal-loss-'))
  try {
    const shares = Array.from({ length: count }, (_, i) => join(folder, `${i}.json`))
    await Promise.all(shares.map((path, i) => runShare(path, i, count)))
    return mergedParts(await readParts(shares))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Options that are given twice mean what they mean last. */
function runShare(path: string, index: number, count: number): Promise<void> {
  const own = [...process.execArgv, ...process.argv.slice(1)]
  const args = [...own, '--threads', '1', '--part', `${index + 1}/${count}`, '--save', path, '--json', '-']
  const child = spawn(process.execPath, withoutPages(args), { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, FOCAL_LOSS_THREADS: '1' } })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => {
      if (status === 0) resolve()
      else reject(new Error(said.trim().replace(/^focal-loss: /, '') || `part ${index + 1} of ${count} ended with status ${status}`))
    })
  })
}

/** Charts and pages are the whole's. */
function withoutPages(args: readonly string[]): string[] {
  const isPage = (arg: string) => /^--(?:svg|html)(?:=|$)/.test(arg)
  return args.filter((arg, i) => !isPage(arg) && !(i > 0 && isPage(args[i - 1]) && !args[i - 1].includes('=')))
}
