/** Runs an MPI job. One that hangs is a failure. */
import { spawnSync } from 'node:child_process'

/** On a machine with fewer cores, and as whoever runs it. */
const launch = [...(process.getuid?.() === 0 ? ['--allow-run-as-root'] : []), '--oversubscribe']

export function runJob(size: number, ...program: string[]) {
  const begin = performance.now()
  const { status, stdout, stderr, error } = spawnSync('mpirun', [...launch, '-n', String(size), process.execPath, ...program], { encoding: 'utf8', timeout: 90_000 })
  if (error !== undefined) throw error
  return { status, stdout, stderr, seconds: (performance.now() - begin) / 1000 }
}
