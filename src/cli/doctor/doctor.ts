/** `focal-loss doctor`: which backends run here, for each that does not why, and what 'auto' chooses for which size. */
import { type BackendInfo, type BackendName, backends, type Calibration, calibrations, getBackend, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { describeRuntime, environment } from '../../environment.js'
import { reasonOf } from '../../errors.js'
import { terminalWidth, wrapped } from '../output/wrap.js'
import packageJson from '../../../package.json' with { type: 'json' }

const variables = ['FOCAL_LOSS_BACKEND', 'FOCAL_LOSS_THREADS', 'FOCAL_LOSS_ISA', 'FOCAL_LOSS_CUDA_DEVICE']

/** What to print, and whether calls can run. */
export function doctor(json = false): { text: string; healthy: boolean } {
  const { backend, mistake } = chosen()
  const report: Report = {
    version: packageJson.version,
    runtime: describeRuntime(),
    platform: `${process.platform}-${process.arch}`,
    environment: Object.fromEntries(variables.map((name) => [name, environment(name) ?? null])),
    backends: backends(),
    chosen: backend,
    mistake,
    automatic: automatic(),
  }
  return { text: json ? JSON.stringify(report, null, 2) : textOf(report, terminalWidth()), healthy: backend !== null }
}

interface Report {
  readonly version: string
  readonly runtime: string
  readonly platform: string
  readonly environment: Readonly<Record<string, string | null>>
  readonly backends: readonly BackendInfo[]
  /** What calls run on; `mistake` says why there is none. */
  readonly chosen: BackendName | null
  readonly mistake: string | null
  readonly automatic: readonly Calibration[]
}

function textOf({ version, runtime, platform, environment, backends, chosen, mistake, automatic }: Report, width: number): string {
  const set = Object.entries(environment).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]))
  const missing = backends.filter(({ available }) => !available)
  const paragraphs = [
    [`focal-loss ${version}, ${runtime}, ${platform}`, `environment: ${set.length > 0 ? set.join(', ') : 'no FOCAL_LOSS_ variable is set'}`],
    backends.map(({ name, available, description, reason }) => `${available ? 'yes' : 'no '}  ${name.padEnd(7)} ${shortened(available ? description : briefly(reason), width - 13)}`),
    [`calls run on: ${chosen ?? (missing.some(({ reason }) => reason === mistake) ? 'none, for the reason below' : `none, as ${mistake}`)}`, ...automatic.map(lineOf)],
    missing.map(({ name, reason }) => `${name}: ${reason}`),
  ]
  return paragraphs
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.flatMap((line) => wrapped(line, width, 4)).join('\n'))
    .join('\n\n')
}

/** What is wrong, without what to do: that is told below. */
function briefly(reason: string): string {
  return reason.split(/ \(|; |\. |\.$/)[0]
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 3)}...` : text
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

/** The backend that calls run on, or what prevents it: a mistake in the environment, or that none runs. */
function chosen(): { backend: BackendName | null; mistake: string | null } {
  try {
    return { backend: getBackend(), mistake: null }
  } catch (error) {
    return { backend: null, mistake: reasonOf(error) }
  }
}
