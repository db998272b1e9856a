/** The example of data-parallel training: every number of ranks trains the same model, and a killed job goes on where it was. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { runJob } from './job.js'

const program = ['--import', 'tsx', fileURLToPath(new URL('../../examples/data-parallel/main.ts', import.meta.url))]
const folder = mkdtempSync(join(tmpdir(), 'focal-loss-mpi-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Eight images in batches of three: some ranks have none of a batch. */
const small = ['--images', '14', '--epochs', '2', '--batch', '3']

function trainOn(size: number, ...options: string[]) {
  const file = join(folder, `losses-${size}-${options.join('').replaceAll(/\W/g, '')}.json`)
  const result = runJob(size, ...program, ...small, ...options, '--losses', file)
  return { ...result, losses: existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as number[]) : [] }
}

describe.each([
  ['float64', 1e-12],
  ['float32', 1e-6],
] as const)('in %s', (precision, tolerance) => {
  it('the losses of all steps are those of one process, with 2, 3 and 4 ranks', () => {
    const [alone, ...others] = [1, 2, 3, 4].map((size) => trainOn(size, '--precision', precision))
    expect(alone.stderr).toBe('')
    expect(alone.losses.length).toBeGreaterThan(4)
    for (const { status, losses } of others) {
      expect(status).toBe(0)
      expect(losses).toHaveLength(alone.losses.length)
      losses.forEach((loss, step) => expect(Math.abs(loss / alone.losses[step] - 1)).toBeLessThanOrEqual(tolerance))
    }
  }, 200_000)
})

it('a job whose rank is killed ends, and goes on from its checkpoint on another number of ranks', () => {
  const whole = trainOn(1, '--precision', 'float64')
  const checkpoint = ['--precision', 'float64', '--checkpoint', join(folder, 'checkpoint.json'), '--every', '2']
  const killed = trainOn(3, ...checkpoint, '--kill', '1:3')
  expect(killed.status).not.toBe(0)
  expect(killed.seconds).toBeLessThan(60)
  expect(killed.losses).toEqual([])
  const resumed = trainOn(2, ...checkpoint)
  expect(resumed.status).toBe(0)
  // Steps 0 and 1 were saved
  expect(resumed.losses).toHaveLength(whole.losses.length - 2)
  resumed.losses.forEach((loss, at) => expect(Math.abs(loss / whole.losses[at + 2] - 1)).toBeLessThanOrEqual(1e-12))
  expect(trainOn(2, ...checkpoint).stdout).toContain('Nothing was left to do.')
}, 200_000)

it('progress and results come from the first rank alone', () => {
  const { stdout } = trainOn(3)
  expect(stdout.match(/^Ranks: 3, /gm)).toHaveLength(1)
  expect(stdout.match(/steps in/g)).toHaveLength(1)
}, 100_000)
