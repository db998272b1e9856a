/** The fused losses of TensorFlow.js's webgl and webgpu backends in Chromium: against our own backends, and what they cost. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPage, type TestPage } from '../support/page.js'
import { expectTraining } from '../support/tfjs_training.js'
import type { GpuReport } from '../support/tfjs_gpu.js'

let page: TestPage

beforeAll(async () => {
  page = await openPage(new URL('tfjs_gpu_page.ts', import.meta.url), { webgpu: true })
}, 60_000)

afterAll(() => page.close())

it.each(['webgl', 'webgpu'])('losses are fused on %s', { timeout: 180_000 }, async (backend) => {
  const report = (await page.visit(`backend=${backend}`)).result as GpuReport
  expect(report.variants.length).toBeGreaterThan(90)
  for (const { title, value, grad } of report.variants) {
    expect(value, title).toBeLessThanOrEqual(1)
    expect(grad, title).toBeLessThanOrEqual(1)
  }
  for (const [reduction, { kernels, reads, tensorsLeft }] of Object.entries(report.costs)) {
    expect(kernels, reduction).toBeLessThanOrEqual(6)
    expect({ reduction, reads, tensorsLeft }).toEqual({ reduction, reads: 0, tensorsLeft: 0 })
  }
  expect(report.second).toBeLessThanOrEqual(1)
  expect(report.refused).toEqual([expect.stringMatching(/^a loss with gamma per class, labelSmoothingOf 'cross-entropy' or an asymmetric softmax cannot be composed/), expect.stringMatching(/^yTrue is .+; expected class indices, one per row$/)])
  expect(report.areNaN).toEqual(report.areNaN.map(() => [false, true, false]))
  expect(report.holes).toBe(0)
  expect(report.empty).toEqual([[0, 3], [0, 0, 2, 0, 3], [0, 3]])
  expectTraining(report.training)
  for (const error of report.shapes) expect(error).toBeLessThanOrEqual(1)
  expect(report.unpacked).toBeLessThanOrEqual(1)
})
