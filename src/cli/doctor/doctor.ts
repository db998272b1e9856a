/** `focal-loss doctor`: which backends run here, for each that does not why, and what 'auto' chooses for which size. */
import { backends, type Calibration, calibrations, getBackend, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import packageJson from '../../../package.json' with { type: 'json' }

const variables = ['FOCAL_LOSS_BACKEND', 'FOCAL_LOSS_THREADS', 'FOCAL_LOSS_ISA', 'FOCAL_LOSS_CUDA_DEVICE']

export function doctor(json = false): string {
  const report = {
    version: packageJson.version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    environment: Object.fromEntries(variables.map((name) => [name, process.env[name] ?? null])),
    backends: backends(),
    chosen: chosen(),
    automatic: automatic(),
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
    ...report.automatic.map(lineOf),
  ].join('\n')
}

/** What 'auto' finds out on calls that are small enough to be in question; nothing where a mistake prevents it. */
function automatic(): Calibration[] {
  try {
    const losses = [new SigmoidFocalLoss({ backend: 'auto' }), new SoftmaxFocalLoss({ backend: 'auto' })]
    for (const loss of losses) {
      for (const logits of [new Float32Array(2), new Float64Array(2)]) loss.value(logits, [0, 1], { shape: [1, 2] })
    }
  } catch {
    // The line above says why
  }
  return calibrations()
}

function lineOf({ loss, dtype, backend, from, milliseconds }: Calibration): string {
  const smaller = from > 1 ? ', fewer on js' : ''
  return `auto, ${loss.padEnd(7)} ${dtype}: ${backend} from ${from} logits on${smaller} (measured in ${milliseconds.toFixed(0)} ms)`
}

/** The automatic choice, or the mistake in the environment that prevents it. */
function chosen(): string {
  try {
    return getBackend()
  } catch (error) {
    return `none (${error instanceof Error ? error.message : String(error)})`
  }
}
