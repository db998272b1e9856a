import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

function cli(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', main, ...args], { encoding: 'utf8' })
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

  it('selftest passes', () => {
    const { status, stdout } = cli('selftest', '--json')
    const { passed, checks } = JSON.parse(stdout) as { passed: boolean; checks: { backend: string; passed: boolean }[] }
    expect(checks.filter((check) => !check.passed)).toEqual([])
    expect({ status, passed }).toEqual({ status: 0, passed: true })
    expect(checks.some(({ backend }) => backend === 'js')).toBe(true)
  })
})
