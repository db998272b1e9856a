/**
 * Every engine, from the packed package: `npm run test:engines -- [--quick] [--json FILE] [--only NAME,...]`.
 *
 * Golden values and random problems on every backend that an engine has, the worker pool, an aborted call, the loss of TensorFlow.js, and the command
 * line's selftest. An engine that cannot be installed is a failure with its reason. The quick form leaves out those for other platforms, whose addons are
 * compiled here first.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { type Application, makeApplication } from './application.js'
import type { Findings } from './check.js'
import { type Engine, engines } from './engines.js'

interface Row {
  readonly engine: string
  readonly version: string
  readonly date: string
  readonly findings: Findings | undefined
  readonly commandLine: 'ok' | 'none' | 'failed'
  readonly seconds: number
  readonly failures: readonly string[]
}

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, only: { type: 'string' } } })
const problems = values.quick ? 60 : 400
const wanted = values.only?.split(',').map((name) => name.trim().toLowerCase())
const chosen = engines.filter(({ name, isSlow }) => wanted?.some((one) => name.toLowerCase().startsWith(one)) ?? !(values.quick && isSlow))
if (chosen.length === 0) throw new Error(`--only ${values.only} names none of ${engines.map(({ name }) => name).join(', ')}`)

async function rowOf(engine: Engine, application: Application): Promise<Row> {
  const begin = Date.now()
  const row = { engine: engine.name, version: '', date: new Date().toISOString().slice(0, 10) }
  let [version, findings, commandLine]: [string, Findings | undefined, Row['commandLine']] = ['', undefined, 'none']
  const failures: string[] = []
  try {
    const installed = await engine.install()
    version = installed.version
    findings = await installed.check(application, problems)
    failures.push(...findings.failures, ...missing(engine, findings))
    if (installed.commandLine !== undefined) {
      const wrong = await installed.commandLine(application)
      commandLine = wrong === undefined ? 'ok' : 'failed'
      if (wrong !== undefined) failures.push(`focal-loss selftest: ${wrong}`)
    }
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error))
  }
  return { ...row, version, findings, commandLine, seconds: Math.round((Date.now() - begin) / 100) / 10, failures }
}

/** What an engine must have, and has not. */
function missing({ backends, hasWorkers, tensorflow }: Engine, findings: Findings): string[] {
  const lost = backends.filter((name) => !findings.backends.includes(name)).map((name) => `no ${name}: ${findings.reasons[name]}`)
  lost.push(...tensorflow.filter((name) => !findings.tensorflow.includes(name)).map((name) => `no backend ${name} of TensorFlow.js`))
  return hasWorkers && findings.workers !== 'same' ? [...lost, `no workers: ${findings.workers}`] : lost
}

const application = await makeApplication()
const rows: Row[] = []
try {
  for (const engine of chosen) rows.push(await rowOf(engine, application))
} finally {
  application.remove()
}

const table = new Table({ head: ['engine', 'version', 'backends', 'golden', 'random', 'workers', 'tfjs', 'selftest', 's', 'result'], style: { head: [], border: [] } })
for (const { engine, version, findings, commandLine, seconds, failures } of rows) {
  const workers = findings?.workers ?? ''
  const cells = [findings?.backends.join(' ') ?? '', findings?.golden ?? '', findings?.problems ?? '', workers.length > 12 ? 'none' : workers, findings?.tensorflow.join(' ') ?? '']
  table.push([engine, version, ...cells, commandLine, seconds, failures.length === 0 ? 'ok' : 'FAILED'])
}
console.log(table.toString())
for (const { engine, findings, failures } of rows) {
  if ((findings?.workers.length ?? 0) > 12) console.log(`${engine}: ${findings?.workers}`)
  for (const failure of failures.slice(0, 10)) console.error(`test-engines: ${engine}: ${failure}`)
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`)
process.exit(rows.every(({ failures }) => failures.length === 0) ? 0 : 1)
