/** Losses on WebGPU in Node.js, by Dawn and SwiftShader: against values of 60 digits, and against the plain backend. */
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { SigmoidFocalLoss } from 'focal-loss'
import { runDawnChild } from '../../support/dawn.js'
import { goldenCases, nameOf } from '../../support/golden.js'
import { powersOf } from '../../support/losses.js'
import { allowedOnWebgpu } from '../../support/webgpu_errors.js'

interface CallErrors {
  readonly title: string
  readonly value: number
  readonly grad: number
  readonly hess: number
  /** Whether value and gradient are those of the call without second derivatives. */
  readonly same: boolean
  readonly fromHost: number
}

export interface WebgpuReport {
  readonly golden: { readonly index: number; readonly value: number; readonly grad: number }[]
  /** `bounded`: how many second derivatives are at their bound. */
  readonly calls: (CallErrors & { readonly bounded: number })[]
  readonly probabilities: readonly CallErrors[]
  /** What kernels read and write, over what must be. */
  readonly traffic: readonly { readonly title: string; readonly ratio: number }[]
  /** Of buffers with what is no probability. */
  readonly areNaN: readonly boolean[]
  readonly refused: readonly string[]
  readonly before: number
}

describe('on WebGPU', { timeout: 600_000 }, () => {
  let report: WebgpuReport

  beforeAll(() => {
    report = runDawnChild(['--import', 'tsx', fileURLToPath(new URL('child.ts', import.meta.url))]) as WebgpuReport
  }, 600_000)

  it('golden values are within 4e-6, and 1e-5 where powers take a logarithm', () => {
    expect(report.golden.length).toBeGreaterThan(50)
    for (const { index, value, grad } of report.golden) {
      const one = goldenCases[index]
      const most = allowedOnWebgpu('float32', 'grad', ...powersOf(one.loss, one.options))
      expect(value, nameOf(one, index)).toBeLessThan(most)
      expect(grad, nameOf(one, index)).toBeLessThan(most)
    }
  })

  it('buffers and arrays of the host give the sums of the plain backend, in one stretch and in several', () => {
    expect(report.calls).toHaveLength(48)
    expectClose(report.calls)
    for (const { title, bounded } of report.calls) expect(bounded, title).toBeGreaterThan(0)
  })

  it('probabilities do, too', () => {
    expect(report.probabilities).toHaveLength(3)
    expectClose(report.probabilities)
  })

  it('what is no probability in a buffer, or a row whose sum is not 1, makes value and gradient NaN', () => {
    expect(report.areNaN).toEqual([true, true, true, true])
  })

  it('little more is read and written than must be', () => {
    expect(report.traffic).toHaveLength(8)
    for (const { title, ratio } of report.traffic) {
      expect(ratio, title).toBeGreaterThanOrEqual(1)
      expect(ratio, title).toBeLessThanOrEqual(1.25)
    }
  })

  it('what cannot be is an error that says what to do', () => {
    expect(report.refused).toEqual([
      'RangeError: targets[1] is 2; expected a number from 0 to 1',
      'TypeError: logits is a Float64Array of length 2; expected a Float32Array, as kernels of WebGPU compute in float32',
      'RangeError: value has usage 8; expected GPUBufferUsage.STORAGE among it',
      'RangeError: logits has 16 bytes; expected at least 20, 5 numbers of 4 bytes',
      "TypeError: targetKind is undefined; expected one of 'labels', 'class-index'",
      expect.stringMatching(/^TypeError: loss is .+; expected a loss of this package, as one from functions has no kernel$/),
      'TypeError: device is an object; expected an object with the methods createBuffer and createComputePipeline and createCommandEncoder',
      "RangeError: 64 times 2000 logits take 512000 bytes; expected at most 3940, the device's maxStorageBufferBindingSize: request a device with a larger one, or give fewer at a time",
      expect.stringMatching(/^BackendError: The GPU device is lost \(.+\); request another adapter and device, and make buffers and losses on it\.$/),
    ])
    expect(report.before).toBeCloseTo(new SigmoidFocalLoss().value(Float32Array.of(1), [1]), 6)
  })
})

function expectClose(calls: readonly CallErrors[]): void {
  for (const { title, value, grad, hess, same, fromHost } of calls) {
    expect(value, title).toBeLessThan(1e-6)
    expect(grad, title).toBeLessThan(2e-6)
    expect(hess, title).toBeLessThan(4e-6)
    expect(same, title).toBe(true)
    expect(fromHost, title).toBeLessThan(2e-6)
  }
}
