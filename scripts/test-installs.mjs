/**
 * Installs the package in every way that people do, from a registry on this machine, and runs it: `npm run test:installs`.
 *
 * Each case has an application of its own, the commands that install and run, and the backend that must be the best there.
 * pnpm, Yarn, nft and postject come from the npm registry, and everything else from this checkout. Prints a table; a case that fails shows
 * what its commands printed.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Table from 'cli-table3'
import { startRegistry } from './installs/registry.mjs'

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
const folder = mkdtempSync(join(tmpdir(), 'focal-loss-installs-'))
const tools = { pnpm: 'pnpm@10.34.8', 'yarn 1': 'yarn@1.22.22', 'yarn 4': '@yarnpkg/cli-dist@4.18.1', nft: '@vercel/nft@1.11.5', postject: 'postject@1.0.0-alpha.6' }

/** What a command printed; an error with it where the command fails. The registry runs in this process, so nothing may block. */
function run(command, cwd, env = process.env) {
  const child = spawn('bash', ['-c', command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (printed += text))
  return new Promise((done, fail) =>
    child.on('close', (code) => (code === 0 ? done(printed) : fail(new Error(`${command} ended with ${code}\n${printed}`)))),
  )
}

/** Both kinds of module compute the same, say which backend serves, and the last line of each is JSON. */
const program = `
const { value } = new SigmoidFocalLoss({ gamma: 2, alpha: 0.25 }).valueAndGrad(Float32Array.of(2, -1, 0), [1, 0, 1])
// By hand: the mean of -alpha_t (1 - p_t)^2 log(p_t)
const one = (p, alpha) => -alpha * (1 - p) ** 2 * Math.log(p)
const exact = (one(1 / (1 + Math.exp(-2)), 0.25) + one(1 / (1 + Math.exp(-1)), 0.75) + one(0.5, 0.25)) / 3
const { reason } = backends().find(({ name }) => name === 'native')
console.log(JSON.stringify({ right: Math.abs(value - exact) < 1e-7, backend: getBackend(), reason }))
`
const names = '{ SigmoidFocalLoss, backends, getBackend }'
const types = `
import { SigmoidFocalLoss, presets } from 'focal-loss'
import { getBackend, type BackendName } from 'focal-loss/wasm'
const value: number = new SigmoidFocalLoss(presets.keras).value(new Float64Array(2), [0, 1])
const each: Float32Array = new SigmoidFocalLoss(presets.torchvision).value(new Float32Array(2), [0, 1])
const name: BackendName = getBackend()
// @ts-expect-error: an option of another type
new SigmoidFocalLoss({ gamma: 'two' })
export { value, each, name }
`
const files = {
  'app.mjs': `import ${names} from 'focal-loss'\n${program}`,
  'app.cjs': `const ${names} = require('focal-loss')\n${program}`,
  'sea.json': '{ "main": "out.cjs", "output": "out.blob", "disableExperimentalSEAWarning": true }',
  'types.mts': types,
  'types.cts': types,
}

const compile = (module, resolution, sources) =>
  `${root}/node_modules/.bin/tsc --noEmit --strict --skipLibCheck false --target es2023 --module ${module} --moduleResolution ${resolution} ${sources}`
const bundle = (app, format, out) => `${root}/node_modules/.bin/esbuild ${app} --bundle --platform=node --format=${format} --log-level=error --outfile=${out}`
const inject = 'postject app NODE_SEA_BLOB out.blob --sentinel-fuse NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
const executable = `${bundle('app.cjs', 'cjs', 'out.cjs')} && node --experimental-sea-config sea.json && cp "$(command -v node)" app && ${inject}`

const both = ['node app.mjs', 'node app.cjs']
const npm = 'npm install'

/** Each: what installs, what runs, which backend serves, and what the reason of the native one must say. */
function casesFor({ version, tarballOf }) {
  const here = `@focal-loss/${process.platform}-${process.arch}-gnu`
  const [tarball, addon] = [tarballOf('focal-loss'), tarballOf(here)]
  const mend = [`npm install --include=optional`, `npm install --save-optional ${here}@${version}`]
  return [
    { install: [`${npm} focal-loss`], run: both, backend: 'native' },
    { install: [`${npm} --ignore-scripts focal-loss`], run: both, backend: 'native' },
    { install: [`${npm} focal-loss`], run: ['node --no-addons app.mjs', 'node --no-addons app.cjs'], backend: 'wasm', reason: 'without --no-addons' },
    { install: [`${npm} focal-loss`], run: ['FOCAL_LOSS_BACKEND=js node app.mjs'], backend: 'js' },
    { install: [`${npm} --omit=optional focal-loss`], run: both, backend: 'wasm', reason: mend },
    { install: [`${npm} --omit=optional focal-loss`, mend[0]], run: both, backend: 'native' },
    { install: [`${npm} --omit=optional focal-loss`, mend[1]], run: both, backend: 'native' },
    { install: [`${npm} --offline --omit=optional ${tarball}`], run: both, backend: 'wasm', reason: mend },
    { install: [`${npm} --offline ${tarball} ${addon}`], run: both, backend: 'native' },
    { install: ['pnpm add focal-loss'], run: both, backend: 'native', tool: 'pnpm' },
    { install: ['pnpm add --ignore-scripts --no-optional focal-loss'], run: both, backend: 'wasm', reason: mend, tool: 'pnpm' },
    { install: ['yarn add focal-loss'], run: both, backend: 'native', tool: 'yarn 1' },
    { install: ['yarn add --ignore-optional focal-loss'], run: both, backend: 'wasm', reason: mend, tool: 'yarn 1' },
    { install: ['yarn config set nodeLinker node-modules', 'yarn add focal-loss'], run: both, backend: 'native', tool: 'yarn 4' },
    { install: ['yarn config set nodeLinker pnp', 'yarn add focal-loss'], run: ['yarn node app.mjs', 'yarn node app.cjs'], backend: 'native', tool: 'yarn 4' },
    { install: [`${npm} focal-loss`], run: [`${bundle('app.mjs', 'esm', 'out.mjs')} && node out.mjs`], backend: 'native' },
    { install: [`${npm} focal-loss`], run: [`${bundle('app.cjs', 'cjs', 'out.cjs')} && node out.cjs`], backend: 'native' },
    // ES modules in a bundle as CommonJS do not know where they lie, so that they find no addon
    { install: [`${npm} focal-loss`], run: [`${bundle('app.mjs', 'cjs', 'out.cjs')} && node out.cjs`], backend: 'wasm', reason: 'could not be loaded' },
    // A standalone server of Next.js has what tracing the imports finds
    ...['app.mjs', 'app.cjs'].map((app) => ({ install: [`${npm} focal-loss`], run: [`nft build ${app} && rm -rf node_modules && node dist/${app}`], backend: 'native', tool: 'nft' })),
    // A single executable, with the addon's package beside it and without
    { install: [`${npm} focal-loss`], run: [`${executable} && ./app`], backend: 'native', tool: 'postject' },
    { install: [`${npm} focal-loss`], run: [`${executable} && rm -rf node_modules && ./app`], backend: 'wasm', reason: 'could not be loaded', tool: 'postject' },
    ...[
      ['node16', 'node16', 'types.mts types.cts'],
      ['nodenext', 'nodenext', 'types.mts types.cts'],
      ['preserve', 'bundler', 'types.mts types.cts'],
    ].map((kind) => ({ install: [`${npm} focal-loss`], run: [compile(...kind)] })),
  ]
}

/** What is wrong with what a command printed; undefined where nothing is. */
function complaint(printed, { backend, reason }) {
  if (backend === undefined) return printed === '' ? undefined : 'printed something'
  const found = JSON.parse(printed.trim().split('\n').at(-1))
  if (!found.right) return 'computed a wrong value'
  if (found.backend !== backend) return `ran on ${found.backend} (native: ${found.reason})`
  const missing = [reason ?? []].flat().find((text) => !found.reason.includes(text))
  return missing === undefined ? undefined : `the reason does not say ${missing}: ${found.reason}`
}

async function attempt(one, index, registry) {
  registry.fetched.clear()
  const app = join(folder, `app-${index}`)
  mkdirSync(app)
  for (const [name, content] of Object.entries({ ...files, 'package.json': '{ "name": "application", "private": true }' })) writeFileSync(join(app, name), content)
  writeFileSync(join(app, '.npmrc'), `registry=${registry.url}\ncache=${join(folder, 'cache')}\naudit=false\nfund=false\n`)
  // What `npm run` sets for its scripts is not for these applications
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|FOCAL_LOSS_|NODE_OPTIONS$|INIT_CWD$)/i.test(name))
  const environment = {
    ...Object.fromEntries(inherited),
    npm_config_registry: registry.url,
    npm_config_store_dir: join(folder, 'store'),
    YARN_NPM_REGISTRY_SERVER: registry.url,
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_ENABLE_TELEMETRY: '0',
    YARN_ENABLE_GLOBAL_CACHE: '0',
    YARN_CACHE_FOLDER: join(folder, `cache-${one.tool ?? 'npm'}`.replace(' ', '-')),
    // Yarn refuses to change its lock file where it finds itself in CI
    YARN_ENABLE_IMMUTABLE_INSTALLS: '0',
    // What Yarn keeps for all projects knows another build of the same version, and the registry of another run
    YARN_GLOBAL_FOLDER: join(folder, 'yarn'),
    PATH: `${join(folder, 'bin', one.tool ?? 'npm')}:${process.env.PATH}`,
  }
  try {
    for (const command of one.install) await run(command, app, environment)
    const strange = [...registry.fetched].filter((name) => /linux|darwin|win32/.test(name) && !name.includes(`${process.platform}-${process.arch}-gnu`))
    // Yarn 1 fetches them all, and leaves out what does not fit when it unpacks them
    if (one.tool !== 'yarn 1' && strange.length > 0) return `${one.install.at(-1)}: fetched ${strange.join(', ')}`
    for (const command of one.run) {
      const problem = complaint(await run(command, app, environment), one)
      if (problem !== undefined) return `${command}: ${problem}`
    }
  } catch (error) {
    return error.message
  }
  return undefined
}

