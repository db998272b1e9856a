/** Distribution focal loss: the two-bin cross entropy of positions, on every backend. */
import * as tf from '@tensorflow/tfjs-core'
import { DistributionFocalLoss, gradcheck, SoftmaxFocalLoss } from 'focal-loss'
import { tfLoss } from 'focal-loss/tfjs'
import { webgpuLoss } from 'focal-loss/webgpu'
import { describe, expect, it } from 'vitest'
import golden from '../conformance/family/golden.json' with { type: 'json' }
import { testedBackends } from '../support/backends.js'
import { allowed, largestError } from '../support/closeness.js'
import { logitsOf, precisions } from '../support/losses.js'
import { seeded } from '../support/random.js'
import { thrownBy } from '../support/thrown.js'

const cases = golden.cases.filter(({ loss }) => loss === 'DistributionFocalLoss')

/** As mmdetection's distribution_focal_loss has it: cross entropy of the bin to the left and of that to the right. */
function reference(row: readonly number[], position: number): number {
  const whole = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0))
  const left = Math.trunc(position)
  return (whole - row[left]) * (left + 1 - position) + (whole - row[left + 1]) * (position - left)
}

const row = [0.5, -1, 2, 0.25]

describe.each(testedBackends())('%s', (backend) => {
  it.each(precisions)('has the 60-digit values in %s', (precision) => {
    expect(cases).toHaveLength(4)
    const loss = new DistributionFocalLoss({ reduction: 'none', backend })
    for (const { shape, logits, targets, expected, terms } of cases) {
      const { value, grad } = loss.valueAndGrad(logitsOf(precision, logits), targets, { shape })
      expect(largestError(value, expected.value)).toBeLessThanOrEqual(allowed(precision, 'value'))
      expect(largestError(grad, expected.grad, terms.grad)).toBeLessThanOrEqual(allowed(precision, 'grad'))
    }
  })

  it('is the reference of mmdetection', () => {
    const positions = [0, 0.3, 1.75, 2.5, 2.9]
    const logits = Float64Array.from(positions.flatMap(() => row))
    const value = new DistributionFocalLoss({ reduction: 'none', backend }).value(logits, positions)
    positions.forEach((y, r) => expect(value[r]).toBeCloseTo(reference(row, y), 12))
    // Its weights multiply, and what it divides by is the caller's
    const weights = [1, 2, 0, 0.5, 1]
    const sum = positions.reduce((sum, y, r) => sum + reference(row, y) * weights[r], 0)
    expect(new DistributionFocalLoss({ backend }).value(logits, positions, { weights, normalizer: 4.5 })).toBeCloseTo(sum / 4.5, 12)
    // nanodet's test: weights of 0 cost nothing
    expect(new DistributionFocalLoss({ backend }).value(logits, positions, { weights: [0, 0, 0, 0, 0] })).toBe(0)
  })

  it('at a bin is the cross entropy of that bin, the last one too', () => {
    const logits = Float32Array.from([...row, ...row])
    const at = new DistributionFocalLoss({ backend }).valueAndGrad(logits, Uint8Array.of(1, 3))
    const entropy = new SoftmaxFocalLoss({ gamma: 0, backend }).valueAndGrad(logits, Int32Array.of(1, 3))
    expect(at).toEqual(entropy)
  })

  it('has the gradient of its value, with positions from any array, over any class axis', async () => {
    const random = seeded(3)
    const logits = Float64Array.from({ length: 60 }, () => random.between(-4, 4))
    const positions = Float32Array.from({ length: 12 }, () => random.between(0, 4))
    const loss = new DistributionFocalLoss({ classWeights: [1, 2, 0.5, 1, 3], backend })
    const call = { shape: [3, 5, 4], classAxis: 1, weights: positions.map((_, r) => r % 3), mask: positions.map((_, r) => Number(r !== 2)) }
    expect(gradcheck(loss, logits, positions, { call }).passed).toBe(true)
    const all = loss.valueAndGrad(logits, positions, call)
    expect(loss.valueGradAndHess(logits, positions, call)).toMatchObject({ value: all.value, hess: { length: 60 } })
    expect(loss.valueAndGrad(logits, Array.from(positions), call)).toEqual(all)
    expect(await loss.valueAndGradAsync(logits, positions, call)).toEqual(all)
    expect(loss.accumulator().add(logits, positions, call).value).toBe(all.value)
    // Logits of half precision, all 0
    const { value } = new DistributionFocalLoss({ backend }).valueAndGrad(new Uint16Array(8), [0.25, 2], { dtype: 'bfloat16', shape: [2, 4] })
    expect(value).toBeCloseTo(Math.log(4), 6)
  })

  it('counts every valid row as a positive', () => {
    const logits = Float64Array.from([...row, ...row, ...row, ...row])
    const positions = [0.5, -1, 2.2, 1]
    const loss = new DistributionFocalLoss({ ignoreIndex: -1, reduction: 'mean-positives', backend })
    const sums = loss.sums(logits, positions, { mask: [1, 1, 1, 0] })
    expect(sums).toMatchObject({ rows: 2, positives: 2 })
    const { value, grad } = loss.valueAndGrad(logits, positions, { mask: [1, 1, 1, 0] })
    expect(value).toBeCloseTo((reference(row, 0.5) + reference(row, 2.2)) / 2, 12)
    expect(grad.subarray(4, 8)).toEqual(new Float64Array(4))
    expect(loss.denominator(sums)).toBe(2)
    const missing = new DistributionFocalLoss({ ignoreIndex: NaN, backend })
    expect(missing.value(logits, [0.5, NaN, 2.2, NaN])).toBeCloseTo(value, 12)
  })

  it('names the position that is none', async () => {
    const logits = new Float32Array(8)
    const run = (targets: unknown, call: object = {}, options: object = {}) => () => new DistributionFocalLoss({ backend, ...options }).valueAndGrad(logits, targets as number[], call)
    const bad = [
      [run([1, 3.5]), new RangeError('targets[1] is 3.5; expected a position from 0 to 3')],
      [run([1, -0.1], {}, { ignoreIndex: -1 }), new RangeError('targets[1] is -0.1; expected a position from 0 to 3 or ignoreIndex -1')],
      [run([NaN, 1]), new RangeError('targets[0] is NaN; expected a position from 0 to 3 (ignoreIndex: NaN leaves targets that are NaN out)')],
      [run([1, 1, 1]), new RangeError('targets has length 3; expected a divisor of 8, one position per row')],
      [run([1], { shape: [2, 4] }), new RangeError('targets has length 1; expected 2, one position per row')],
      [run([1, 2], { targetKind: 'labels' }), new TypeError("targetKind is 'labels'; expected undefined, as targets are positions")],
      [run([1, 2], { classAxis: 1 }), new TypeError('classAxis is given without shape; expected both')],
      [run([1, 1.5], { mask: [1, 1, 1, 1, 1, 1, 0, 1], shape: [2, 4] }), new RangeError('targets[1] is 1.5; expected a position between bins that mask leaves in its row, and bin 2 is taken out')],
    ] as const
    for (const [run, error] of bad) expect(await thrownBy(run)).toEqual(error)
    // A masked row may hold anything
    expect(run([1, 99], { mask: [1, 0] })().value).toBeCloseTo(Math.log(4), 6)
  })
})

