import { describe, expect, it } from 'vitest'
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'

const loss = new SigmoidFocalLoss({ backend: 'js' })
const softmax = new SoftmaxFocalLoss({ backend: 'js' })
const x = Float32Array.of(1, -2, 3, 0.5, -0.25, 2)

const six = [1, 0, 1, 0, 1, 0]

describe('a good call', () => {
  it('reads any memory', () => {
    const expected = loss.value(x, six)
    const shared = new Float32Array(new SharedArrayBuffer(24))
    shared.set(x)
    const unaligned = new Float32Array(new ArrayBuffer(28), 4)
    unaligned.set(x)
    expect(loss.value(shared, six)).toBe(expected)
    expect(loss.value(unaligned, Uint8Array.from(six))).toBe(expected)
    expect(loss.value(x, six.map(Boolean))).toBe(expected)
  })

  it('reads 64-bit integers as class indices and as labels', () => {
    const ignoring = new SoftmaxFocalLoss({ ignoreIndex: -100, backend: 'js' })
    const expected = ignoring.valueAndGrad(x, Int32Array.of(2, -100))
    expect(ignoring.valueAndGrad(x, BigInt64Array.of(2n, -100n))).toEqual(expected)
    expect(softmax.value(x, BigUint64Array.of(2n, 0n))).toBe(softmax.value(x, Int32Array.of(2, 0)))
    expect(loss.value(x, BigInt64Array.from(six, BigInt))).toBe(loss.value(x, six))
  })

  it('has loss 0 where there is nothing', () => {
    const empty = new Float32Array(0)
    expect(loss.valueAndGrad(empty, [])).toEqual({ value: 0, grad: empty })
    expect(softmax.valueAndGrad(empty, [])).toEqual({ value: 0, grad: empty })
    expect(loss.value(x, six, { mask: [0, 0, 0, 0, 0, 0] })).toBe(0)
  })

  it('may write the gradient over the logits', () => {
    const { grad } = loss.valueAndGrad(x, six)
    const logits = x.slice()
    expect(loss.valueAndGrad(logits, six, { grad: logits }).grad).toBe(logits)
    expect(logits).toEqual(grad)
  })

  it('reads options that are inherited, and each of them once', () => {
    let asked = 0
    const weights = [1, 2, 3, 4, 5, 6]
    const call = {
      get weights() {
        asked++
        return weights
      },
    }
    expect(loss.value(x, six, Object.create(call) as typeof call)).toBe(loss.value(x, six, { weights }))
    expect(asked).toBe(1)
  })

  it('runs over any class axis', () => {
    const transposed = Float32Array.of(1, 0.5, -2, -0.25, 3, 2)
    const rows = loss.valueAndGrad(x, Int32Array.of(2, 0))
    const columns = loss.valueAndGrad(transposed, [2, 0], { shape: [3, 2], classAxis: 0 })
    expect(columns.value).toBeCloseTo(rows.value, 12)
    expect(columns.grad[4]).toBe(rows.grad[2])
    expect(softmax.value(transposed, [2, 0], { shape: [1, 3, 2], classAxis: 1 })).toBeCloseTo(softmax.value(x, Int32Array.of(2, 0)), 12)
  })

  it('knows the background and the ignored rows', () => {
    const some = new SigmoidFocalLoss({ background: 'num-classes', ignoreIndex: -1, backend: 'js' })
    expect(some.sums(x, Int32Array.of(3, -1))).toMatchObject({ elements: 3, rows: 1, positives: 0 })
  })

  it('has one alpha per class', () => {
    const some = new SigmoidFocalLoss({ alpha: [0.1, 0.2], backend: 'js' })
    expect(some.value(x, six, { shape: [3, 2] })).toBeGreaterThan(0)
  })

  it('gives sums that add up', () => {
    const some = new SigmoidFocalLoss({ reduction: 'mean-positives', background: -1, backend: 'js' })
    const sums = some.sums(x, Int32Array.of(2, -1), { grad: true, out: true })
    expect(sums).toMatchObject({ elements: 6, rows: 2, positives: 1 })
    expect(sums.sum / some.denominator(sums)).toBe(some.value(x, Int32Array.of(2, -1)))
    expect(sums.out.reduce((a, b) => a + b)).toBeCloseTo(sums.sum, 6)
    expect(sums.grad).toEqual(some.valueAndGrad(x, Int32Array.of(2, -1)).grad)
  })
})
