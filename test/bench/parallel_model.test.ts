/** The model of a step's time that docs/parallel.md has figures of. */
import { describe, expect, it } from 'vitest'
import { allReduceTime, networkOf, simulateStep, stepTime } from '../../bench/parallel/model.js'

const network = networkOf('a network', 20e-6, 80e-3)

describe('the model', () => {
  it('has what was measured on two ranks', () => {
    expect(allReduceTime(2, 4e6, network)).toBeCloseTo(80e-3, 10)
    expect(allReduceTime(2, 40, network) / 20e-6).toBeCloseTo(1, 1)
    expect(allReduceTime(1, 4e6, network)).toBe(0)
  })

  it('takes rounds of doubling for few numbers, and a ring for many', () => {
    expect(allReduceTime(8, 0, network)).toBeCloseTo(3 * 20e-6, 12)
    // 2 (P - 1) / P of the bytes, whatever P is
    expect(allReduceTime(1000, 4e9, network) / (4e9 * network.perByte)).toBeCloseTo(2, 1)
  })

  it.each([1, 2, 4, 8, 16])('is what a simulation of %i even ranks takes, and less than that of uneven ones', (ranks) => {
    for (const parameters of [1345, 25e6]) {
      const work = { compute: 0.1, parameters }
      expect(simulateStep(ranks, work, network, 0, 10)).toBeCloseTo(stepTime(ranks, work, network).step, 10)
      if (ranks > 1) expect(simulateStep(ranks, work, network, 0.05, 100)).toBeGreaterThan(stepTime(ranks, work, network).step)
    }
  })
})
