/** The example of data-parallel training: every number of ranks trains the same model, and a killed job goes on where it was. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { launcher, run, runJob } from './job.js'

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

it('the losses of all steps are those of one process, with 1, 2, 3 and 4 ranks: the command that says so', () => {
  const equality = fileURLToPath(new URL('../../examples/data-parallel/equality.ts', import.meta.url))
  const { status, stdout, stderr } = run(process.execPath, '--import', 'tsx', equality, ...small, '--launcher', launcher)
  expect(stderr).toBe('')
  expect(status).toBe(0)
  const rows = [...stdout.matchAll(/^ +(\d) +(\S+) +(\S+)$/gm)].map((row) => row.slice(1).map(Number))
  expect(rows.map(([ranks]) => ranks)).toEqual([1, 2, 3, 4])
  for (const [, float64, float32] of rows) {
    expect(float64).toBeLessThanOrEqual(1e-12)
    expect(float32).toBeLessThanOrEqual(1e-6)
  }
  // In another order the sums are rounded otherwise: these are figures, not zeros that stand for nothing
  expect(rows[3][2]).toBeGreaterThan(0)
}, 320_000)

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
  expect(resumed.stdout).toContain(`Goes on after step 2 of ${whole.losses.length}, from `)
  resumed.losses.forEach((loss, at) => expect(Math.abs(loss / whole.losses[at + 2] - 1)).toBeLessThanOrEqual(1e-12))
  expect(trainOn(2, ...checkpoint).stdout).toContain('Nothing was left to do.')
}, 200_000)

it('a checkpoint that is none, or of another training, is one sentence', () => {
  const file = join(folder, 'damaged.json')
  writeFileSync(file, '{"format":2,"step":')
  const damaged = trainOn(2, '--checkpoint', file)
  expect(damaged.status).not.toBe(0)
  expect(damaged.stderr).toContain(`rank 0 of 2: --checkpoint ${file}: is no checkpoint of this network; expected another file, or none`)
  const other = join(folder, 'other.json')
  expect(trainOn(1, '--checkpoint', other).status).toBe(0)
  expect(trainOn(2, '--checkpoint', other, '--seed', '2').stderr).toContain(`rank 0 of 2: --checkpoint ${other}: is of images 8, batch 3, seed 1, learningRate 0.005, precision float32; expected images 8, batch 3, seed 2,`)
}, 200_000)

it('progress and results come from the first rank alone', () => {
  const { stdout } = trainOn(3)
  expect(stdout.match(/^Ranks: 3, /gm)).toHaveLength(1)
  expect(stdout.match(/steps in/g)).toHaveLength(1)
}, 100_000)
