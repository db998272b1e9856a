import { describe, expect, it } from 'vitest'
import { AsymmetricLoss, gradcheck, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import { lossNames, lossOf, ofPower } from '../support/losses.js'
import { seeded } from '../support/random.js'

const random = seeded(3)
const logits = Array.from({ length: 60 }, () => random.between(-6, 6))
/** Away from the probabilities, where a quality focal loss has its pole. */
const labels = logits.map((x) => (1 / (1 + Math.exp(-x)) + random.between(0.1, 0.9)) % 1)
const classes = Int32Array.from({ length: 12 }, () => random.integer(5))

describe.each(testedBackends())('%s', (backend) => {
  it.each(lossNames)('finds the gradients of %s right', (name) => {
    for (const power of [0, 0.5, 2, 3.7]) {
      for (const reduction of ['sum', 'mean', 'none'] as const) {
        const loss = lossOf(name, { ...ofPower[name](power), reduction, backend })
        const result = gradcheck(loss, logits, name === 'SoftmaxFocalLoss' ? classes : labels)
        expect(result.worst?.error).toBeLessThan(1e-7)
        expect(result).toMatchObject({ passed: true, entries: { length: 60 } })
      }
    }
  })

  it('finds that a constant modulator does not give the gradient of the value', () => {
    const check = (constantModulator: boolean) => gradcheck(new AsymmetricLoss({ constantModulator, backend }), logits, labels)
    expect(check(false).passed).toBe(true)
    expect(check(true)).toMatchObject({ passed: false })
    expect(check(true).worst?.error).toBeGreaterThan(0.1)
  })
})

describe('gradcheck', () => {
  /** A quarter of the square, with a gradient that is wrong in one place. */
  const loss = (wrong: number) => ({
    value: (x: Float64Array) => x.reduce((sum, each) => sum + each ** 2 / 4, 0),
    valueAndGrad: (x: Float64Array) => ({ grad: x.map((each, k) => each / 2 + (k === 3 ? wrong : 0)) }),
  })

  it('finds a gradient that is wrong', () => {
    const result = gradcheck(loss(1e-3), [1, 2, 3, 4, 5], [])
    expect(result.passed).toBe(false)
    expect(result.worst).toMatchObject({ index: 3, grad: 2.001 })
    expect(result.worst?.numeric).toBeCloseTo(2, 9)
    expect(result.worst?.error).toBeCloseTo(1e-3 / 2.001, 8)
    expect(gradcheck(loss(1e-3), [1, 2, 3, 4, 5], [], { tolerance: 1e-3 }).passed).toBe(true)
    expect(gradcheck(loss(NaN), [1, 2, 3, 4, 5], []).passed).toBe(false)
  })

  it('looks at as many logits as it may, evenly', () => {
    const { entries } = gradcheck(loss(0), new Float32Array(1000), [], { most: 4 })
    expect(entries.map(({ index }) => index)).toEqual([0, 250, 500, 750])
  })

  it('passes options on and leaves the logits alone', () => {
    const x = Float32Array.of(1, -2)
    const result = gradcheck(new SoftmaxFocalLoss({ backend: 'js' }), x, [0.25, 0.75], { call: { shape: [1, 2] } })
    expect(result.passed).toBe(true)
    expect([...x]).toEqual([1, -2])
    expect(gradcheck(new SigmoidFocalLoss(), [], [])).toEqual({ passed: true, worst: null, entries: [] })
  })

  it.each<[string, () => unknown, Error]>([
    [
      'a class',
      () => gradcheck(SigmoidFocalLoss as never, [1], [1]),
      new TypeError('loss is the class SigmoidFocalLoss; expected an object of it, as new SigmoidFocalLoss() makes one'),
    ],
    ['null', () => gradcheck(null as never, [1], [1]), new TypeError('loss is null; expected a loss, such as new SigmoidFocalLoss()')],
    ['no loss', () => gradcheck({} as never, [1], [1]), new TypeError('loss is an object; expected a loss, such as new SigmoidFocalLoss()')],
    ['a step of 0', () => gradcheck(loss(0), [1], [], { step: 0 }), new RangeError('step is 0; expected a finite number >= 5e-324')],
    ['an unknown option', () => gradcheck(loss(0), [1], [], { tolerence: 1 } as never), new TypeError("'tolerence' is not an option of gradcheck(); did you mean 'tolerance'?")],
  ])('%s', (_, call, error) => {
    expect(call).toThrow(error)
  })
})
