/** Targets of two readings, labels or class indices: which one is taken, by every backend and entry. */
import { describe, expect, it } from 'vitest'
import {
  gradcheck,
  type Numbers,
  presets,
  SigmoidFocalLoss,
  sigmoidFocalLoss,
  type Targets,
  VarifocalLoss,
} from 'focal-loss'
import { testedBackends } from '../support/backends.js'

/** Two anchors of a detector of one class, both background: mmdetection's index 1. */
const logits = Float64Array.of(-1, 1)
const background = 0.2716973853
const foreground = 0.0905657951
const integers: Readonly<Record<string, Targets>> = {
  int32: Int32Array.of(1, 1),
  int8: Int8Array.of(1, 1),
  uint8: Uint8Array.of(1, 1),
  clamped: Uint8ClampedArray.of(1, 1),
  uint32: Uint32Array.of(1, 1),
  int64: BigInt64Array.of(1n, 1n),
}
const floats: Readonly<Record<string, Numbers>> = { float32: Float32Array.of(1, 1), float64: Float64Array.of(1, 1) }
const call = { shape: [2, 1], normalizer: 2 }

describe.each(testedBackends())('%s: one class with a background', (backend) => {
  const loss = new SigmoidFocalLoss({ ...presets.mmdetection, backend })

  it.each([...Object.entries(integers), ['a plain array', [1, 1]] as const])('%s: class indices', (_, targets) => {
    const { value, grad, hess } = loss.valueGradAndHess(logits, targets, call)
    expect(value).toBeCloseTo(background, 9)
    expect(grad[0]).toBeCloseTo(0.0197179237, 9)
    expect(grad[1]).toBeCloseTo(0.2880880212, 9)
    expect(hess.every(Number.isFinite)).toBe(true)
    expect(loss.value(logits, targets, call)).toBe(value)
    // mmdetection has anchors x 1, or one axis alone
    expect(loss.value(logits, targets, { shape: [2], normalizer: 2 })).toBe(value)
    expect(loss.value(logits, targets, { shape: [1, 1, 2], classAxis: 1, normalizer: 2 })).toBe(value)
    expect(loss.sums(logits, targets, { shape: [2, 1] })).toEqual({ sum: expect.closeTo(2 * value, 12) as number, elements: 2, rows: 2, positives: 0 })
  })

  it.each(Object.entries(integers))('%s without a shape: class indices', (_, targets) => {
    expect(loss.value(logits, targets, { normalizer: 2 })).toBeCloseTo(background, 9)
  })

  it.each([...Object.entries(floats), ['booleans', [true, true]] as const])('%s: labels', (_, targets) => {
    expect(loss.value(logits, targets, call)).toBeCloseTo(foreground, 9)
    expect(loss.sums(logits, targets, { shape: [2, 1] }).positives).toBe(2)
  })

  it('a plain array without a shape: labels', () => {
    expect(loss.value(logits, [1, 1], { normalizer: 2 })).toBeCloseTo(foreground, 9)
  })

  it('foreground, background and ignored anchors are told apart', () => {
    const three = Float64Array.of(-1, 1, 5)
    const detectron = new SigmoidFocalLoss({ ...presets.detectron, backend })
    const { value, grad } = detectron.valueAndGrad(three, Int32Array.of(0, 1, -1), { shape: [3, 1] })
    const labels = new SigmoidFocalLoss({ ...presets.torchvision, reduction: 'mean-positives', backend })
    const expected = labels.valueAndGrad(three, [1, 0, 0], { mask: [1, 1, 0] })
    expect(value).toBeCloseTo(expected.value, 12)
    expect(Array.from(grad)).toEqual(Array.from(expected.grad, (each) => expect.closeTo(each, 12) as number))
    expect(detectron.sums(three, Int32Array.of(0, 1, -1), { shape: [3, 1] })).toMatchObject({ elements: 2, rows: 2, positives: 1 })
  })

  it('apex: -1 is background, and without a background integers are labels', () => {
    const apex = new SigmoidFocalLoss({ ...presets.apex, backend })
    expect(apex.value(logits, Int32Array.of(-1, 0), call)).toBe(loss.value(logits, Int32Array.of(1, 0), call))
    const none = new SigmoidFocalLoss({ backend })
    expect(none.value(logits, Int32Array.of(1, 1), call)).toBeCloseTo(foreground, 9)
  })

  it('targetKind says it outright', () => {
    for (const targets of [...Object.values(integers), ...Object.values(floats), [1, 1]]) {
      expect(loss.value(logits, targets, { ...call, targetKind: 'labels' })).toBeCloseTo(foreground, 9)
      expect(loss.value(logits, targets, { ...call, targetKind: 'class-index' })).toBeCloseTo(background, 9)
      expect(loss.value(logits, targets, { normalizer: 2, targetKind: 'class-index' })).toBeCloseTo(background, 9)
    }
    const none = new SigmoidFocalLoss({ backend })
    expect(none.value(logits, Int32Array.of(0, 0), { ...call, targetKind: 'class-index' })).toBeCloseTo(foreground, 9)
  })

  it('in every method and entry', async () => {
    const labels = { shape: [2, 1], targetKind: 'labels' } as const
    const targets = Int32Array.of(1, 1)
    const { value, grad } = loss.valueAndGrad(logits, targets, labels)
    expect(value).toBeCloseTo(foreground, 9)
    expect(await loss.valueAndGradAsync(logits, targets, labels)).toEqual({ value, grad })
    expect((await loss.valueGradAndHessAsync(logits, targets, labels)).value).toBeCloseTo(value, 12)
    expect(loss.sums(logits, targets, labels).positives).toBe(2)
    expect(loss.accumulator().add(logits, targets, labels).value).toBeCloseTo(value, 12)
    expect(loss.explain(logits, targets, labels).losses[0].positives.count).toBe(2)
    expect(loss.explain(logits, targets, { shape: [2, 1] }).losses[0].positives.count).toBe(0)
    expect(loss.explainer().add(logits, targets, labels).result().losses[0].positives.count).toBe(2)
    expect(sigmoidFocalLoss(logits, targets, { ...presets.mmdetection, ...labels, backend })).toBe(value)
    const { passed, entries } = gradcheck(loss, logits, targets, { call: labels })
    expect(passed).toBe(true)
    expect(entries.map((each) => each.grad)).toEqual(Array.from(grad))
  })

  it('of a loss whose negatives differ', () => {
    const varifocal = new VarifocalLoss({ background: 'num-classes', backend })
    const negatives = varifocal.value(logits, Float32Array.of(0, 0))
    expect(varifocal.value(logits, Int32Array.of(1, 1), { shape: [2, 1] })).toBe(negatives)
  })
})

describe.each(testedBackends())('%s: more classes than float32 has integers', (backend) => {
  const most = 2 ** 24
  const loss = new SigmoidFocalLoss({ backend, reduction: 'sum' })

  it('are refused where class indices would be float32', () => {
    for (const [logits, dtype] of [[new Float32Array(most + 2), undefined], [new Uint16Array(most + 2), 'float16']] as const) {
      expect(() => loss.value(logits, Int32Array.of(3), { shape: [1, most + 2], ...(dtype && { dtype }) })).toThrow(
        new RangeError(`logits has ${most + 2} classes; expected at most ${most} where targets are class indices (a Float64Array of logits takes more)`),
      )
    }
    expect(loss.value(new Float32Array(most), Int32Array.of(most - 1), { shape: [1, most] })).toBeGreaterThan(0)
  })

  it('are told from each other in float64', () => {
    const { grad } = loss.valueAndGrad(new Float64Array(most + 2), Int32Array.of(most + 1))
    expect([-1, 0, 1].map((k) => Math.sign(grad[most + k]))).toEqual([1, 1, -1])
  })
})
