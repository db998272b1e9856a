/** How the built package finds its addon, and what it says for each way in which it does not. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }
import { runScript } from '../../support/children.js'
import { CALL_BYTES } from '../../../src/backends/addon/call.js'
import { ABI } from '../../../src/backends/layout.js'
import { builtAddon, makeApplication } from '../../support/installed.js'

const application = makeApplication({ released: true })
const unreleased = makeApplication()
afterAll(() => {
  application.remove()
  unreleased.remove()
})

const libc = process.platform === 'linux' ? '-gnu' : ''
const here = `@focal-loss/${process.platform}-${process.arch}${libc}`
const manifest = JSON.stringify({ main: 'focal_loss.node' })

beforeEach(() => {
  application.uninstall(here)
})

interface Answer {
  readonly backend: string
  readonly native: { readonly available: boolean; readonly description: string; readonly reason: string }
}

/** What runs in the application. `before` is done before the package is loaded. */
function answerOf(before = '', flags: string[] = [], { folder } = application): Answer {
  const script = `
    ${before}
    const { backends, getBackend } = require('focal-loss')
    const native = backends().find(({ name }) => name === 'native')
    process.stdout.write(JSON.stringify({ backend: getBackend(), native }))
  `
  const { status, stdout, stderr } = runScript('commonjs', script, {}, { folder, flags })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout) as Answer
}

const on = (platform: string, arch: string) =>
  `for (const [name, value] of [['platform', '${platform}'], ['arch', '${arch}']]) Object.defineProperty(process, name, { value });`

/** What this process has in memory, as Linux tells it. */
const withMaps = (maps: string) => `
  const fs = require('node:fs')
  const read = fs.readFileSync
  fs.readFileSync = (path, ...rest) => { if (path !== '/proc/self/maps') return read(path, ...rest); ${maps} }
  require('node:module').syncBuiltinESMExports();`

/** On Windows there is no bash for npm run setup. */
const onWindows = 'npm ci and npx cmake-js compile -G "Visual Studio 17 2022" -A x64 -t ClangCL'
const remedy = (name: string) =>
  `To mend it, allow optional dependencies with npm install --include=optional, or name the package with ` +
  `npm install --save-optional ${name}@${packageJson.version}, or build it in a checkout of focal-loss with ${name.includes('win32') ? onWindows : 'npm run setup'}; ` +
  'without it, use wasm or js.'

const escaped = (text: string) => text.replace(/[.+()[\]]/g, String.raw`\$&`)

/** What binding/addon.cpp exports, in effect. */
const functions = `abi: ${ABI}, isas: () => [], activeIsa: () => 'none', hardwareThreads: () => 1, open() {}, start() {}`

/** The sentence for failures at both links of the chain; the first names where a checkout has its build. */
const sentence = (failure: string, end: string) =>
  new RegExp(
    String.raw`^The native addon could not be loaded \(Cannot find module '\.\./build/Release/focal_loss\.node'; ${failure}\)\. ${escaped(end)}$`,
  )

describe('the addon', { timeout: 30_000 }, () => {
  it('comes from the package for this platform', () => {
    application.install(here, { 'package.json': manifest, 'focal_loss.node': builtAddon() })
    const { backend, native } = answerOf()
    expect(native.available).toBe(true)
    expect(native.description).toMatch(/^C\+\+ addon, /)
    expect(backend).toBe('native')
  })

  it.each([
    ['broken', { 'focal_loss.node': 'no addon' }],
    ['older', { 'focal_loss.node/package.json': '{}', 'focal_loss.node/index.js': 'module.exports = { abi: 0 }' }],
  ])("comes from the package where a checkout's build is %s", (_, build) => {
    application.install(here, { 'package.json': manifest, 'focal_loss.node': builtAddon() })
    application.install('focal-loss/build/Release', build)
    expect(answerOf().native.description).toMatch(/^C\+\+ addon, /)
    application.uninstall('focal-loss/build')
  })

  it('is not loaded where Node.js runs with permissions, unless they are for addons', () => {
    application.install(here, { 'package.json': manifest, 'focal_loss.node': builtAddon() })
    const permission = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'
    const flags = ['--no-warnings', permission, '--allow-fs-read=*']
    const { backend, native } = answerOf('', flags)
    expect(native.reason).toBe('The native addon may not be loaded here; run node with --allow-addons. Without it, use wasm or js.')
    expect(backend).toBe('wasm')
    expect(answerOf('', [...flags, '--allow-addons']).backend).toBe('native')
  })

  it('is not asked for where Deno would stop with a question', () => {
    const denied = `globalThis.Deno = { permissions: { querySync: ({ name }) => ({ state: name === 'ffi' ? 'prompt' : 'granted' }) } }; `
    application.install(here, { 'package.json': manifest, 'focal_loss.node': builtAddon() })
    const { backend, native } = answerOf(denied)
    expect(native.reason).toBe('The native addon is loaded where Deno allows it; run deno with --allow-ffi and --allow-read. Without it, use wasm or js.')
    expect(backend).toBe('wasm')
    expect(answerOf(denied.replace('prompt', 'granted')).backend).toBe('native')
  })

  it('is not loaded where Node.js may load none', () => {
    application.install(here, { 'package.json': manifest, 'focal_loss.node': builtAddon() })
    const { backend, native } = answerOf('', ['--no-addons'])
    expect(native.reason).toBe('The native addon may not be loaded here; run node without --no-addons. Without it, use wasm or js.')
    expect(backend).toBe('wasm')
  })
})

