/** Jobs of MPI ranks, which scripts/test-mpi.sh runs: this needs an MPI and the addon over it, which nothing else does. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { isOpenMpi } from '../../examples/data-parallel/launch.js'
import { launcher, runJob } from './job.js'

const program = fileURLToPath(new URL('./rank.mjs', import.meta.url))
/** Runs a scenario on so many ranks. */
function job(size: number, ...scenario: string[]) {
  const { stdout, ...result } = runJob(size, program, ...scenario)
  return { ...result, lines: stdout.split('\n').filter((line) => /^[[{]/.test(line)).map((line) => JSON.parse(line) as unknown) }
}

/** Of a job that ends, on a busy machine: far less than for ever. */
const MOST_SECONDS = 80

describe('a job of MPI ranks', () => {
  it.each([1, 2, 3, 4])('of %i has the loss and the gradients of one process', (size) => {
    const { status, lines, stderr } = job(size, 'loss')
    expect(stderr).toBe('')
    expect(status).toBe(0)
    const [far] = lines as { size: number; float32: number; float64: number }[]
    expect(far.size).toBe(size)
    expect(far.float32).toBeLessThan(1e-6)
    expect(far.float64).toBeLessThan(1e-12)
  }, 100_000)

  it('adds up arrays of both types, waiting and not, broadcasts, and meets at a barrier', () => {
    const { status, lines } = job(3, 'reduce')
    expect(status).toBe(0)
    expect(lines).toEqual([{ long: true, first: 3, second: 3, turns: expect.any(Number) as number, sent: [2, 20], library: expect.stringMatching(isOpenMpi(launcher) ? /^Open MPI v[\d.]+$/ : /^MPICH [\d.]+$/) as string }])
    // 200 ms in which the event loop of a waiting rank turned
    expect((lines[0] as { turns: number }).turns).toBeGreaterThan(10)
  }, 100_000)

  it('goes on after a batch that one rank refuses', () => {
    const { status, lines } = job(3, 'refused')
    expect(status).toBe(0)
    const messages = (lines as { rank: number; message: string }[]).toSorted((a, b) => a.rank - b.rank).map(({ message }) => message)
    expect(messages).toEqual(['1 of 3 ranks refused their part of the batch; their errors say why', 'targets[0] is 7; expected a number from 0 to 1'])
  }, 100_000)

  it('says what is no array of its, and no rank', () => {
    expect(job(2, 'wrong').lines).toEqual([
      [
        'TypeError: array is no Float32Array or Float64Array; expected one',
        'TypeError: array is no Float32Array or Float64Array; expected one',
        'RangeError: root is 9; expected an integer from 0 to 1',
        'RangeError: timeout is 0; expected a finite number of seconds > 0',
      ],
    ])
  }, 100_000)
})

it("the launcher of another MPI, whose ranks would each train alone, is an error", () => {
  // As the other one tells its ranks
  const env = { ...process.env, [isOpenMpi(launcher) ? 'PMI_SIZE' : 'OMPI_COMM_WORLD_SIZE']: '3' }
  const { status, stderr } = spawnSync(process.execPath, [program, 'loss'], { encoding: 'utf8', env, timeout: 60_000 })
  expect(status).toBe(1)
  expect(stderr).toMatch(/Error: the launcher has started 3 ranks, of which (Open MPI|MPICH) \S+ sees one; expected the mpirun of \1 \S+, which @focal-loss\/mpi was built for/)
}, 100_000)

describe('a rank that is lost ends the job', () => {
  it('by an error, which is told', () => {
    const { status, stderr, seconds } = job(3, 'end', 'throw')
    expect(status).toBe(1)
    expect(stderr).toContain('rank 1 of 3 ends the job: Error: out of luck')
    expect(seconds).toBeLessThan(MOST_SECONDS)
  }, 100_000)

  it.each(['kill', '3'])('by %s', (how) => {
    const { status, seconds } = job(3, 'end', how)
    expect(status).not.toBe(0)
    expect(seconds).toBeLessThan(MOST_SECONDS)
  }, 100_000)

  it('by leaving early as if all was well', () => {
    const { status, stderr, seconds } = job(3, 'end', '0')
    expect(status).toBe(1)
    expect(stderr).toMatch(/rank [012] of 3 ends the job: Error: (allReduce|the end of the program) has waited 2 s for the other ranks; one has ended, hangs, or calls something else/)
    expect(seconds).toBeLessThan(MOST_SECONDS)
  }, 100_000)

  it.each(['4', '100000'])('by not coming, to an all-reduce of %s numbers', (length) => {
    const { status, stderr } = job(2, 'leave', length)
    expect(status).toBe(1)
    expect(stderr).toContain('rank 0 of 2 ends the job: Error: allReduce has waited 2 s for the other ranks')
  }, 100_000)
})
