/**
 * Checks a packed tarball before anything is installed from it: `node scripts/check-package.mjs TARBALL`.
 *
 * publint and are-the-types-wrong find nothing, what it holds belongs there, nothing runs at installation, nothing else is
 * installed with it, its pages' links lead somewhere, and it is no larger than docs/installing.md says.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { anchorsOf, linksOf } from './pages.mjs'

/** Bytes. docs/installing.md states both. */
const ceilings = { packed: 1_560_000, unpacked: 6_100_000 }

const belongs = /^package\/(dist\/.*|docs\/.*|package\.json|README\.md|LICENSE)$/
const scripts = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']

const [tarball] = process.argv.slice(2)
const run = (command, ...rest) => execFileSync(command, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
const versionOf = (name) => JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version
const problems = []
const check = (holds, problem) => {
  if (!holds) problems.push(problem)
}

const entries = run('tar', '-tzvf', tarball, '--numeric-owner').trimEnd().split('\n')
const files = entries.map((line) => ({ size: Number(line.split(/\s+/)[2]), path: line.split(/\s+/).slice(5).join(' ') }))
const sizes = { packed: statSync(tarball).size, unpacked: files.reduce((sum, { size }) => sum + size, 0) }
console.log(`tarball: ${files.length} files, ${sizes.packed} bytes packed, ${sizes.unpacked} unpacked`)
for (const [name, ceiling] of Object.entries(ceilings)) {
  check(sizes[name] <= ceiling, `${name}, it has ${sizes[name]} bytes; expected at most ${ceiling}`)
}
for (const { path } of files) check(belongs.test(path), `${path} does not belong there`)

const manifest = JSON.parse(run('tar', '-xzOf', tarball, 'package/package.json'))
for (const name of scripts) check(manifest.scripts?.[name] === undefined, `it has the install script ${name}`)
for (const name of Object.keys(manifest.dependencies ?? {})) check(false, `it depends on ${name}`)
for (const name of Object.keys(manifest.optionalDependencies ?? {})) {
  check(name.startsWith('@focal-loss/'), `it depends on ${name}, which is no prebuilt addon`)
}
for (const name of Object.keys(manifest.peerDependencies ?? {})) {
  check(manifest.peerDependenciesMeta?.[name]?.optional === true, `its peer dependency ${name} is not optional`)
}

// A release's pages link to its repository for what it has not. Of a checkout nobody knows where it is published: there it must be in the checkout
const packed = new Set(files.map(({ path }) => path.replace('package/', '')))
const contentOf = (path) => run('tar', '-xzOf', tarball, `package/${path}`)
for (const page of [...packed].filter((path) => path.endsWith('.md'))) {
  for (const { target, anchor } of linksOf(page, contentOf(page))) {
    const inRepository = manifest.repository === undefined && existsSync(new URL(`../${target}`, import.meta.url))
    check(packed.has(target) || inRepository, `${page} links to ${target}, which ${manifest.repository === undefined ? 'is nowhere' : 'it does not have'}`)
    if (packed.has(target) && anchor !== '') check(anchorsOf(contentOf(target)).has(anchor), `${page} links to ${target}#${anchor}, which has no such heading`)
  }
}

// The command line has other packages in it, and their licences ask to go where they go
const licences = contentOf('dist/cli/licences.txt')
for (const path of [...packed].filter((each) => /^dist\/cli[./].*js$/.test(each))) {
  for (const [, name] of contentOf(path).matchAll(/^\/\/#region node_modules\/((?:@[^/]+\/)?[^/]+)/gm)) {
    check(licences.includes(`${name} ${versionOf(name)}, `), `${path} has ${name} in it, and dist/cli/licences.txt does not have its licence`)
  }
}

const docs = readFileSync(new URL('../docs/installing.md', import.meta.url), 'utf8')
for (const [name, ceiling] of Object.entries(ceilings)) {
  const stated = `${ceiling.toLocaleString('en')} bytes ${name}`
  check(docs.includes(stated), `docs/installing.md does not say ${stated}`)
}

if (problems.length > 0) {
  console.error(problems.map((problem) => `check-package: ${problem}`).join('\n'))
  process.exit(1)
}

const tool = (name, ...rest) => execFileSync('npx', ['--no-install', name, ...rest], { stdio: 'inherit' })
tool('publint', '--strict', tarball)
// node10 knows no `exports`, and so no entry but the main one; the module's bytes have no types
tool('attw', tarball, '--profile', 'node16', '--exclude-entrypoints', 'focal-loss.wasm', '--no-definitely-typed', '--format', 'ascii', '--no-emoji')
