/** The losses on TensorFlow.js's webgl, of float32 and of half floats, and webgpu, in Chromium: composed and by default. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPage, type TestPage } from '../support/page.js'
import type { TfjsNumbers } from './tfjs_numbers_page.js'

let page: TestPage

beforeAll(async () => {
  page = await openPage(new URL('tfjs_numbers_page.ts', import.meta.url), { webgpu: true })
}, 60_000)

afterAll(() => page.close())

const numbers = async (query: string) => (await page.visit(query)).result as TfjsNumbers

/** What numbers of any size have. */
function expectDecisions({ areNumbers, metrics }: TfjsNumbers) {
  expect(areNumbers).toEqual([[true, false, false], [true, false, false]])
  const expected = [0.75, 1, 2 / 3, 1]
  metrics.forEach((metric, i) => expect(metric).toBeCloseTo(expected[i], 3))
}

describe.each([['composed of operations of TensorFlow.js', '&composed'], ['by default', '']])('the losses %s', (_, form) => {
  it.each(['webgl', 'webgpu'])('are within 2e-5 of the definition on %s', { timeout: 120_000 }, async (backend) => {
    const result = await numbers(`backend=${backend}${form}`)
    expect(result.backend).toBe(backend)
    expectDecisions(result)
    expect(result.agreements.length).toBeGreaterThan(25)
    expect(result.agreementsOfProbabilities).toHaveLength(form === '' ? result.agreements.length : 0)
    for (const { title, value, grad, isFinite } of [...result.agreements, ...result.agreementsOfProbabilities]) {
      expect({ title, isFinite }).toEqual({ title, isFinite: true })
      expect(value, title).toBeLessThan(2e-5)
      expect(grad, title).toBeLessThan(2e-5)
    }
    for (const { title, value, exact } of result.means) expect(Math.abs(value / exact - 1), title).toBeLessThan(2e-5)
  })

  it('are finite on half floats, and 0 nowhere where they should not be', { timeout: 120_000 }, async () => {
    const result = await numbers(`backend=webgl&half${form}`)
    expectDecisions(result)
    expect(result.agreements.map(({ title, isFinite, vanished }) => ({ title, isFinite, vanished }))).toEqual(
      result.agreements.map(({ title }) => ({ title, isFinite: true, vanished: 0 })),
    )
    for (const { title, coarse } of result.agreements) expect(coarse, title).toBeLessThan(0.05)
    for (const { title, isFinite, coarse } of result.agreementsOfProbabilities) {
      expect({ title, isFinite }).toEqual({ title, isFinite: true })
      expect(coarse, title).toBeLessThan(0.05)
    }
    for (const { title, value, exact } of result.means) expect(Math.abs(value / exact - 1), title).toBeLessThan(0.01)
  })
})
