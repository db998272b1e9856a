/** Jobs of processes over TCP: long arrays, and ranks that are lost in every way. None may hang. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../../support/ports.js'

const program = fileURLToPath(new URL('../../../support/tcp_rank.ts', import.meta.url))

interface Outcome {
  readonly answer: Record<string, unknown> | undefined
  readonly code: number | null
  readonly stderr: string
}

async function run(scenario: string, size: number, timeout: number): Promise<Outcome[]> {
  const port = await freePort()
  const children = Array.from({ length: size }, (_, rank) => spawn(process.execPath, ['--import', 'tsx', program, scenario, ...[port, rank, size, timeout].map(String)]))
  const ends = children.map(outcomeOf)
  // One that is stopped ends by nothing else
  if (scenario === 'stop') void Promise.all(ends.slice(0, -1)).then(() => children[size - 1].kill('SIGKILL'))
  return Promise.all(ends)
}

async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) child[name]?.on('data', (data: Buffer) => (texts[name] += data.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { answer: texts.stdout === '' ? undefined : (JSON.parse(texts.stdout) as Record<string, unknown>), code, stderr: texts.stderr }
}

describe('processes', () => {
  it('add up millions of numbers, and end by themselves', async () => {
    const outcomes = await run('large', 3, 60)
    for (const { answer, code, stderr } of outcomes) {
      expect(stderr).toBe('')
      expect(code).toBe(0)
      expect(answer).toMatchObject({ long: true, few: [3, 3] })
    }
  }, 100_000)

  it('wait no longer for a rank that computes for long while its answer is there', async () => {
    const outcomes = await run('busy', 2, 5)
    expect(outcomes.map(({ answer }) => answer)).toEqual([{ few: [2] }, { few: [2] }])
  }, 100_000)
})

describe('a rank that is lost is an error on all others', () => {
  it.each([
    ['kill', /^rank 2 of 3 has left the job, and its connection is closed(: .*)?$/],
    ['leave', /^rank 2 of 3 has left the job, and its connection is closed(: .*)?$/],
    ['throw', /^rank 2 of 3 has left the job, and its connection is closed(: .*)?$/],
    ['amid', /^rank 2 of 3 has left the job, and its connection is closed(: .*)?$/],
    ['stop', /^5 s have passed without a sign of rank [02] of 3$/],
  ])('%s', async (scenario, reason) => {
    const [first, second, third] = await run(scenario, 3, scenario === 'stop' ? 5 : 30)
    for (const { answer, code, stderr } of [first, second]) {
      expect(stderr).toBe('')
      expect(code).toBe(0)
      expect(answer?.reason).toMatch(reason)
      expect(answer?.again).toBe(answer?.reason)
      expect(answer?.seconds).toBeLessThan(20)
    }
    expect(third.answer).toBeUndefined()
    expect(third.stderr).toMatch(scenario === 'throw' ? /out of luck/ : /^$/)
  }, 100_000)

  it('rank 0 too', async () => {
    const [first, ...others] = await run('first', 3, 30)
    expect(first.answer).toBeUndefined()
    for (const { answer } of others) expect(answer?.reason).toMatch(/^rank 0 of 3 has left the job, and its connection is closed(: .*)?$/)
  }, 100_000)
})