it('has the posterior of a softmax, whose mean is the position', () => {
  const loss = new DistributionFocalLoss()
  const p = loss.toProbability(Float64Array.from(row), { shape: [1, 4] })
  const whole = row.reduce((sum, x) => sum + Math.exp(x), 0)
  expect(Array.from(p)).toEqual(row.map((x): unknown => expect.closeTo(Math.exp(x) / whole, 12)))
  expect(Array.from(loss.priorBias([0.1, 0.2, 0.3, 0.4]))).toEqual([0.1, 0.2, 0.3, 0.4].map((p): unknown => expect.closeTo(Math.log(p), 12)))
})

it('is explained as rows', () => {
  const { losses, example } = new DistributionFocalLoss().explain(Float64Array.from([...row, ...row]), [0.5, 2])
  expect(example).toBe('row')
  expect(losses[0].all.loss).toBeCloseTo(reference(row, 0.5) + reference(row, 2), 10)
})

it('refuses what it has not', () => {
  expect(() => new DistributionFocalLoss({ background: -1 } as object)).toThrow(new RangeError('background is -1; expected null, as every position is between two bins'))
  expect(() => new DistributionFocalLoss({ gamma: 2 } as object)).toThrow("'gamma' is not an option of DistributionFocalLoss")
  const loss = new DistributionFocalLoss()
  expect(() => tfLoss(tf, loss)).toThrow(new TypeError('loss is a DistributionFocalLoss; expected a loss of labels or class indices; of positions y on bins 0 to n it is SoftmaxFocalLoss with gamma 0 and labels relu(1 - |y - i|)'))
  const device = { createBuffer: () => undefined, createComputePipeline: () => undefined, createCommandEncoder: () => undefined, limits: { maxStorageBufferBindingSize: 0 } }
  const onBuffers = webgpuLoss(device as never, loss)
  expect(() => { onBuffers.valueAndGrad({ targets: 1 } as never, { shape: [2, 4], targetKind: 'labels' }); }).toThrow(new TypeError('targets is 1; expected positions in an array of the host, which valueAndGradAsync() takes'))
})
