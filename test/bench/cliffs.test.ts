import { describe, expect, it } from 'vitest'
import { cliffCases, fastRoads } from '../../bench/cliff_cases.js'
import { cliffTable, runCliffs } from '../../bench/cliffs.js'

describe('the calls beside the fast road', { timeout: 30_000 }, () => {
  const quick = { size: 9_600, rounds: 1, seconds: 0, repeats: 1 }

  it('are compared with it, each with what it must reach', async () => {
    const seen: string[] = []
    const rows = await runCliffs({ ...quick, cases: cliffCases, who: ['native-1', 'wasm'] }, (what) => seen.push(what))
    expect(rows).toHaveLength(2 * (cliffCases.length + fastRoads.length))
    expect(seen).toHaveLength(rows.length)
    for (const { nanosecondsPerLogit, ratio, reach, aim, overOther } of rows) {
      expect(nanosecondsPerLogit).toBeGreaterThan(0)
      expect(overOther).toBeNull()
      // A fast road has no ratio to itself
      expect([ratio, reach, aim].map((number) => typeof number)).toEqual(Array(3).fill(ratio === null ? 'object' : 'number'))
    }
    expect(rows.filter(({ ratio }) => ratio === null)).toHaveLength(2 * fastRoads.length)
    expect(cliffTable(rows)).toMatch(/native, 1 thread . mask per element [^]*wasm +. softmax of 2 /)
  })

  it('are also compared with another build', async () => {
    const plan = { ...quick, cases: cliffCases.slice(0, 1), who: ['wasm'], other: await import('focal-loss') } as const
    const rows = await runCliffs(plan, () => undefined)
    for (const { overOther } of rows) expect(overOther).toBeGreaterThan(0)
    expect(cliffTable(rows)).toContain('over the other build')
  })
})
