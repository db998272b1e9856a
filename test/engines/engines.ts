/** The engines: where each comes from, and how it runs the check. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Application } from './application.js'
import { type Browser, browsers } from './browsers.js'
import type { Findings } from './check.js'
import { run } from './process.js'
import { runEdge } from './workerd.js'

export interface Engine {
  readonly name: string
  /** What it must have: less is a failure, and not a slower pass. */
  readonly backends: readonly string[]
  readonly hasWorkers: boolean
  /** Installs it, where it is not there. Throws why it cannot be. */
  install(): Promise<Installed>
}

export interface Installed {
  readonly version: string
  check(application: Application, problems: number): Promise<Findings>
  /** What is wrong with the command line; undefined where nothing is, or there is none in this engine. */
  commandLine?(application: Application): Promise<string | undefined>
}

/** An engine that is a command, of a package of npm's. */
interface Command {
  readonly name: string
  readonly from: string
  readonly version: string
  /** Its file in the package. */
  readonly file: string
  readonly flags: readonly string[]
}

const folder = fileURLToPath(new URL('../../build/engines/', import.meta.url))
const { platform, arch } = process

const commands: readonly Command[] = [
  ...['20.20.2', '22.23.5', '24.22.3', '26.12.1'].map((version) => ({
    name: `Node.js ${version.split('.')[0]}`,
    from: `node-${platform}-${arch}`,
    version,
    file: 'bin/node',
    flags: [],
  })),
  { name: 'Bun', from: `@oven/bun-${platform}-${arch === 'arm64' ? 'aarch64' : arch}`, version: '1.4.5', file: 'bin/bun', flags: [] },
  { name: 'Deno', from: `@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`, version: '2.9.6', file: 'deno', flags: ['run', '--allow-all'] },
]

async function installed(from: string, version: string, file: string): Promise<string> {
  const own = join(folder, `${from.replace('/', '+')}@${version}`)
  const there = join(own, 'node_modules', from)
  const has = existsSync(join(there, 'package.json')) && (JSON.parse(readFileSync(join(there, 'package.json'), 'utf8')) as { version: string }).version === version
  if (!has) await run(['npm', 'install', '--prefix', own, '--ignore-scripts', '--no-audit', '--no-fund', `${from}@${version}`], { limit: 300 })
  return join(there, file)
}

function ofCommand({ name, from, version, file, flags }: Command): Engine {
  return {
    name,
    backends: ['native', 'wasm', 'js'],
    hasWorkers: true,
    async install() {
      const binary = await installed(from, version, file)
      return {
        version,
        async check({ folder, program }, problems) {
          return JSON.parse((await run([binary, ...flags, program, String(problems)], { folder, limit: 300 })).trim().split('\n').at(-1) ?? '') as Findings
        },
        async commandLine({ folder, cli }) {
          const said = await run([binary, ...flags, cli, 'selftest', '--json'], { folder, limit: 120 })
          return (JSON.parse(said) as { passed: boolean }).passed ? undefined : said
        },
      }
    },
  }
}

function ofBrowser(browser: Browser): Engine {
  return {
    name: browser.name,
    backends: ['wasm', 'js'],
    hasWorkers: browser.hasWorkers,
    async install() {
      const command = browser.find()
      const version = /[\d.]+\d/.exec(await run([...command, '--version'], { limit: 60 }))?.[0] ?? 'unknown'
      return { version, check: (application, problems) => browser.open(command, application.page, problems) }
    },
  }
}

const workerd: Engine = {
  name: 'workerd',
  backends: ['wasm', 'js'],
  hasWorkers: false,
  async install() {
    const version = '1.20261117.1'
    const binary = await installed(`@cloudflare/workerd-${platform}-${arch === 'x64' ? '64' : arch}`, version, 'bin/workerd')
    return { version, check: (application, problems) => runEdge(binary, application.edge, problems) }
  },
}

export const engines: readonly Engine[] = [...commands.map(ofCommand), ...browsers.map(ofBrowser), workerd]
