/** The losses on TensorFlow.js's webgpu backend in Node.js, by Dawn and SwiftShader: against our own backends. */
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { runDawnChild } from '../../support/dawn.js'
import { expectTraining } from '../../support/tfjs_training.js'
import type { GpuReport } from '../../support/tfjs_gpu.js'

describe('on the webgpu backend of TensorFlow.js', { timeout: 600_000 }, () => {
  let report: GpuReport

  beforeAll(() => {
    report = runDawnChild(['--import', 'tsx', fileURLToPath(new URL('dawn_child.ts', import.meta.url))]) as GpuReport
  }, 600_000)

  it('every loss has its value and gradient', () => {
    expect(report.variants.length).toBeGreaterThan(90)
    for (const { title, value, grad } of report.variants) {
      expect(value, title).toBeLessThanOrEqual(1)
      expect(grad, title).toBeLessThanOrEqual(1)
    }
  })

  it('value and gradient take at most six kernels, read nothing and leave no tensor', () => {
    for (const [reduction, { kernels, programs, reads, tensorsLeft }] of Object.entries(report.costs)) {
      expect(kernels, reduction).toBeLessThanOrEqual(6)
      expect(programs, reduction).toBeLessThanOrEqual(6)
      expect({ reduction, reads, tensorsLeft }).toEqual({ reduction, reads: 0, tensorsLeft: 0 })
    }
  })

  it('second derivatives are those of the composed form', () => expect(report.second).toBeLessThanOrEqual(1))

  it('says where there are none, and where labels are not taken', () => {
    expect(report.refused).toEqual([expect.stringMatching(/^a loss with gamma per class, labelSmoothingOf 'cross-entropy' or an asymmetric softmax cannot be composed/), expect.stringMatching(/^yTrue is .+; expected class indices, one per row$/)])
  })

  it('a target that is none makes its sample NaN, and no other', () => {
    expect(report.areNaN).toEqual(report.areNaN.map(() => [false, true, false]))
  })

  it('what is ignored may hold anything', () => expect(report.holes).toBe(0))

  it('a batch without logits costs nothing', () => expect(report.empty).toEqual([[0, 3], [0, 0, 2, 0, 3], [0, 3]]))

  it('trains by trainOnBatch, and by fit with classWeight and ignored labels, in far fewer kernels and as on the cpu backend', () => expectTraining(report.training))

  it('tensors may have any rank', () => {
    for (const error of report.shapes) expect(error).toBeLessThanOrEqual(1)
  })
})
