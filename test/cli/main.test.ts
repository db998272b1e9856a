import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

function cli(...args: string[]) {
  return cliWith({}, ...args)
}

function cliWith(env: NodeJS.ProcessEnv, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', main, ...args], { encoding: 'utf8', env: { ...process.env, ...env } })
  return { status, stdout, stderr }
}

describe('focal-loss', { timeout: 30_000 }, () => {
  it('shows its version and its commands', () => {
    expect(cli('--version')).toMatchObject({ status: 0, stdout: `${packageJson.version}\n` })
    expect(cli('--help').stdout).toMatch(/doctor[^]*selftest/)
  })

  it('refuses wrong usage with status 2', () => {
    for (const args of [[], ['doktor'], ['doctor', '--jsn'], ['selftest', 'extra']]) {
      const { status, stdout, stderr } = cli(...args)
      expect({ args, status, stdout }).toEqual({ args, status: 2, stdout: '' })
      expect(stderr).not.toBe('')
    }
  })

  it('doctor says what runs', () => {
    const { status, stdout } = cli('doctor', '--json')
    const report = JSON.parse(stdout) as {
      version: string
      backends: { name: string; available: boolean }[]
      automatic: { loss: string; dtype: string; milliseconds: number; from: number; backend: string }[]
    }
    expect(status).toBe(0)
    expect(report.version).toBe(packageJson.version)
    expect(report.backends.find(({ name }) => name === 'js')?.available).toBe(true)
    expect(report.automatic.map(({ loss, dtype, backend }) => [loss, dtype, backend])).toEqual([
      ['sigmoid', 'float32', 'native'],
      ['softmax', 'float32', 'native'],
      ['sigmoid', 'float64', 'native'],
      ['softmax', 'float64', 'native'],
    ])
    for (const { from } of report.automatic) expect(from).toBeGreaterThanOrEqual(1)
    expect(cli('doctor').stdout).toMatch(/plain JavaScript in double precision[^]*auto, sigmoid float32: native from \d+ logits on[^]* ms\)/)
  })

  it('doctor ends with status 1 where calls cannot run, and fits the terminal', () => {
    const cases = [
      [{ FOCAL_LOSS_BACKEND: 'cuda', CUDA_VISIBLE_DEVICES: '-1' }, /^calls run on: none, for the reason below$/m],
      [{ FOCAL_LOSS_BACKEND: 'cudda' }, /^calls run on: none, as FOCAL_LOSS_BACKEND is 'cudda'; expected/m],
      [{ FOCAL_LOSS_THREADS: 'x' }, /^calls run on: none, for the reason below$/m],
    ] as const
    for (const [env, said] of cases) {
      const { status, stdout } = cliWith({ ...env, COLUMNS: '200' }, 'doctor')
      expect({ env, status }).toEqual({ env, status: 1 })
      expect(stdout).toMatch(said)
      const narrow = cliWith({ ...env, COLUMNS: '60' }, 'doctor').stdout.split('\n')
      expect(Math.max(...narrow.map((line) => line.length))).toBeLessThanOrEqual(60)
      // A line a backend, and the whole reason below, for each that does not run
      expect(narrow.filter((line) => /^(yes|no ) {2}\w/.test(line)).map((line) => line.split(/ +/)[1])).toEqual(['cuda', 'webgpu', 'native', 'wasm', 'js'])
      for (const line of narrow.filter((each) => each.startsWith('no '))) expect(narrow.some((each) => each.startsWith(`${line.split(/ +/)[1]}: `))).toBe(true)
    }
    expect(JSON.parse(cliWith({ FOCAL_LOSS_BACKEND: 'js' }, 'doctor', '--json').stdout)).toMatchObject({ chosen: 'js', mistake: null })
  })

  it('doctor advises no install of what is not on a registry', () => {
    expect(cli('doctor').stdout).not.toContain('npm install')
  })

  it('selftest passes', () => {
    const { status, stdout } = cli('selftest', '--json')
    const { passed, checks } = JSON.parse(stdout) as { passed: boolean; checks: { backend: string; passed: boolean }[] }
    expect(checks.filter((check) => !check.passed)).toEqual([])
    expect({ status, passed }).toEqual({ status: 0, passed: true })
    expect(checks.some(({ backend }) => backend === 'js')).toBe(true)
  })
})
