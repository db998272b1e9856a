/** Losses at the end of models of jax-js, on its backends for Node.js. Its init() without arguments asks for a navigator, which Node.js 20 lacks. */
import * as jax from '@jax-js/jax'
import { beforeAll, describe, expect, it } from 'vitest'
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { jaxValueAndGrad } from 'focal-loss/jax'
import { lossNames, lossOf } from '../support/losses.js'

const { numpy: np, tree } = jax

interface Linear {
  [name: string]: jax.Array
  weight: jax.Array
  bias: jax.Array
}

const inputs = Float32Array.from({ length: 16 }, (_, i) => Math.sin(3 * i))
const weight = Float32Array.of(0.5, -1, 2, 0.25, 0, 1)
const bias = Float32Array.of(0.1, -0.2, 0.3)
const labels = Float32Array.from({ length: 24 }, (_, i) => (i % 5 === 0 ? 1 : 0))
const classes = Int32Array.from({ length: 8 }, (_, i) => i % 3)

const x = () => np.array(inputs, { shape: [8, 2] })
const params = (of = weight): Linear => ({ weight: np.array(of, { shape: [2, 3] }), bias: np.array(bias) })
const linear = ({ weight, bias }: Linear, x: jax.Array) => np.matmul(x, weight).add(bias)

async function numbersOf(array: jax.Array): Promise<number[]> {
  return Array.from((await array.data()) as Float32Array)
}

/** 8 x 3 logits of a weight in double precision. */
function logitsOf(weight: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: 24 }, (_, i) => {
    const [row, c] = [Math.floor(i / 3), i % 3]
    return inputs[2 * row] * weight[c] + inputs[2 * row + 1] * weight[3 + c] + bias[c]
  })
}

describe.each(['cpu', 'wasm'] as const)('on the %s backend of jax-js', (device) => {
  beforeAll(async () => {
    await jax.init(device)
    expect(jax.defaultDevice(device)).toBe(device)
  })

  it.each(lossNames)('the gradient through a model by %s is that of finite differences', async (name) => {
    const loss = lossOf(name, {})
    const targets = name === 'SoftmaxFocalLoss' ? classes : labels
    const [value, grad] = await jaxValueAndGrad(jax, loss, linear)(params(), x(), targets)
    const at = (k: number, by: number) => loss.value(logitsOf(Float64Array.from(weight, (w, i) => (i === k ? w + by : w))), targets, { shape: [8, 3] })
    expect(value).toBeCloseTo(at(0, 0), 6)
    expect(grad.weight.shape).toEqual([2, 3])
    const step = 1e-5
    const read = await numbersOf(grad.weight)
    read.forEach((g, k) => expect(g).toBeCloseTo((at(k, step) - at(k, -step)) / (2 * step), 5))
    expect(await numbersOf(grad.bias)).toHaveLength(3)
  })

  it('cross entropy has the gradient that jax-js has', async () => {
    const entropy = (p: Linear, x: jax.Array) => {
      const odds = linear(p, x)
      const y = np.array(labels, { shape: [8, 3] })
      // softplus(x) - x y
      return np.mean(np.log(np.exp(odds.ref).add(1)).sub(odds.mul(y)))
    }
    const [expected, expectedGrad] = jax.valueAndGrad(entropy)(params(), x())
    const [value, grad] = await jaxValueAndGrad(jax, new SigmoidFocalLoss({ gamma: 0, alpha: null }), linear)(params(), x(), labels)
    expect(value).toBeCloseTo((await numbersOf(expected))[0], 5)
    const read = await numbersOf(grad.weight)
    const wanted = await numbersOf(expectedGrad.weight)
    read.forEach((g, i) => expect(g).toBeCloseTo(wanted[i], 5))
  })

  it('a model is trained, compiled by jit, and nothing is left in memory', async () => {
    const compiled = jax.jit(linear)
    const step = jaxValueAndGrad(jax, new SoftmaxFocalLoss(), (p: Linear, x: jax.Array) => compiled(p, x))
    const side = Int32Array.from({ length: 8 }, (_, row) => (inputs[2 * row] > 0 ? 0 : 1))
    let current = params()
    const data = x()
    const losses: number[] = []
    for (let i = 0; i < 60; i++) {
      const [value, grad] = await step(tree.ref(current), data.ref, side)
      losses.push(value)
      current = { weight: current.weight.sub(grad.weight.mul(2)), bias: current.bias.sub(grad.bias.mul(2)) }
    }
    expect(losses[59]).toBeLessThan(0.1 * losses[0])
    expect([data.refCount, current.weight.refCount, current.bias.refCount]).toEqual([1, 1, 1])
  })

  it('takes targets of jax-js, options of the call, and models of one logit', async () => {
    const loss = new SigmoidFocalLoss({ reduction: 'sum' })
    const step = jaxValueAndGrad(jax, loss, (p: jax.Array, x: jax.Array) => p.mul(x))
    const numbers = Float32Array.of(1, -2, 0.5)
    const call = { mask: [1, 1, 0], weights: [1, 2, 3] }
    const [value, grad] = await step(np.array(2), np.array(numbers), np.array([1, 0, 1]), call)
    // Labels in the type that those of jax-js have
    const expected = loss.valueAndGrad(numbers.map((each) => 2 * each), Float32Array.of(1, 0, 1), call)
    expect(value).toBe(expected.value)
    expect((await numbersOf(grad))[0]).toBeCloseTo(expected.grad[0] - 2 * expected.grad[1], 6)
    const [one] = await step(np.array(2), np.array(3), [1])
    expect(one).toBeCloseTo(loss.value(Float32Array.of(6), [1]), 6)
  })

  it('a logit has a finite gradient however sure it is, where one composed in jax-js has none', async () => {
    const sure = Float32Array.of(20, 100, -100, -1000)
    const byHand = (x: jax.Array) => {
      const p = jax.nn.sigmoid(x)
      return np.sum(np.power(np.subtract(1, p.ref), 2).mul(np.log(p)).mul(-1))
    }
    expect(await numbersOf(jax.grad(byHand)(np.array(sure)))).toEqual([NaN, NaN, NaN, NaN])
    const loss = new SigmoidFocalLoss({ alpha: null, reduction: 'sum' })
    const [value, grad] = await jaxValueAndGrad(jax, loss, (p: jax.Array, x: jax.Array) => p.mul(x))(np.array(1), np.array(sure), [1, 1, 1, 1])
    expect(value).toBeCloseTo(1100, 3)
    expect((await numbersOf(grad))[0]).toBeCloseTo(1100, 3) // -1 times each wrong logit
  })

  it('losses unreduced have the gradient of their sum', async () => {
    const loss = new SoftmaxFocalLoss({ reduction: 'none' })
    const [values, grad] = await jaxValueAndGrad(jax, loss, linear)(params(), x(), classes)
    const [sum, ofSum] = await jaxValueAndGrad(jax, new SoftmaxFocalLoss({ reduction: 'sum' }), linear)(params(), x(), classes)
    expect(values.reduce((a, b) => a + b, 0)).toBeCloseTo(sum, 5)
    expect(await numbersOf(grad.weight)).toEqual(await numbersOf(ofSum.weight))
  })

  it('errors are those of the loss, and leave nothing in memory', async () => {
    const step = jaxValueAndGrad(jax, new SigmoidFocalLoss(), linear)
    const [p, data] = [params(), x()]
    await expect(step(tree.ref(p), data.ref, [3, 0, 0, 0, 0, 0, 0, 0])).rejects.toThrow('targets[0] is 3; expected a class in 0..2')
    await expect(step(tree.ref(p), data.ref, [1, 0])).rejects.toThrow('targets has length 2; expected 24 (one per logit) or 8 (one class index per row)')
    expect([data.refCount, p.weight.refCount, p.bias.refCount]).toEqual([1, 1, 1])
    const whole = jaxValueAndGrad(jax, new SigmoidFocalLoss(), (p: Linear, x: jax.Array) => linear(p, x).astype(np.int32))
    await expect(whole(p, data, labels)).rejects.toThrow("the model's logits have dtype int32; expected float32")
  })
})

