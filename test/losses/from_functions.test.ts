/** Losses of one's own at run time: a loss of the package written once more with functions has its numbers. */
import { afterEach, describe, expect, it } from 'vitest'
import { elementwiseLoss, gradcheck, setBackend, SigmoidFocalLoss } from 'focal-loss'

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

/** Focal loss without alpha, as a user would write it; of a negative, and of a positive by the mirror. */
const focal = (gamma: number) => {
  const negative = (x: number) => {
    const [s, c, loss] = [sigmoid(x), sigmoid(-x), softplus(x)]
    const gain = gamma * c * loss
    return { value: s ** gamma * loss, grad: s ** gamma * (gain + s), hess: s ** gamma * (gain * (gamma * c - s) + (2 * gamma + 1) * s * c) }
  }
  return {
    value: (x: number, y: number) => negative(y === 1 ? -x : x).value,
    derivative: (x: number, y: number) => (y === 1 ? -negative(-x).grad : negative(x).grad),
    secondDerivative: (x: number, y: number) => negative(y === 1 ? -x : x).hess,
  }
}

const x = Float64Array.of(0.5, -2, 1.5, -0.3, 0.7, 0, 3, -1, 0.2, -4, 2.5, 1)
const labels = [1, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0]

const close = (actual: ArrayLike<number>, expected: ArrayLike<number>) => {
  expect(actual.length).toBe(expected.length)
  for (let k = 0; k < expected.length; k++) expect(actual[k]).toBeCloseTo(expected[k], 13)
}

afterEach(() => setBackend('auto'))

describe('a loss from functions', () => {
  const common = { alpha: null, gamma: 2, backend: 'js' } as const

  it.each(['mean', 'sum', 'mean-rows', 'mean-positives', 'none'] as const)("has the numbers of SigmoidFocalLoss with reduction '%s'", (reduction) => {
    const own = elementwiseLoss(focal(2), { reduction, classWeights: [1, 2, 0.5] })
    const ours = new SigmoidFocalLoss({ ...common, reduction, classWeights: [1, 2, 0.5] })
    const call = { shape: [4, 3], weights: [1, 0.5, 2, 1], mask: [1, 1, 0, 1] }
    const [a, b] = [own.valueGradAndHess(x, labels, call), ours.valueGradAndHess(x, labels, call)]
    const listOf = (value: number | Float64Array) => (typeof value === 'number' ? [value] : value)
    close(listOf(a.value), listOf(b.value))
    close(a.grad, b.grad)
    close(a.hess, b.hess)
    expect(own.sums(x, labels, call).positives).toBe(ours.sums(x, labels, call).positives)
  })

  it('takes class indices, a background and ignored targets', () => {
    const options = { background: 3, ignoreIndex: -1 }
    const call = { shape: [4, 3] }
    const indices = Int32Array.of(0, 3, -1, 2)
    const own = elementwiseLoss(focal(2), options).valueAndGrad(x, indices, call)
    const ours = new SigmoidFocalLoss({ ...common, ...options }).valueAndGrad(x, indices, call)
    expect(own.value).toBeCloseTo(ours.value, 13)
    close(own.grad, ours.grad)
  })

  it('passes gradcheck, and one whose derivative is wrong does not', () => {
    expect(gradcheck(elementwiseLoss(focal(1.5)), x, labels).passed).toBe(true)
    const { value, derivative } = focal(1.5)
    expect(gradcheck(elementwiseLoss({ value, derivative: (z, y) => 1.01 * derivative(z, y) }), x, labels).passed).toBe(false)
  })

  it('is inverted and explained as the others are', () => {
    const [own, ours] = [elementwiseLoss(focal(2)), new SigmoidFocalLoss(common)]
    close(own.toProbability(x), ours.toProbability(x))
    expect(own.priorBias(0.01)).toBeCloseTo(ours.priorBias(0.01), 10)
    expect(own.explain(x, labels).losses[0].positives.loss).toBeCloseTo(ours.explain(x, labels).losses[0].positives.loss, 12)
    expect(own.accumulator().add(x, labels).add(x, labels).sums.sum).toBeCloseTo(2 * own.sums(x, labels).sum, 13)
  })

  it('runs on the plain backend, whatever the setting; half precision and asynchronous calls too', async () => {
    setBackend('wasm')
    const own = elementwiseLoss(focal(2))
    expect(own.options.backend).toBe('js')
    const sync = own.valueAndGrad(x, labels)
    const later = await own.valueAndGradAsync(x, labels)
    expect(later).toEqual(sync)
    const { grad } = own.valueAndGrad(Uint16Array.of(0x3c00), [0], { dtype: 'float16', grad: new Float32Array(1) })
    expect(grad[0]).toBeCloseTo(focal(2).derivative(1, 0), 6)
  })

  it('counts positives from where it is told', () => {
    const y = [0.2, 0.5, 0.9]
    const square = { value: (z: number, t: number) => (z - t) ** 2, derivative: (z: number, t: number) => 2 * (z - t) }
    expect(elementwiseLoss(square).sums(new Float64Array(3), y).positives).toBe(2)
    expect(elementwiseLoss(square, { positiveFrom: 0.9 }).sums(new Float64Array(3), y).positives).toBe(1)
    expect(elementwiseLoss(square).value(new Float64Array(3), y)).toBeCloseTo((0.04 + 0.25 + 0.81) / 3, 15)
  })

  it('keeps the functions it was given, with their object', () => {
    const functions = { scale: 2, value(z: number) { return this.scale * z }, derivative() { return this.scale } }
    const loss = elementwiseLoss({ value: functions.value.bind(functions), derivative: functions.derivative.bind(functions) })
    const given = focal(2)
    const kept = elementwiseLoss(given)
    const before = kept.value(x, labels)
    given.value = () => 7
    expect(kept.value(x, labels)).toBe(before)
    expect(loss.valueAndGrad(Float64Array.of(3), [0])).toEqual({ value: 6, grad: Float64Array.of(2) })
  })

  it('ends a call where a function throws, before and after which all is as it was', () => {
    const loss = elementwiseLoss({ value: () => { throw new Error('mine') }, derivative: () => 0 })
    const grad = Float64Array.of(5)
    expect(() => loss.valueAndGrad(Float64Array.of(1), [1], { grad })).toThrow('mine')
    expect(grad[0]).toBe(5)
  })
})