describe('without an addon, wasm runs, and the reason', { timeout: 30_000 }, () => {
  it.each([
    ['linux', 'x64', '/usr/lib/x86_64-linux-gnu/libc.so.6', '@focal-loss/linux-x64-gnu'],
    ['linux', 'x64', '/lib/ld-musl-x86_64.so.1', '@focal-loss/linux-x64-musl'],
    ['linux', 'arm64', '/lib/libc.so.6', '@focal-loss/linux-arm64-gnu'],
    ['linux', 'arm64', '/lib/libc.musl-aarch64.so.1', '@focal-loss/linux-arm64-musl'],
    ['darwin', 'x64', '', '@focal-loss/darwin-x64'],
    ['darwin', 'arm64', '', '@focal-loss/darwin-arm64'],
    ['win32', 'x64', '', '@focal-loss/win32-x64'],
  ])('names the package for %s %s with %s in memory', (platform, arch, library, name) => {
    application.uninstall(name)
    const { backend, native } = answerOf(on(platform, arch) + withMaps(`return ${JSON.stringify(`7f00-7f01 r-xp 0 08:01 5  ${library}\n`)}`))
    expect(native.reason).toMatch(sentence(`Cannot find module '${name}'`, remedy(name)))
    expect(backend).toBe('wasm')
  })

  it('takes glibc for granted where the memory cannot be read', () => {
    const { native } = answerOf(on('linux', 'x64') + withMaps("throw new Error('EACCES')"))
    expect(native.reason).toContain("Cannot find module '@focal-loss/linux-x64-gnu'")
  })

  it('says that there is none for this platform', () => {
    const { backend, native } = answerOf(on('sunos', 'x64'))
    const end = 'To get it, build it in a checkout of focal-loss with npm run setup; without it, use wasm or js.'
    expect(native.reason).toMatch(sentence('there is no package @focal-loss/sunos-x64', end))
    expect(backend).toBe('wasm')
  })

  it.each([
    ['a package without its file', { 'package.json': manifest }, `Cannot find (module|package) '.*${here}.*'.*`],
    ['a file that is no addon', { 'package.json': manifest, 'focal_loss.node': 'no addon' }, '.*focal_loss\\.node.*'],
    ['a file cut short', { 'package.json': manifest, 'focal_loss.node': builtAddon().subarray(0, 40) }, '.*focal_loss\\.node.*'],
    ['a package that throws', { 'package.json': '{}', 'index.js': "throw new Error('not today\\nat all')" }, 'not today'],
    ['a package that throws no error', { 'package.json': '{}', 'index.js': 'throw 7' }, '7'],
  ])('tells of %s', (_, files, failure) => {
    application.install(here, files)
    const { backend, native } = answerOf()
    expect(native.reason).toMatch(sentence(failure, remedy(here)))
    expect(backend).toBe('wasm')
  })

  it('tells of an addon for another processor', () => {
    const other = builtAddon()
    // Where an ELF file says which machine it is for: 64-bit SPARC
    other.writeUInt16LE(43, 18)
    application.install(here, { 'package.json': manifest, 'focal_loss.node': other })
    expect(answerOf().native.reason).toMatch(sentence('.*focal_loss\\.node.*', remedy(here)))
  })

  it.each([
    ['another version', 'abi: 0', `${here} speaks version 0 of the kernel's interface and this package version ${ABI}`],
    ['nothing', '', `${here} is not the addon: abi is undefined; expected a number`],
    ['text for a version', "abi: '1'", `${here} is not the addon: abi is '1'; expected a number`],
    ['a function less', `${functions}, start: undefined`, `${here} is not the addon: start is undefined; expected a function`],
    ['no list', `${functions}, isas: () => 'avx2'`, `${here} is not the addon: isas() is 'avx2'; expected a list of instruction sets`],
    ['a list of something else', `${functions}, isas: () => [1]`, `${here} is not the addon: isas() is an array of length 1; expected a list of instruction sets`],
    ['no name', `${functions}, activeIsa: () => 7`, `${here} is not the addon: activeIsa() is 7; expected a name`],
    ['no threads', `${functions}, hardwareThreads: () => NaN`, `${here} is not the addon: hardwareThreads() is NaN; expected a number >= 1`],
    ['a session without memory', `${functions}, open: () => () => 0`, `${here} is not the addon: open() is a function; expected a function with a memory of ${CALL_BYTES} bytes`],
    ['a function that throws', `${functions}, isas() { throw new Error('not today') }`, 'not today'],
  ])('tells of exports of %s', (_, exports, failure) => {
    application.install(here, { 'package.json': '{}', 'index.js': `module.exports = { ${exports} }` })
    const { backend, native } = answerOf()
    expect(native.reason).toMatch(sentence(escaped(failure), remedy(here)))
    expect(backend).toBe('wasm')
  })

  it.each(['null', '7', "'addon'", '() => 0'])('tells of exports that are %s', (exports) => {
    application.install(here, { 'package.json': '{}', 'index.js': `module.exports = ${exports}` })
    expect(answerOf().native.reason).toMatch(sentence(`${here} is not the addon: abi is undefined; expected a number`, remedy(here)))
  })

  it('advises no package that is on no registry', () => {
    const { backend, native } = answerOf('', [], unreleased)
    const end = 'To get it, build it in a checkout of focal-loss with npm run setup; without it, use wasm or js.'
    expect(native.reason).toMatch(sentence(`Cannot find module '${here}'`, end))
    expect(backend).toBe('wasm')
  })
})
