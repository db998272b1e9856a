/** `gradScale`: multiplies what is written of the derivatives before it is rounded, and nothing else. */
import { type Logits, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { fromBits, toBits } from '../../src/arrays/half.js'
import { testedBackends } from '../support/backends.js'
import { largestError } from '../support/closeness.js'
import { bitsOf, elementwiseNames, elementwiseOf, lossNames, lossOf, logitsOf, precisions } from '../support/losses.js'

/** Longer than a block; some far out, where another path of the kernel computes. */
const numbers = Array.from({ length: 4200 }, (_, k) => (k % 700 === 5 ? 300 : 8 * Math.sin(k)))
const soft = Float64Array.from(numbers, (_, k) => (k % 11) / 10)
const indices = Int32Array.from({ length: 1400 }, (_, r) => r % 3)

/** A power of two changes no digit. */
const SCALE = 1024

function expectScaled(actual: Logits, plain: Logits): void {
  expect(bitsOf(actual)).toBe(bitsOf(plain.map((each) => each * SCALE)))
}

function halves(values: ArrayLike<number>): Uint16Array {
  const bits = new Uint16Array(values.length)
  toBits(Float64Array.from(values), 'float16', bits)
  return bits
}

describe.each(testedBackends())('%s', (backend) => {
  describe.each(precisions)('%s', (precision) => {
    const x = logitsOf(precision, numbers)

    it.each(lossNames)('%s: the gradient, in any layout, and never the loss', (name) => {
      const loss = lossOf(name, { reduction: 'mean-positives', backend })
      for (const [targets, call] of [
        [indices, {}],
        [soft, { shape: [1400, 3] }],
        [indices, { shape: [7, 3, 200], classAxis: 1, normalizer: 5 }],
        [indices, { mask: indices.map((_, r) => Number(r % 4 !== 0)), weights: soft.subarray(0, 1400) }],
      ] as const) {
        const plain = loss.valueAndGrad(x, targets, call)
        const scaled = loss.valueAndGrad(x, targets, { ...call, gradScale: SCALE })
        expectScaled(scaled.grad, plain.grad)
        expect(scaled.value).toBe(plain.value)
        const third = loss.valueAndGrad(x, targets, { ...call, gradScale: 1 / 3 })
        expect(largestError(third.grad, plain.grad.map((each) => each / 3))).toBeLessThan(precision === 'float32' ? 3e-7 : 1e-15)
      }
    })

    it.each(elementwiseNames)('%s: the second derivative, whose bound comes first', (name) => {
      const loss = elementwiseOf(name, { reduction: 'none', backend })
      const plain = loss.valueGradAndHess(x, soft, { clampHess: 0.125 })
      const scaled = loss.valueGradAndHess(x, soft, { clampHess: 0.125, gradScale: SCALE })
      expectScaled(scaled.grad, plain.grad)
      expectScaled(scaled.hess, plain.hess)
      expect(Math.min(...scaled.hess)).toBe(128)
      expect(bitsOf(scaled.value)).toBe(bitsOf(plain.value))
    })

    it('of probabilities, too', () => {
      // Rows of a softmax's probabilities sum to 1
      const sums = soft.map((_, k) => soft.slice(k - (k % 3), k - (k % 3) + 3).reduce((a, b) => a + b, 0))
      const p = logitsOf(precision, soft.map((each, k) => each / sums[k]))
      for (const loss of [new SigmoidFocalLoss({ inputs: 'probabilities', backend }), new SoftmaxFocalLoss({ inputs: 'probabilities', backend })]) {
        const call = { shape: [4200 / 3, 3] }
        const rows = indices.map((each) => (each === 0 ? 1 : each))
        const plain = loss.valueAndGrad(p, rows, call)
        const scaled = loss.valueAndGrad(p, rows, { ...call, gradScale: SCALE })
        const largest = precision === 'float32' ? (2 - 2 ** -23) * 2 ** 127 : Number.MAX_VALUE
        // As far as the type reaches
        const expected = plain.grad.map((each) => Math.max(-largest, Math.min(largest, each * SCALE)))
        expect(largestError(scaled.grad, expected)).toBeLessThan(precision === 'float32' ? 1e-6 : 1e-14)
        expect(scaled.value).toBe(plain.value)
      }
    })

    it('in asynchronous calls, sums and accumulators', async () => {
      const loss = new SoftmaxFocalLoss({ backend })
      const element = new SigmoidFocalLoss({ backend })
      const plain = loss.sums(x, indices, { grad: true })
      const scaled = loss.sums(x, indices, { grad: true, gradScale: SCALE })
      expectScaled(scaled.grad, plain.grad)
      expect({ ...scaled, grad: null }).toEqual({ ...plain, grad: null })
      const grad = x.slice()
      const accumulator = loss.accumulator().add(x, indices, { grad, gradScale: SCALE })
      expect(bitsOf(grad)).toBe(bitsOf(scaled.grad))
      expect(accumulator.sums.sum).toBe(plain.sum)
      const expected = element.valueGradAndHess(x, soft, { gradScale: SCALE })
      const actual = await element.valueGradAndHessAsync(x, soft, { gradScale: SCALE })
      expect([actual.grad, actual.hess].map(bitsOf)).toEqual([expected.grad, expected.hess].map(bitsOf))
      expect(actual.value).toBe(expected.value)
    })
  })

  it('keeps the gradient of a mean of a million float16 logits, as float32 does', () => {
    const size = 2 ** 20
    const labels = new Uint8Array(size).map((_, k) => Number(k % 10 === 0))
    // Learnt well: about 2e-12 each
    const logits = halves(Float64Array.from(labels, (y, k) => (y === 1 ? 5 : -5) + Math.sin(k)))
    const loss = new SigmoidFocalLoss({ backend })
    const exact = new SigmoidFocalLoss({ backend: 'js' }).valueAndGrad(fromBits(logits, 'float16'), labels)
    const lost = loss.valueAndGrad(logits, labels, { dtype: 'float16' })
    expect(lost.grad.every((bits) => bits % 0x8000 === 0)).toBe(true)

    const scaled = loss.valueAndGrad(logits, labels, { dtype: 'float16', gradScale: 2 ** 30 })
    expect(scaled.value).toBe(lost.value)
    const found = fromBits(scaled.grad, 'float16')
    expect(found.every((each) => each !== 0)).toBe(true)
    // Half a unit in the last place, of a number or of the smallest normal one
    const off = found.reduce((worst, each, k) => Math.max(worst, Math.abs(each - exact.grad[k] * 2 ** 30) / Math.max(Math.abs(each), 2 ** -14)), 0)
    expect(off).toBeLessThan(2 ** -11 + 1e-6)

    const single = loss.valueAndGrad(logits, labels, { dtype: 'float16', grad: new Float32Array(size) })
    expect(single.value).toBe(lost.value)
    expect(largestError(single.grad, exact.grad)).toBeLessThan(2e-6)
  }, 30_000)
})