describe('what elementwiseLoss() refuses', () => {
  const untyped = elementwiseLoss as (...args: unknown[]) => ReturnType<typeof elementwiseLoss>
  const { value, derivative } = focal(2)

  it.each([
    [[], TypeError, /^functions is undefined; expected an object with the methods value and derivative$/],
    [[{ value }], TypeError, /^functions is .*; expected an object with the methods value and derivative$/],
    [[{ value, derivative, hess: value }], TypeError, /^'hess' is not an option of elementwiseLoss\(\); expected one of value, derivative, secondDerivative$/],
    [[{ value, derivative, secondDerivative: 1 }], TypeError, /^functions\.secondDerivative is 1; expected a function of x and y$/],
    [[{ value, derivative }, { inputs: 'probabilities' }], RangeError, /^inputs is 'probabilities'; expected 'logits', as functions are of logits$/],
    [[{ value, derivative }, { backend: 'native' }], RangeError, /^backend is 'native'; expected 'js' or 'auto', as functions run on no other$/],
    [[{ value, derivative }, { positiveFrom: 0 }], RangeError, /^positiveFrom is 0; expected a number above 0, at most 1$/],
    [[{ value, derivative }, { gamma: 2 }], TypeError, /^'gamma' is not an option of elementwiseLoss\(\)/],
    [[{ value, derivative }, {}, 1], TypeError, /^elementwiseLoss\(\) was given 3 arguments; expected at most 2$/],
  ])('%#', (args, type, message) => {
    const error = (() => { try { return untyped(...args) } catch (thrown) { return thrown } })()
    expect(error).toBeInstanceOf(type)
    expect((error as Error).message).toMatch(message)
  })

  it('a second derivative that is not there', async () => {
    const loss = elementwiseLoss({ value, derivative })
    const message = 'secondDerivative is undefined; expected a function of x and y, as valueGradAndHess() is called'
    expect(() => loss.valueGradAndHess(x, labels)).toThrow(new TypeError(message))
    await expect(loss.valueGradAndHessAsync(x, labels)).rejects.toThrow(/^secondDerivative is undefined/)
  })
})
