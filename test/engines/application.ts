/** An application with the packed package and this machine's addon, as a release installs them, and the check in it. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions } from 'esbuild'
import { withoutNode } from '../support/bundle.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Application {
  readonly folder: string
  /** The check, by what runs it. */
  readonly program: string
  /** A folder to serve: index.html. */
  readonly page: string
  readonly edge: string
  /** The package's command line. */
  readonly cli: string
  /** Installs the package of another platform's addon, made from its file. */
  readonly addAddon: (platform: string, file: string) => void
  remove(): void
}

export async function makeApplication(): Promise<Application> {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-engines-'))
  const run = (command: string, ...rest: string[]) => execFileSync(command, rest, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  const tarball = run('npm', 'pack', '--silent', '--ignore-scripts', root).trim()
  writeFileSync(join(folder, 'package.json'), '{ "name": "application", "private": true, "type": "module" }')
  run('npm', 'install', '--silent', '--ignore-scripts', '--no-audit', '--no-fund', '--omit=peer', `./${tarball}`)
  const modules = join(folder, 'node_modules')
  const addAddon = (platform: string, file: string) => run(process.execPath, join(root, 'scripts/prebuilt/stage.mjs'), platform, file, join(modules, '@focal-loss', platform))
  addAddon(`${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`, join(root, 'build/Release/focal_loss.node'))

  const entry = (name: string) => fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  const common = { bundle: true, format: 'esm', target: 'es2022', absWorkingDir: folder, logLevel: 'warning' } as const
  const [program, page, edge] = [join(folder, 'program.js'), join(folder, 'page'), join(folder, 'edge')]
  // TensorFlow.js requires modules of Node.js
  const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" }
  // esbuild leaves out the registration of its backend from what it has for `main`
  const inNode: BuildOptions = { ...common, platform: 'node', external: ['focal-loss'], mainFields: ['module', 'main'], banner }
  await build({ ...inNode, entryPoints: [entry('program')], outfile: program })
  // What a bundler for pages takes: the condition `browser`
  const alias = { 'focal-loss': join(modules, 'focal-loss/dist/index.js'), 'focal-loss/tfjs': join(modules, 'focal-loss/dist/tfjs.js') }
  const inPage: BuildOptions = { ...common, platform: 'browser', plugins: [withoutNode], alias }
  await build({ ...inPage, entryPoints: [entry('page')], outdir: page })
  writeFileSync(join(page, 'index.html'), '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>')
  mkdirSync(edge)
  await build({
    ...inPage,
    entryPoints: [entry('edge')],
    outdir: edge,
    alias: { ...alias, 'focal-loss/focal-loss.wasm': './focal-loss.wasm' },
    external: ['./focal-loss.wasm'],
  })
  copyFileSync(join(modules, 'focal-loss/dist/focal-loss.wasm'), join(edge, 'focal-loss.wasm'))
  return {
    folder,
    program,
    page,
    edge,
    cli: join(modules, 'focal-loss/dist/cli.js'),
    addAddon,
    remove() {
      rmSync(folder, { recursive: true })
    },
  }
}
