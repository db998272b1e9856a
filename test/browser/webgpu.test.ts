/** The backend webgpu and focal-loss/webgpu in Chromium, on its SwiftShader. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPage, type TestPage } from '../support/page.js'
import { expectWithin } from '../support/webgpu_limits.js'
import type { WebgpuPageReport } from './webgpu_page.js'

let page: TestPage

beforeAll(async () => {
  page = await openPage(new URL('webgpu_page.ts', import.meta.url), { webgpu: true })
}, 60_000)

afterAll(() => page.close())

it('losses run on WebGPU in a page', { timeout: 300_000 }, async () => {
  const report = (await page.visit()).result as WebgpuPageReport
  expect(report.before).toMatch(/^The webgpu backend has no device yet/)
  expect(report.description).toMatch(/^WebGPU in float32, asynchronous calls only/)
  expect(report.golden.length).toBeGreaterThan(90)
  expectWithin(report.golden)
  expectWithin(report.family)
  expectWithin(report.layouts)
  expectWithin(report.extremes)
  const { inside, ends, layouts } = report.probabilities
  expect([inside.length, ends.length, layouts.length]).toEqual([153, 82, 29])
  expectWithin([...inside, ...ends, ...layouts])
  expect(report.random.differences).toEqual([])
  expect(report.onBuffers).toHaveLength(2)
  for (const { value, grad } of report.onBuffers) {
    expect(value).toBeLessThan(1e-6)
    expect(grad).toBeLessThan(4e-6)
  }
  expect(report.onGiven).toBeCloseTo(0.0056645, 7)
})
