/** The packages of prebuilt addons: how they are made and checked before they are published, and that the loader knows them all. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { focal_loss as ceiling } from '../../scripts/prebuilt/ceilings.json' with { type: 'json' }
import platforms from '../../scripts/prebuilt/platforms.json' with { type: 'json' }
import { builtAddon } from '../support/installed.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'focal-loss-prebuilt-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** A workflow of GitHub's says where it runs. */
const workflow = { GITHUB_SERVER_URL: 'https://git.example', GITHUB_REPOSITORY: 'somebody/focal-loss' }
const elsewhere = Object.fromEntries(Object.entries(process.env).filter(([name]) => !(name in workflow)))

function run(script: string, ...args: string[]) {
  return runIn(elsewhere, script, ...args)
}

function runIn(env: NodeJS.ProcessEnv, script: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [at(`../../scripts/prebuilt/${script}.mjs`), ...args], { encoding: 'utf8', env })
  return { status, stdout: stdout.trim(), stderr: stderr.trim() }
}

/** Stages a file as the addon for a platform and checks it. */
function check(platform: string, file: Buffer, ...flags: string[]) {
  const [addon, staged] = [join(folder, 'addon.node'), join(folder, platform)]
  writeFileSync(addon, file)
  expect(run('stage', platform, addon, staged)).toEqual({ status: 0, stdout: staged, stderr: '' })
  return run('check', staged, ...flags)
}

/** Those that everybody gets: who has a GPU asks for the others. */
const native = Object.keys(platforms).filter((name) => !name.endsWith('-cuda'))

const replaced = (file: Buffer, text: string, by: string) => Buffer.from(file.toString('latin1').replaceAll(text, by), 'latin1')

/** The head of an ELF file, which is all that is looked at, and the strings that name its libraries. */
function elf(machine: number, strings: string): Buffer {
  const head = Buffer.alloc(64)
  head.write('\x7fELF\x02\x01', 'latin1')
  head.writeUInt16LE(machine, 18)
  return Buffer.concat([head, Buffer.from(`\0${strings}\0`, 'latin1')])
}

function machO(processor: number): Buffer {
  const head = Buffer.alloc(64)
  head.writeUInt32LE(0xfeedfacf, 0)
  head.writeUInt32LE(processor, 4)
  return head
}

function pe(processor: number): Buffer {
  const head = Buffer.alloc(128)
  head.write('MZ', 'latin1')
  head.writeUInt32LE(80, 60)
  head.write('PE\0\0', 80, 'latin1')
  head.writeUInt16LE(processor, 84)
  return head
}

const [x64, arm64] = [62, 183]
const heads: Readonly<Record<string, Buffer>> = {
  'linux-x64-gnu': elf(x64, 'libc.so.6\0GLIBC_2.4\0GLIBC_2.28\0GLIBC_2.3.4'),
  'linux-x64-musl': elf(x64, 'libc.musl-x86_64.so.1'),
  'linux-arm64-gnu': elf(arm64, 'libc.so.6'),
  'linux-arm64-musl': elf(arm64, 'libc.so'),
  'darwin-x64': machO(0x01000007),
  'darwin-arm64': machO(0x0100000c),
  'win32-x64': pe(0x8664),
  'linux-x64-gnu-cuda': elf(x64, 'libc.so.6\0GLIBC_2.28'),
  'linux-arm64-gnu-cuda': elf(arm64, 'libc.so.6'),
}

describe('the names of platforms', () => {
  it('are those of the loaders', () => {
    const names = ['native', 'cuda'].flatMap((loader) =>
      Array.from(readFileSync(at(`../../src/backends/${loader}/load.ts`), 'utf8').matchAll(/require\('@focal-loss\/([^']+)'\)/g), ([, name]) => name),
    )
    expect(names).toEqual(Object.keys(platforms))
  })

  it('become optional dependencies of a release in its own version', () => {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'focal-loss', version: '1.2.3' }))
    expect(run('link', folder)).toEqual({ status: 0, stdout: '', stderr: '' })
    const { optionalDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { optionalDependencies: object }
    expect(optionalDependencies).toEqual(Object.fromEntries(native.map((name) => [`@focal-loss/${name}`, '1.2.3'])))
  })

  it('come with the repository that a workflow runs in, where npm looks for their provenance, and with none elsewhere', () => {
    const expected = {
      repository: { type: 'git', url: 'git+https://git.example/somebody/focal-loss.git' },
      homepage: 'https://git.example/somebody/focal-loss#readme',
      bugs: 'https://git.example/somebody/focal-loss/issues',
    }
    const main = mkdtempSync(join(folder, 'main-'))
    const manifestOf = (where: string) => JSON.parse(readFileSync(join(where, 'package.json'), 'utf8')) as object
    const pages = { 'README.md': '[a](docs/a.md#b) ![c](docs/c.png) [d](src/d.ts#L1) [e](https://e.example)', 'docs/a.md': '# B\n[up](../README.md) [out](../src/d.ts) [here](#b)' }
    mkdirSync(join(main, 'docs'))
    writeFileSync(join(main, 'package.json'), JSON.stringify({ name: 'focal-loss', version: '1.2.3', files: ['docs', '!docs/*.png'] }))
    for (const [path, content] of Object.entries({ ...pages, 'docs/c.png': '' })) writeFileSync(join(main, path), content)
    expect(run('link', main)).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(manifestOf(main)).not.toHaveProperty('repository')
    expect(readFileSync(join(main, 'README.md'), 'utf8')).toBe(pages['README.md'])
    expect(runIn({ ...elsewhere, ...workflow }, 'link', main)).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(manifestOf(main)).toMatchObject(expected)
    const at123 = (kind: string) => `https://git.example/somebody/focal-loss/${kind}/v1.2.3`
    expect(readFileSync(join(main, 'README.md'), 'utf8')).toBe(`[a](docs/a.md#b) ![c](${at123('raw')}/docs/c.png) [d](${at123('blob')}/src/d.ts#L1) [e](https://e.example)`)
    expect(readFileSync(join(main, 'docs/a.md'), 'utf8')).toBe(`# B\n[up](../README.md) [out](${at123('blob')}/src/d.ts) [here](#b)`)
    const staged = join(folder, 'staged')
    expect(runIn({ ...elsewhere, ...workflow }, 'stage', 'linux-x64-gnu', join(main, 'README.md'), staged).status).toBe(0)
    expect(manifestOf(staged)).toMatchObject(expected)
  })

  it('are all that is staged', () => {
    expect(run('stage', 'linux-x64')).toEqual({
      status: 2,
      stdout: '',
      stderr: `stage: 'linux-x64' is no platform; expected one of ${Object.keys(platforms).join(', ')}`,
    })
  })
})

