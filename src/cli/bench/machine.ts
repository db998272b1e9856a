/** Describes the machine of a benchmark run. */
import { availableParallelism, cpus } from 'node:os'
import { describeRuntime } from '../../environment.js'
import packageJson from '../../../package.json' with { type: 'json' }

/** What it was measured on. No name of the machine: results are published. */
export function machine() {
  return {
    version: packageJson.version,
    runtime: describeRuntime(),
    platform: `${process.platform}-${process.arch}`,
    processor: cpus().at(0)?.model.trim() ?? 'unknown',
    processors: availableParallelism(),
  }
}

export function describeMachine({ version, runtime, platform, processor, processors }: ReturnType<typeof machine>): string {
  return `focal-loss ${version}, ${runtime}, ${platform}, ${processors} x ${processor}`
}