describe('jaxValueAndGrad() refuses', () => {
  const loss = new SigmoidFocalLoss()
  const framework = (came: string) => new TypeError(`jax is ${came}; expected the namespace of jax-js, as in jaxValueAndGrad(jax, loss, model)`)
  it.each<[string, readonly unknown[], Error]>([
    ['a framework left out', [loss, linear], framework('a loss')],
    ['a loss before the framework', [loss, jax, linear], framework('a loss')],
    ['a loss in parentheses of its own', [undefined, loss, linear], framework('undefined')],
    ['this package for the framework', [{ SigmoidFocalLoss }, loss, linear], framework('an object')],
    [
      'a class',
      [jax, SigmoidFocalLoss, linear],
      new TypeError('loss is the class SigmoidFocalLoss; expected an object of it, as new SigmoidFocalLoss() makes one'),
    ],
    ['a model before the loss', [jax, linear, loss], new TypeError('loss is a function; expected a loss, such as new SigmoidFocalLoss()')],
    ['a model left out', [jax, loss], new TypeError('model is undefined; expected a function (params, inputs) => logits')],
    ['one argument more', [jax, loss, linear, {}], new TypeError('jaxValueAndGrad() was given 4 arguments; expected at most 3')],
  ])('%s', (_, args, error) => {
    expect(() => (jaxValueAndGrad as unknown as (...args: readonly unknown[]) => unknown)(...args)).toThrow(error)
  })

  it('an argument more of what it makes', async () => {
    const step = jaxValueAndGrad(jax, loss, linear) as unknown as (...args: readonly unknown[]) => Promise<unknown>
    await expect(step(1, 2, 3, {}, {})).rejects.toThrow(new TypeError('the function of jaxValueAndGrad() was given 5 arguments; expected at most 4'))
  })

  it('options of its calls that are none, and names what was called', async () => {
    const step = jaxValueAndGrad(jax, loss, linear) as unknown as (...args: readonly unknown[]) => Promise<unknown>
    for (const option of ['shape', 'grad', 'clampHess']) await expect(step(1, 2, 3, { [option]: 1 })).rejects.toThrow(`'${option}' is not an option of the function of jaxValueAndGrad(); `)
    await expect(step(1, 2, 3, null)).rejects.toThrow(new TypeError('call options is null; expected an object with options'))
  })
})