describe('a staged package', { timeout: 30_000 }, () => {
  it('has the built addon, which loads, where it is for this machine', () => {
    const here = `${process.platform}-${process.arch}-gnu`
    const { status, stdout, stderr } = check(here, builtAddon())
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^${here}: ${builtAddon().length} bytes, glibc 2\\.\\d+ or later, loaded, runs on `))
    const manifest = JSON.parse(readFileSync(join(folder, here, 'package.json'), 'utf8')) as object
    expect(manifest).toMatchObject({ name: `@focal-loss/${here}`, version: packageJson.version, os: ['linux'], cpu: [process.arch], libc: ['glibc'] })
    expect(manifest).not.toHaveProperty('scripts')
  })

  it.each(Object.keys(platforms).filter((name) => !name.startsWith(`${process.platform}-${process.arch}-gnu`)))('is known by the head of its file for %s', (name) => {
    expect(check(name, heads[name])).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/not loaded: this machine is of another kind$/) as string })
  })

  it('has the addon for GPUs, which says what it finds', () => {
    const here = `${process.platform}-${process.arch}-gnu-cuda`
    const { status, stdout, stderr } = check(here, readFileSync(at('../../build/emulated/focal_loss_cuda.node')))
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^${here}: \\d+ bytes, glibc 2\\.\\d+ or later, loaded, finds emulated device`))
    expect(JSON.parse(readFileSync(join(folder, here, 'package.json'), 'utf8'))).toMatchObject({ name: `@focal-loss/${here}`, main: 'focal_loss_cuda.node' })
  })

  it.each([
    ['linux-x64-gnu', heads['linux-arm64-gnu'], "the file's cpu is arm64; expected x64"],
    ['linux-x64-gnu', heads['linux-x64-musl'], "the file's libc is musl; expected glibc"],
    ['linux-x64-musl', heads['linux-x64-gnu'], "the file's libc is glibc; expected musl"],
    ['linux-x64-gnu', heads['darwin-x64'], "the file's os is darwin; expected linux"],
    ['linux-x64-gnu', elf(21, 'libc.so.6'), "the file's cpu is unknown; expected x64"],
    ['darwin-arm64', heads['darwin-x64'], "the file's cpu is x64; expected arm64"],
    ['win32-x64', pe(0xaa64), "the file's cpu is arm64; expected x64"],
    ['win32-x64', heads['win32-x64'].subarray(0, 82), "the file's os is unknown; expected win32"],
    ['win32-x64', Buffer.from('no binary'), "the file's os is unknown; expected win32"],
    ['darwin-x64', Buffer.concat([heads['darwin-x64'], Buffer.alloc(ceiling)]), `the file has ${ceiling + 64} bytes; expected at most ${ceiling}`],
  ])('for %s is refused with a wrong file, %#', (name, file, problem) => {
    const { status, stderr } = check(name, file)
    expect(status).toBe(1)
    expect(stderr.split('\n')).toContain(`check: ${name}: ${problem}`)
  })

  it('is refused where its file asks for a newer glibc than is promised', () => {
    const arm = elf(arm64, 'libc.so.6\0GLIBC_2.17\0GLIBC_2.28')
    expect(check('linux-arm64-gnu', arm, '--glibc', '2.28').status).toBe(0)
    expect(check('linux-arm64-gnu', arm, '--glibc', '3.0').status).toBe(0)
    expect(check('linux-arm64-gnu', arm, '--glibc', '2.9').stderr).toBe('check: linux-arm64-gnu: the file asks for glibc 2.28; expected at most 2.9')
  })

  it('is refused where its manifest is of another release or platform', () => {
    expect(check('darwin-x64', heads['darwin-x64']).status).toBe(0)
    const file = join(folder, 'darwin-x64', 'package.json')
    writeFileSync(file, replaced(replaced(readFileSync(file), packageJson.version, '0.0.1'), '"x64"', '"ia32"'))
    expect(run('check', join(folder, 'darwin-x64')).stderr.split('\n')).toEqual([
      `check: darwin-x64: its version is 0.0.1; expected ${packageJson.version}`,
      "check: darwin-x64: the manifest's cpu is ia32; expected x64",
    ])
  })
})
