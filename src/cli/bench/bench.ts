/** `focal-loss bench`: how fast each backend is here, in less than a minute. */
import { writeFileSync } from 'node:fs'
import { type BackendName, backends, releaseMemory } from 'focal-loss'
import { type BenchCase, cases, type Dtype, hasSize, makeProblem } from './cases.js'
import { chart } from './chart.js'
import { describeMachine, machine } from './machine.js'
import { backendContender, measureProblem } from './measure.js'
import { measuredCells, measuredHead, type Measurement } from './result.js'
import { significant } from '../output/numbers.js'
import { startProgress } from '../output/progress.js'
import { alignColumns } from '../output/table.js'

export interface BenchOptions {
  readonly losses: readonly BenchCase[]
  readonly sizes: readonly number[]
  readonly dtypes: readonly Dtype[]
  /** `undefined`: all that run here. */
  readonly backends: readonly BackendName[] | undefined
  /** For all measurements together. */
  readonly seconds: number
  readonly json?: true
  readonly svg?: string
}

/** Returns what to print. Throws where a backend's result is wrong: then its speed means nothing. */
export function bench(options: BenchOptions): string {
  const names = options.backends ?? backends().flatMap(({ name, available }) => (available ? [name] : []))
  const contenders = names.map(backendContender)
  const planned = options.losses.flatMap((loss) =>
    options.dtypes.flatMap((dtype) =>
      options.sizes.filter((size) => hasSize(loss, size)).map((size) => ({ loss, dtype, size })),
    ),
  )
  const each = options.seconds / (planned.length * (names.length + 1))
  const progress = startProgress(planned.length * (names.length + 1))
  const measurements: Measurement[] = []
  try {
    for (const { loss, dtype, size } of planned) {
      progress.note(`${loss.name}, ${dtype}, ${significant(size)} logits`)
      for (const measured of measureProblem(makeProblem(loss, dtype, size), contenders, each)) {
        if (measured !== null) measurements.push(measured)
        progress.advance()
      }
    }
  } finally {
    progress.stop()
    releaseMemory()
  }
  if (options.svg !== undefined) writeFileSync(options.svg, chart(measurements))
  const run = { machine: machine(), date: new Date().toISOString(), backends: backends(), measurements }
  return options.json ? JSON.stringify(run, null, 2) : report(run)
}

function report(run: { machine: ReturnType<typeof machine>; measurements: readonly Measurement[]; backends: ReturnType<typeof backends> }): string {
  const lines = [describeMachine(run.machine)]
  for (const { name, available, description } of run.backends) if (available) lines.push(`${name}: ${description}`)
  for (const { name, title } of cases) {
    const rows = run.measurements.filter(({ loss }) => loss === name)
    if (rows.length === 0) continue
    const cells = rows.map((row) => [row.dtype, significant(row.elements), row.who, ...measuredCells(row)])
    lines.push('', title, ...alignColumns([['type', 'logits', 'backend', ...measuredHead], ...cells], 3))
  }
  lines.push('', 'Loss and gradient in one call, medians; results were checked before they were timed.')
  return lines.join('\n')
}
