/** The backend webgpu in Node.js, by Dawn and SwiftShader: golden values, random problems against the plain backend, extremes, slices, errors. */
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { runDawnChild } from '../../support/dawn.js'
import { expectWithin } from '../../support/webgpu_limits.js'
import type { BackendReport } from './child.js'

const noDevice = "The webgpu backend has no device yet: await init('webgpu') opens one, and init('webgpu', { device }) takes yours."
const onlyAsynchronous = 'TypeError: the webgpu backend has asynchronous calls only; await valueAndGradAsync() or valueGradAndHessAsync(), or use another backend'
const isLost = /^(BackendError: )?The GPU device is lost \(.+\); await init\('webgpu'\) opens another\.$/

describe('webgpu', { timeout: 600_000 }, () => {
  let report: BackendReport

  beforeAll(() => {
    report = runDawnChild(['--import', 'tsx', fileURLToPath(new URL('child.ts', import.meta.url))]) as BackendReport
  }, 600_000)

  it('has no device before init, and one after it', () => {
    expect(report.before).toEqual({
      line: { name: 'webgpu', available: false, description: '', reason: noDevice },
      set: `BackendError: ${noDevice}`,
      call: `BackendError: ${noDevice}`,
    })
    expect(report.ready).toMatchObject({ name: 'webgpu', line: { available: true, reason: '' }, chosen: 'webgpu' })
    expect(report.ready.line?.description).toMatch(/^WebGPU in float32, asynchronous calls only, .+/)
  })

  it('has the golden values within 4e-6, and 1e-5 where powers take a logarithm', () => {
    expect(report.golden.length).toBeGreaterThan(90)
    expectWithin(report.golden)
  })

  it('has those of gamma per class, of a smoothed cross entropy and of asymmetric softmaxes, in any layout', () => {
    expect(report.family).toHaveLength(25)
    expectWithin(report.family)
    expect(report.layouts).toHaveLength(12)
    expectWithin(report.layouts)
  })

  it('computes losses of probabilities, at 0 and 1 too, and in any layout', () => {
    const { inside, ends, layouts } = report.probabilities
    expect([inside.length, ends.length, layouts.length]).toEqual([153, 82, 29])
    expectWithin([...inside, ...ends, ...layouts])
    expect(report.halfProbabilities).toHaveLength(36)
    // One step is two units of the last place below a power of 2
    for (const { title, error } of report.halfProbabilities) expect(error, title).toBeLessThanOrEqual(2)
  })

  it('agrees with js on random problems of all options and layouts, and on what is refused', () => {
    expect(report.random.refused).toBeGreaterThan(5)
    expect(report.random.differences).toEqual([])
  })

  it('has its limits at the ends of the range', () => {
    expect(report.extremes).toHaveLength(68)
    expectWithin(report.extremes)
  })

  it('runs what is longer than a binding in slices', () => {
    expect(report.slices).toHaveLength(24)
    for (const { title, value, grad, hess } of report.slices) {
      expect(value, title).toBeLessThan(1e-6)
      expect(grad, title).toBeLessThan(4e-6)
      expect(hess, title).toBeLessThan(4e-6)
    }
  })

  it('takes half precision, outputs over the logits, shared memory, and the expected curvature', () => {
    // In half precision a unit in the last place of numbers up to 4096, as gradients are scaled
    const most = { float16: 2, bfloat16: 16 }
    expect(report.halves).toHaveLength(7)
    for (const { title, error } of report.halves) expect(error, title).toBeLessThanOrEqual(title in most ? most[title as keyof typeof most] : 4e-6)
  })

  it('names what it does not have', () => {
    expect(report.refused).toEqual([
      onlyAsynchronous,
      onlyAsynchronous,
      onlyAsynchronous,
      'TypeError: logits is a Float64Array of length 1; expected a Float32Array, or half precision, as kernels of WebGPU compute in float32',
      'RangeError: targets[2] is 2; expected a number from 0 to 1',
      'RangeError: targets[1] is 2; expected a class in 0..1 (classes count from 0; set background or ignoreIndex to allow others)',
      'RangeError: targets[0] is 0; expected a class that mask leaves in its row',
      'RangeError: grad overlaps targets in memory; expected memory of its own',
      "RangeError: logits[1] is 1.5; expected a number from 0 to 1, as inputs is 'probabilities'",
      "RangeError: logits[0] is 2; expected a number from 0 to 1, as inputs is 'probabilities'",
      "RangeError: row 1 of logits has the sum 0.75; expected the sum 1, within 0.001 (renormalize: true divides rows by theirs), as inputs is 'probabilities'",
      'TypeError: device is 0; expected an object with the methods createBuffer and createComputePipeline and createCommandEncoder',
      "TypeError: workers is given with backend 'webgpu'; expected backend 'wasm'",
      "RangeError: classes is 200; expected at most 75, as the device's buffers have 300 bytes",
    ])
  })

  it('stops when it is aborted, and writes nothing then', () => {
    expect(report.aborted).toEqual({ error: 'AbortError: This operation was aborted', written: false })
  })

  it('says that its device is lost, and gets another', () => {
    const { inCall, line, next, again, value } = report.lost
    expect(inCall).toMatch(isLost)
    expect(next).toMatch(isLost)
    expect(line).toMatchObject({ available: false, description: '', reason: expect.stringMatching(isLost) as string })
    expect({ again, value }).toEqual({ again: 'webgpu', value: expect.closeTo(0.0056645, 7) as number })
  })
})
