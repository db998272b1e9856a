/** Calls on buffers as they should not be, on WebGPU in Node.js, by Dawn and SwiftShader: each is an error that names what is wrong, or has a sensible result. */
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { SigmoidFocalLoss } from 'focal-loss'
import { runDawnChild } from '../../support/dawn.js'

interface Outcome {
  /** What the device says; nothing where the call is good. */
  readonly said: string
  readonly grad: readonly number[]
}

export interface HostileReport {
  readonly errors: Readonly<Record<string, string>>
  readonly foreign: Outcome
  readonly destroyed: Outcome
  readonly after: Outcome
  /** Of logits that are no numbers, or infinite, as text, as JSON has none of these. */
  readonly strange: string
  readonly empty: string
  readonly atOnce: string
}

const isLost = expect.stringMatching(/^BackendError: The GPU device is lost \(.+\); request another adapter and device, and make buffers and losses on it\.$/) as string
const tooMany = (classes: number) => `RangeError: classes is ${classes}; expected at most 16777216, as kernels of WebGPU read class indices in float32`
const noShape = 'expected an array of at least one integer'

describe('on WebGPU', { timeout: 120_000 }, () => {
  let report: HostileReport

  beforeAll(() => {
    report = runDawnChild(['--import', 'tsx', fileURLToPath(new URL('hostile_child.ts', import.meta.url))]) as HostileReport
  }, 120_000)

  it('what is wrong with a call is named, with what was expected and what came', () => {
    expect(report.errors).toEqual({
      'no buffers': 'TypeError: buffers is undefined; expected an object with GPUBuffers',
      'no call': 'TypeError: call options is null; expected an object with options',
      'a buffer too many': "TypeError: 'hess' is not an option of valueAndGrad(); expected one of logits, targets, value, grad, weights, mask",
      'no second derivatives': 'TypeError: hess is undefined; expected a GPUBuffer',
      'memory of the host': 'TypeError: grad is a Float32Array of length 4; expected a GPUBuffer',
      null: 'TypeError: targets is null; expected a GPUBuffer',
      'a gradient over its logits': 'RangeError: grad is the buffer of logits; expected a buffer of its own',
      'two results in one': 'RangeError: hess is the buffer of grad; expected a buffer of its own',
      mapped: 'RangeError: logits is mapped; expected a buffer after unmap(), as the GPU has no other',
      'too short': 'RangeError: weights has 4 bytes; expected at least 8, 2 numbers of 4 bytes',
      'no usage': 'RangeError: grad has usage 12; expected GPUBufferUsage.STORAGE among it',
      'another type': "RangeError: targetDtype is 'float64'; expected one of 'float32', 'int32', 'uint32'",
      'weights of elements': "RangeError: weightsPer is 'element'; expected one of 'row'",
      'memory taken away by a signal': 'TypeError: logits has lost its memory, as its buffer is detached (transferred to another thread, perhaps); expected an array that has it',
      'weights that are no buffer': 'TypeError: weights is 0; expected a GPUBuffer',
      'shape of bigints': 'TypeError: shape[0] is 2n; expected an integer >= 0',
      'shape with a hole': 'TypeError: shape[1] is undefined; expected an integer >= 0',
      'shape "4"': `TypeError: shape is '4'; ${noShape} > 0`,
      'shape []': `TypeError: shape is an array of length 0; ${noShape} >= 0`,
      'shape [0,4]': 'RangeError: shape[0] is 0; expected an integer > 0',
      'shape [2.5,2]': 'RangeError: shape[0] is 2.5; expected an integer >= 0',
      'shape [-1,-4]': 'RangeError: shape[0] is -1; expected an integer >= 0',
      'shape [1099511627776,1099511627776]': tooMany(2 ** 40),
      'shape [1e+200,1e+200]': 'RangeError: shape[0] is 1e+200; expected an integer >= 0',
      'shape [2,null]': 'RangeError: shape[1] is NaN; expected an integer >= 0',
      'too many classes': tooMany(2 ** 25),
      'another axis': 'RangeError: classAxis is 2; expected an integer from -2 to 1',
      'a denominator of 0': 'RangeError: normalizer is 0; expected a finite number > 0',
      'a scale below 0': 'RangeError: gradScale is -1; expected a finite number > 0',
      'a bound of NaN': 'RangeError: clampHess is NaN; expected a finite number',
      'a background among the classes': 'RangeError: background is 1; expected an integer outside the classes 0..1 of a softmax',
      'no kind': "TypeError: targetKind is undefined; expected one of 'labels', 'class-index'",
      'lost in a call': isLost,
      lost: isLost,
    })
  })

  it('a buffer of another device, or a destroyed one, is an error of the device, and nothing is written', () => {
    expect(report.foreign.said).toMatch(/^\[Buffer.*\] is associated with \[Device.*focal-loss: uniforms, logits, targets, result, grad/s)
    expect(report.destroyed.said).toMatch(/used in submit while destroyed.*focal-loss/s)
    for (const { grad } of [report.foreign, report.destroyed]) expect(grad).toEqual([7, 7, 7, 7])
    const { grad } = new SigmoidFocalLoss({ backend: 'js' }).valueAndGrad(Float32Array.of(1, -1, 0.5, 2), [1, 0, 0, 1])
    expect(report.after.said).toBe('')
    report.after.grad.forEach((each, i) => expect(each).toBeCloseTo(grad[i], 7))
  })

  it('a NaN among logits makes the loss NaN, and its own derivatives; infinite ones have their limits', () => {
    expect(JSON.parse(report.strange)).toEqual({
      value: ['NaN'],
      grad: ['NaN', 0, 0, expect.closeTo(-0.0012177, 6)],
      hess: ['NaN', 0, 0, expect.closeTo(0.0031694, 6)],
    })
  })

  it('no logits cost 0, and a device that is being lost throws nothing until it is known to be', () => {
    expect(report.empty).toBe('0')
    expect(report.atOnce).toBe('nothing was thrown')
  })
})
