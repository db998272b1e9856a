/** Runs an MPI job. One that hangs is a failure. */
import { spawnSync } from 'node:child_process'
import { flagsFor } from '../../examples/data-parallel/launch.js'

/** As scripts/test-mpi.sh says: mpirun, or that of one of two MPIs. */
export const launcher = process.env.FOCAL_LOSS_TEST_MPI ?? 'mpirun'

/** On a machine with fewer cores. */
const flags = flagsFor(launcher, '--oversubscribe')

export function runJob(size: number, ...program: string[]) {
  return run(launcher, ...flags, '-n', String(size), process.execPath, ...program)
}

export function run(command: string, ...args: string[]) {
  const begin = performance.now()
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 300_000 })
  if (error !== undefined) throw error
  return { status, stdout, stderr, seconds: (performance.now() - begin) / 1000 }
}