/** Each tool's command by its plain name, in a folder of its own. */
async function getTools() {
  const where = join(folder, 'tools')
  mkdirSync(where)
  for (const [name, wanted] of Object.entries(tools)) {
    const own = join(where, name.replace(' ', '-'))
    mkdirSync(own)
    writeFileSync(join(own, 'package.json'), '{ "private": true }')
    await run(`${npm} --ignore-scripts ${wanted}`, own)
    cpSync(join(own, 'node_modules/.bin'), join(folder, 'bin', name), { recursive: true, verbatimSymlinks: false })
  }
}

const shown = (command) => command.replaceAll(`${root}/node_modules/.bin/`, '').replaceAll(`${folder}/`, '')

let failed = 0
const registry = await startRegistry(folder)
try {
  await getTools()
  const table = new Table({ head: ['install', 'run', 'serves', 'result'], style: { head: [], border: [] } })
  for (const [index, one] of casesFor(registry).entries()) {
    const problem = await attempt(one, index, registry)
    if (problem !== undefined) {
      failed++
      console.error(`test-installs: ${problem}`)
    }
    const prefix = one.tool === undefined ? '' : `${one.tool}: `
    table.push([prefix + one.install.map(shown).join(' && '), one.run.map(shown).join('\n'), one.backend ?? 'types', problem === undefined ? 'ok' : 'FAILED'])
  }
  console.log(table.toString())
} finally {
  await registry.close()
  rmSync(folder, { recursive: true, force: true })
}
process.exit(failed === 0 ? 0 : 1)
