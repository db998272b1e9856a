/** `focal-loss doctor`: which backends run here, and for each that does not, the sentence that says why. */
import { backends, getBackend } from 'focal-loss'
import packageJson from '../../package.json' with { type: 'json' }

const variables = ['FOCAL_LOSS_BACKEND', 'FOCAL_LOSS_THREADS', 'FOCAL_LOSS_ISA']

export function doctor(json = false): string {
  const report = {
    version: packageJson.version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    environment: Object.fromEntries(variables.map((name) => [name, process.env[name] ?? null])),
    backends: backends(),
    chosen: chosen(),
  }
  if (json) return JSON.stringify(report, null, 2)
  const set = Object.entries(report.environment).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]))
  return [
    `focal-loss ${report.version}, Node.js ${report.node}, ${report.platform}`,
    `environment: ${set.length > 0 ? set.join(', ') : 'no FOCAL_LOSS_ variable is set'}`,
    '',
    ...report.backends.map(
      ({ name, available, description, reason }) =>
        `${available ? 'yes' : 'no '}  ${name.padEnd(7)} ${available ? description : reason}`,
    ),
    '',
    `calls run on: ${report.chosen}`,
  ].join('\n')
}

/** The automatic choice, or the mistake in the environment that prevents it. */
function chosen(): string {
  try {
    return getBackend()
  } catch (error) {
    return `none (${error instanceof Error ? error.message : String(error)})`
  }
}
