/** The timing loop on clocks that tick as those of browsers do. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { summarise } from '../../../src/cli/bench/statistics.js'
import { sampleCalls } from '../../../src/cli/bench/timing.js'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Time passes when something is done, and the clock shows whole ticks of it, in milliseconds. A look at it takes 0.1 µs. */
function useClock(tick: number): { pass(milliseconds: number): void } {
  let time = 0
  vi.spyOn(performance, 'now').mockImplementation(() => Math.floor((time += 1e-4) / tick) * tick)
  return { pass: (milliseconds) => (time += milliseconds) }
}

describe.each([0.005, 0.1, 1, 16])('a clock that ticks every %s ms', (tick) => {
  it.each([0.001, 0.05, 3])('times calls of %s ms', (cost) => {
    const clock = useClock(tick)
    const { median, minimum } = summarise(sampleCalls(() => clock.pass(cost), 0.12))
    expect(Math.abs((median * 1000) / cost - 1)).toBeLessThan(0.08)
    expect(minimum).toBeGreaterThan(0)
  })

  it('is not misled by what another program takes', () => {
    const clock = useClock(tick)
    let calls = 0
    // In the first call that is counted
    const { median } = summarise(sampleCalls(() => clock.pass(calls++ === 2401 ? 500 : 0.0125), 0.12))
    expect(Math.abs((median * 1000) / 0.0125 - 1)).toBeLessThan(0.08)
  })
})
