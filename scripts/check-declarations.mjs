/**
 * Compiles programs against the declarations of an installed package: `node scripts/check-declarations.mjs APP`.
 *
 * As strictly as TypeScript checks, libraries included, without the DOM's types and Node's, for `import` and `require`, on the oldest compiler that
 * README.md states, on this checkout's, and on the newest. Frameworks come from this checkout; what is wrong with their declarations is theirs.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const app = resolve(process.argv[2])

/** The oldest that README.md states, this checkout's, and the newest. `using` came with 5.2. */
const compilers = [
  { version: '5.0.4', using: false },
  { version: JSON.parse(readFileSync(join(root, 'node_modules/typescript/package.json'), 'utf8')).version, using: true },
  { version: '7.0.2', using: true },
]

const strictest = {
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  target: 'es2022',
  lib: ['es2022'],
  types: [],
}
const frameworks = ['@tensorflow', '@jax-js', '@duckdb']
const node = { module: 'node16', moduleResolution: 'node16' }
const bundler = { module: 'esnext', moduleResolution: 'bundler', customConditions: ['node'] }

/** What the compiler says of a program in both kinds of module, a line each; nothing of declarations outside of the folder, which are the frameworks'. */
function errorsOf(compiler, program, resolution) {
  const files = ['mts', 'cts'].map((kind) => `${program}.${kind}`)
  for (const file of files) cpSync(join(root, `test/package/${program}.ts`), join(folder, file))
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...strictest, ...resolution }, files }))
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [compiler, '-p', folder], { cwd: folder, encoding: 'utf8' })
  const lines = `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !/^( |\.\.\/)/.test(line))
  return status === null ? [`${compiler} ended with ${signal}`] : lines
}

const problems = []
const stated = `TypeScript ${compilers[0].version.replace(/\.\d+$/, '')} or later`
for (const page of ['README.md', 'docs/installing.md', 'docs/getting-started.md']) {
  if (!readFileSync(join(root, page), 'utf8').includes(stated)) problems.push(`${page} does not say: ${stated}`)
}

const folder = mkdtempSync(join(tmpdir(), 'focal-loss-declarations-'))
try {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const wanted = compilers.map(({ version }) => `typescript-${version}@npm:typescript@${version}`)
  execFileSync('npm', ['install', '--silent', '--ignore-scripts', '--no-audit', '--no-fund', ...wanted], { cwd: folder, stdio: 'inherit' })
  cpSync(join(app, 'node_modules/focal-loss'), join(folder, 'node_modules/focal-loss'), { recursive: true })
  for (const { version, using } of compilers) {
    const compiler = join(folder, `node_modules/typescript-${version}/bin/tsc`)
    // Without the frameworks first, so that nothing they bring is of help
    const errors = ['main', 'options', ...(using ? ['using'] : [])].flatMap((program) => [node, bundler].flatMap((resolution) => errorsOf(compiler, program, resolution)))
    for (const scope of frameworks) symlinkSync(join(root, 'node_modules', scope), join(folder, 'node_modules', scope), 'junction')
    errors.push(...errorsOf(compiler, 'adapters', node))
    for (const scope of frameworks) rmSync(join(folder, 'node_modules', scope))
    problems.push(...[...new Set(errors)].map((line) => `TypeScript ${version}: ${line}`))
    console.log(`declarations, TypeScript ${version}: ${errors.length === 0 ? 'ok' : `${errors.length} errors`}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

if (problems.length > 0) {
  console.error(problems.map((problem) => `check-declarations: ${problem}`).join('\n'))
  process.exit(1)
}
