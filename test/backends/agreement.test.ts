/** Every backend and every instruction set against the plain one, on random problems over all options and layouts. */
import { afterAll, describe, expect, it } from 'vitest'
import type { BackendName } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import { disagreements, outcomeOf } from '../support/agreement.js'
import { isas, useMachine } from '../support/native.js'
import { randomProblems } from '../support/problems.js'

const problems = randomProblems(2500, 12345)
const expected = problems.map((problem) => outcomeOf(problem, 'js'))

function expectAgreement(backend: BackendName): void {
  expect(disagreements(backend, problems, expected).slice(0, 5)).toEqual([])
}

describe('the random problems', () => {
  it('are of all kinds, and some are refused', () => {
    const refused = expected.filter((outcome) => typeof outcome === 'string')
    expect(refused.length).toBeGreaterThan(50)
    expect(refused.every((error) => /^RangeError: targets\[\d+\] is /.test(error))).toBe(true)
    expect(refused.length).toBeLessThan(problems.length / 5)
    expect(problems.filter(({ hess }) => hess).length).toBeGreaterThan(200)
  })
})

describe.each(testedBackends().filter((backend) => backend !== 'js'))('%s', (backend) => {
  it('agrees with js', () => expectAgreement(backend), 60_000)
})

describe.each(isas)('native, $name', ({ isa }) => {
  afterAll(() => useMachine(2))
  it.each([1, 3])('agrees with js on %d threads', (threads) => {
    useMachine(threads, isa)
    expectAgreement('native')
  }, 60_000)
})
