/** Starts jobs, with Open MPI's launcher or MPICH's. */
import { execFileSync } from 'node:child_process'

/** Debian calls the launchers `mpirun.openmpi` and `mpirun.mpich` too, and Open MPI's gives its name as it was called. */
export function isOpenMpi(launcher: string): boolean {
  return /Open MPI|OpenRTE/.test(execFileSync(launcher, ['--version'], { encoding: 'utf8' }))
}

/** Flags that Open MPI needs, with `more` of them: as root it asks twice. MPICH needs none. */
export function flagsFor(launcher: string, ...more: string[]): string[] {
  if (!isOpenMpi(launcher)) return []
  return [...(process.getuid?.() === 0 ? ['--allow-run-as-root'] : []), ...more]
}
