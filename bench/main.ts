/** The developers' benchmarks: every backend, memcpy and the peers in one run. `npm run bench -- --help` */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SingleBar } from 'cli-progress'
import { Command, Option } from 'commander'
import { backends } from 'focal-loss'
import { type BenchCase, cases, type Dtype, dtypes } from '../src/cli/bench/cases.js'
import { namesOf, parseLosses, parseSeconds, parseSizes } from '../src/cli/bench/command.js'
import { describeMachine, machine } from '../src/cli/bench/machine.js'
import { chart } from './chart.js'
import { cliffCases, fastRoads } from './cliff_cases.js'
import { cliffTable, libraryIn, runCliffs } from './cliffs.js'
import { type OursName, oursNames } from './contestants.js'
import { type PeerName, peerLoaders, peerNames } from './peers/index.js'
import type { Peer } from './peers/peer.js'
import { autoExcesses, ownRatios, peerRatios } from './ratios.js'
import { type Plan, run, stepsOf } from './run.js'
import { tablesOf } from './tables.js'

interface Options {
  readonly quick?: boolean
  readonly cliffs?: boolean
  readonly against?: string
  readonly losses: readonly BenchCase[]
  readonly sizes: readonly number[]
  readonly dtypes: readonly Dtype[]
  readonly backends: readonly OursName[]
  readonly peers: readonly PeerName[]
  readonly seconds: number
  readonly rounds?: number
  readonly json?: string
  readonly svg?: string
}

const SIZES = [80, 960, 96_000, 1_000_000, 16_000_000]
const ROUNDS = 3
const CLIFFS = { size: 960_000, seconds: 0.001, repeats: 5, rounds: 7 }
/** A look at whether everything works; its numbers are good for nothing. */
const QUICK_CLIFFS = { size: 9_600, seconds: 0, repeats: 1, rounds: 1 }
const QUICK = { sizes: [960, 96_000], seconds: 0.05, rounds: 1 }
const FIXED: readonly OursName[] = ['native-1', 'native', 'wasm', 'js']

function parseOptions(): Options {
  const list = (flags: string, text: string, known: readonly string[], all: readonly string[]) =>
    new Option(flags, `${text}: ${known.join(', ')}`).argParser((value) => namesOf(value, known)).default(all, all.join(','))
  return new Command('npm run bench --')
    .description('Times every backend, memcpy and other libraries on the same problems, after checking their results.')
    .option('--quick', `sizes ${QUICK.sizes.join(',')} and almost no time: shows that it works, not how fast`)
    .option('--cliffs', 'instead: calls beside the fast road, as ratios to it; takes --quick, --backends, --rounds and --json')
    .option('--against <folder>', 'with --cliffs: also the ratio to another built checkout')
    .addOption(new Option('--losses <names>', cases.map(({ name }) => name).join(', ')).argParser(parseLosses).default(cases, 'all'))
    .addOption(new Option('--sizes <numbers>', 'logits in a call').argParser(parseSizes).default(SIZES, SIZES.join(',')))
    .addOption(list('--dtypes <names>', 'types of the logits', dtypes, dtypes))
    .addOption(list('--backends <names>', 'native-1 is native with one thread', oursNames, FIXED))
    .addOption(
      new Option('--peers <names>', `${peerNames.join(', ')}, or none`)
        .argParser((value) => (value === 'none' ? [] : namesOf(value, peerNames)))
        .default(peerNames, 'all'),
    )
    .option('--seconds <number>', 'for one contestant in one round', parseSeconds, 0.5)
    .option('--rounds <number>', `how often all are timed in turn (default: ${ROUNDS}; ${CLIFFS.rounds} with --cliffs)`, (text) => parseSizes(text)[0])
    .option('--json <file>', 'where the results go (default: bench/results, unless --quick)')
    .option('--svg <file>', 'where the chart goes (default: beside the results)')
    .allowExcessArguments(false)
    .parse()
    .opts<Options>()
}

/** Those that run here, and for each that does not, the line that says why. */
async function loadPeers(names: readonly PeerName[]): Promise<{ peers: Peer[]; missing: string[] }> {
  const peers: Peer[] = []
  const missing: string[] = []
  for (const name of names) {
    const loaded = await peerLoaders[name]()
    if ('missing' in loaded) missing.push(loaded.missing)
    else peers.push(...loaded)
  }
  return { peers, missing }
}

/** bench/results/<date>-<machine>, without an ending. */
function defaultPath(): string {
  const { processor, processors } = machine()
  const name = `${processors}x-${processor}`.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/-+$/, '')
  return fileURLToPath(new URL(`results/${new Date().toISOString().slice(0, 10)}-${name}`, import.meta.url))
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  console.log(`written: ${file}`)
}

async function cliffs({ quick = false, against, backends: who, rounds, json }: Options): Promise<void> {
  const other = against === undefined ? undefined : await libraryIn(against)
  const effort = quick ? QUICK_CLIFFS : { ...CLIFFS, ...(rounds !== undefined && { rounds }) }
  const names = who.filter((name) => name === 'native-1' || name === 'native' || name === 'wasm')
  console.log(describeMachine(machine()))
  const bar = new SingleBar({ format: '[{bar}] {percentage} % | {what}', barsize: 24, clearOnComplete: true })
  bar.start(names.length * (cliffCases.length + fastRoads.length), 0, { what: '' })
  const rows = await runCliffs({ cases: cliffCases, who: names, ...effort, other }, (what) => bar.increment(1, { what }))
  bar.stop()
  console.log(cliffTable(rows))
  if (json !== undefined) write(json, `${JSON.stringify({ date: new Date().toISOString(), machine: machine(), effort, rows }, null, 2)}\n`)
}

async function main(): Promise<void> {
  const options = parseOptions()
  if (options.cliffs === true) return cliffs(options)
  const { quick = false } = options
  const { sizes, seconds, rounds = ROUNDS } = quick ? QUICK : options
  const { peers, missing } = await loadPeers(options.peers)
  const { losses, dtypes } = options
  const plan: Plan = { losses, sizes, dtypes, ours: options.backends, peers, effort: { seconds, rounds } }

  console.log(describeMachine(machine()))
  for (const { name, available, description, reason } of backends()) console.log(`${name}: ${available ? description : reason}`)
  for (const line of missing) console.log(line)

  const bar = new SingleBar({ format: '[{bar}] {percentage} % | {eta_formatted} left | {what}', barsize: 24, clearOnComplete: true })
  bar.start(stepsOf(plan), 0, { what: '' })
  const { rows, failures } = await run(plan, (what) => bar.increment(1, { what }))
  bar.stop()
  for (const peer of peers) peer.close?.()

  console.log(`\n${tablesOf(rows)}`)
  for (const { message } of failures) console.log(`not timed: ${message}`)
  const json = options.json ?? (quick ? undefined : `${defaultPath()}.json`)
  const svg = options.svg ?? json?.replace(/(\.json)?$/, '.svg')
  if (json !== undefined) {
    const ratios = { peers: peerRatios(rows), own: ownRatios(rows), auto: autoExcesses(rows) }
    const effort = { seconds, rounds }
    const content = { date: new Date().toISOString(), machine: machine(), backends: backends(), effort, missing, failures, ratios, rows }
    write(json, `${JSON.stringify(content, null, 2)}\n`)
  }
  if (svg !== undefined) write(svg, await chart(rows))
  // A peer may be wrong, we may not
  if (failures.some(({ role }) => role === 'ours')) process.exitCode = 1
}

try {
  await main()
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}
