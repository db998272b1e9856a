/** A mask of a softmax's classes: a row without them is the row that never had them. */
import { type Logits, SoftmaxFocalLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { toBits } from '../../src/arrays/half.js'
import { testedBackends } from '../support/backends.js'
import { largestError } from '../support/closeness.js'
import { expectClose } from '../support/explanations.js'
import { logitsOf, precisions } from '../support/losses.js'
import { seeded } from '../support/random.js'
import { thrownBy } from '../support/thrown.js'

const ROWS = 150
const random = seeded(11)

/** Rows that lost classes to a mask, and the same rows as they would be if they had never had them. */
function rowsOf(classes: number, spread: number) {
  const kept = Array.from({ length: ROWS }, (_, r) => {
    const all = Array.from({ length: classes }, (_, c) => c)
    return r % 10 === 3 ? [] : r % 10 === 4 ? [r % classes] : all.filter((c) => c === r % classes || random() < 0.6)
  })
  // What is masked may be anything
  const masked = [Infinity, -Infinity, NaN, 3e38, 0]
  const x = kept.map((left) => Array.from({ length: classes }, (_, c) => (left.includes(c) ? random.between(-spread, spread) : random.pick(masked))))
  const soft = kept.map((left) => {
    const y = Array.from({ length: classes }, (_, c) => (left.includes(c) ? random() : left.length === 0 ? random() : 0))
    const sum = y.reduce((a, b) => a + b, 0)
    return y.map((each) => each / sum)
  })
  return { kept, x, soft, indices: Int32Array.from({ length: ROWS }, (_, r) => r % classes) }
}

/** `[rows][classes]` in the order of memory: the classes last, or in the middle of `[3, classes, 50]`. */
function layOut(rows: readonly (readonly number[])[], apart: boolean): Float64Array {
  const classes = rows[0].length
  const array = new Float64Array(ROWS * classes)
  rows.forEach((row, r) => row.forEach((each, c) => (array[apart ? (Math.floor(r / 50) * classes + c) * 50 + (r % 50) : r * classes + c] = each)))
  return array
}

const settings = [
  { gamma: 2, labelSmoothing: 0, dense: false },
  { gamma: 0, labelSmoothing: 0.1, dense: false },
  { gamma: 1.7, labelSmoothing: 0.2, dense: true },
  { gamma: 2, labelSmoothing: 0, dense: true },
] as const

describe.each(testedBackends())('%s', (backend) => {
  it('has the worked example: two classes of three, smoothed', () => {
    const loss = new SoftmaxFocalLoss({ gamma: 0, labelSmoothing: 0.1, backend })
    for (const third of [-Infinity, 5, NaN]) {
      for (const logits of [Float64Array.of(2, 0, third), Float32Array.of(2, 0, third)]) {
        const { value, grad } = loss.valueAndGrad(logits, Int32Array.of(0), { mask: [1, 1, 0] })
        expect(value).toBeCloseTo(0.22692801, 7)
        const p = 1 / (1 + Math.exp(-2))
        expect(Array.from(grad, (each) => Math.round(each * 1e7))).toEqual([Math.round((p - 0.95) * 1e7), Math.round((0.95 - p) * 1e7), 0])
      }
    }
    const hard = new SoftmaxFocalLoss({ gamma: 0, backend }).value(Float64Array.of(2, 0, 9), Int32Array.of(0), { mask: [true, true, false] })
    expect(hard).toBeCloseTo(Math.log1p(Math.exp(-2)), 14)
  })

  describe.each(precisions)('%s', (precision) => {
    it.each([2, 3, 5, 10, 80, 700])('is the row without them, of %d classes', (classes) => {
      for (const { gamma, labelSmoothing, dense } of settings) {
        // Logits near 0, and so far out that rows are shifted
        for (const spread of dense ? [60] : [4, 60]) {
          const rows = rowsOf(classes, spread)
          const weights = Array.from({ length: classes }, (_, c) => 0.5 + (c % 3))
          const plain = (left: readonly number[]) =>
            new SoftmaxFocalLoss({ gamma, labelSmoothing, classWeights: left.map((c) => weights[c]), reduction: 'none', backend: 'js' })
          const loss = new SoftmaxFocalLoss({ gamma, labelSmoothing, classWeights: weights, reduction: 'none', backend })
          for (const apart of [false, true]) {
            const logits = logitsOf(precision, layOut(rows.x, apart))
            const mask = Uint8Array.from(layOut(rows.kept.map((left) => Array.from({ length: classes }, (_, c) => Number(left.includes(c)))), apart))
            const targets = dense ? layOut(rows.soft, apart) : rows.indices
            const shape = apart ? [3, classes, 50] : [ROWS, classes]
            const { value, grad } = loss.valueAndGrad(logits, targets, { shape, classAxis: 1, mask })
            const expected = { value: new Float64Array(ROWS), grad: rows.x.map((row) => row.map(() => 0)) }
            rows.kept.forEach((left, r) => {
              // A row of one class costs nothing: its probability is 1
              if (left.length < 2) return
              const row = Float64Array.from(left, (c) => logitsOf(precision, [rows.x[r][c]])[0])
              const y = dense ? left.map((c) => rows.soft[r][c]) : left.map((c) => Number(c === rows.indices[r]))
              const exact = plain(left).valueAndGrad(row, y, { shape: [1, left.length], targetKind: 'labels' })
              expected.value[r] = exact.value[0]
              left.forEach((c, i) => (expected.grad[r][c] = exact.grad[i]))
            })
            const limit = precision === 'float32' ? 8e-6 : 1e-12
            expect(largestError(value, expected.value)).toBeLessThan(limit)
            // What a soft label's gradient is made of
            const exact = layOut(expected.grad, apart)
            const terms = layOut(expected.grad.map((row, r) => row.map((each) => Math.abs(each) + (dense || labelSmoothing > 0 ? expected.value[r] + 1 : 0))), apart)
            expect(largestError(grad, exact, terms)).toBeLessThan(limit)
            expect(grad.every((each, k) => mask[k] === 1 || Object.is(each, 0))).toBe(true)
          }
        }
      }
    })

    it('counts the rows that have a class left, and their classes', () => {
      const { kept, x, soft, indices } = rowsOf(5, 3)
      const mask = layOut(kept.map((left) => [0, 1, 2, 3, 4].map((c) => Number(left.includes(c)))), false)
      const logits = logitsOf(precision, layOut(x, false))
      const rows = kept.filter((left) => left.length > 0).length
      for (const backgrounds of [0, 7]) {
        const targets = indices.map((each, r) => (r % 10 < backgrounds && kept[r].length > 0 ? 5 : each))
        const loss = new SoftmaxFocalLoss({ background: 5, backend })
        const sums = loss.sums(logits, targets, { mask, grad: logits.slice() })
        expect(sums.elements).toBe(kept.reduce((sum, left) => sum + left.length, 0))
        expect(sums.rows).toBe(rows)
        expect(sums.positives).toBe(Array.from(targets).filter((each, r) => each < 5 && kept[r].length > 0).length)
        expect(loss.value(logits, targets, { mask })).toBeCloseTo(sums.sum / rows, 5)
        expect(loss.accumulator().add(logits, targets, { mask }).sums).toEqual({ ...sums, grad: undefined })
      }
      const { positives } = new SoftmaxFocalLoss({ backend }).sums(logits, layOut(soft, false), { shape: [ROWS, 5], mask })
      expect(positives).toBe(soft.flatMap((row, r) => (kept[r].length > 0 ? row.filter((y) => y >= 0.5) : [])).length)
    })

    it('is the same over the logits, asynchronously, and with ignored rows', async () => {
      const { kept, x, indices } = rowsOf(7, 3)
      const mask = Uint8Array.from(layOut(kept.map((left) => [0, 1, 2, 3, 4, 5, 6].map((c) => Number(left.includes(c)))), false))
      // An ignored row may be masked as it likes
      const targets = indices.map((each, r) => (r % 6 === 0 ? -1 : each))
      const logits = logitsOf(precision, layOut(x, false))
      const loss = new SoftmaxFocalLoss({ ignoreIndex: -1, labelSmoothing: 0.1, backend })
      const { value, grad } = loss.valueAndGrad(logits, targets, { mask })
      expect(value).toBeGreaterThan(0)
      const over: Logits = logits.slice()
      expect(loss.valueAndGrad(over, targets, { mask, grad: over }).value).toBe(value)
      expect(over).toEqual(grad)
      const later = await loss.valueAndGradAsync(logits, targets, { mask })
      expect([later.value, later.grad]).toEqual([value, grad])
    })
  })

  it('goes with half precision, and with probabilities', () => {
    const bits = new Uint16Array(6)
    toBits(Float64Array.of(2, 0, NaN, 0, 1, 2), 'float16', bits)
    const mask = [1, 1, 0, 1, 1, 1]
    const loss = new SoftmaxFocalLoss({ gamma: 0, labelSmoothing: 0.1, reduction: 'sum', backend })
    const expected = new SoftmaxFocalLoss({ gamma: 0, labelSmoothing: 0.1, reduction: 'sum', backend: 'js' }).value(Float64Array.of(2, 0, 7, 0, 1, 2), Int32Array.of(0, 1), { mask })
    expect(loss.value(bits, Int32Array.of(0, 1), { mask, dtype: 'float16' })).toBeCloseTo(expected, 6)

    const ofProbabilities = new SoftmaxFocalLoss({ gamma: 0, labelSmoothing: 0.1, inputs: 'probabilities', backend })
    for (const left of [0, NaN, 7]) {
      const { value, grad } = ofProbabilities.valueAndGrad(Float64Array.of(0.875, 0.125, left), Int32Array.of(0), { mask: [1, 1, 0] })
      expect(value).toBeCloseTo(-0.95 * Math.log(0.875) - 0.05 * Math.log(0.125), 14)
      expect(Array.from(grad)).toEqual([-0.95 / 0.875, -0.05 / 0.125, 0].map((each) => expect.closeTo(each, 13) as number))
    }
  })

  it('refuses a label of a class that is masked, and names the first', async () => {
    const loss = new SoftmaxFocalLoss({ backend })
    const x = new Float32Array(3000)
    const mask = new Uint8Array(3000).fill(1)
    mask[2001] = mask[2501] = 0
    const of = (targets: Int32Array) => thrownBy(() => loss.value(x, targets, { mask }))
    // Rows 667 and 833 of three classes, 0 and 2
    expect(String(await of(new Int32Array(1000)))).toBe('RangeError: targets[667] is 0; expected a class that mask leaves in its row')
    expect(String(await of(new Int32Array(1000).fill(2)))).toBe('RangeError: targets[833] is 2; expected a class that mask leaves in its row')
    expect(await of(new Int32Array(1000).fill(1))).toBe('nothing was thrown')
    const labels = new Float32Array(3000).fill(1 / 4)
    for (const classAxis of [1, 0]) {
      const error = await thrownBy(() => loss.value(x, labels, { shape: classAxis === 1 ? [1000, 3] : [3, 1000], classAxis, mask }))
      expect(String(error)).toBe('RangeError: targets[2001] is 0.25; expected 0, as mask takes this class out of its row')
    }
  })

  it('is explained', () => {
    const loss = new SoftmaxFocalLoss({ gamma: 0, backend })
    // Two classes would have a formula of their own
    const whole = loss.explain(Float64Array.of(2, 0, -1, 1, 3, -2), Int32Array.of(0, 1), { hardest: 2 })
    const logits = Float64Array.of(2, 9, 0, -1, 1, 3, NaN, -2, 1, 1, 1, 1)
    const masked = loss.explain(logits, Int32Array.of(0, 1, 2), { mask: [1, 0, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0], hardest: 2 })
    expectClose(masked, whole, 1e-14)
  })
})

it('toProbability: a class of logit -Infinity has none, and no share in the smoothing', () => {
  const loss = new SoftmaxFocalLoss({ gamma: 2, labelSmoothing: 0.1 })
  const two = loss.toProbability(Float64Array.of(2, 0), { shape: [1, 2] })
  expect(Array.from(loss.toProbability(Float64Array.of(2, 0, -Infinity), { shape: [1, 3] }))).toEqual([...two, 0].map((each) => expect.closeTo(each, 14) as number))
})
