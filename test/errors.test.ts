/** Arguments that a function would ignore are errors, of everything that people can call. */
import { afterEach, describe, expect, it } from 'vitest'
import * as focal from 'focal-loss'
import { jaxValueAndGrad } from 'focal-loss/jax'
import { tfLoss } from 'focal-loss/tfjs'
import { testedBackends } from './support/backends.js'
import { lossNames } from './support/losses.js'

type AnyFunction = (...args: unknown[]) => unknown

/** More than anything takes. */
const many = Array.from({ length: 9 }, () => undefined)
const refused = /^.* was given 9 arguments; expected (none|at most \d)/

const isFunction = (value: unknown): value is AnyFunction => typeof value === 'function'
const isClass = (value: AnyFunction) => value.toString().startsWith('class')

/** The functions among the properties of an object, and of what it inherits, but for constructors and getters. */
function functionsOf(name: string, object: object): [string, AnyFunction][] {
  if (object === Object.prototype || object === Function.prototype) return []
  const own = Object.entries(Object.getOwnPropertyDescriptors(object)).flatMap(([key, { value }]): [string, AnyFunction][] =>
    isFunction(value) && !isClass(value) ? [[`${name}.${key}`, value]] : [],
  )
  return [...own, ...functionsOf(name, Object.getPrototypeOf(object) as object)]
}

const exported = Object.entries({ ...focal, jaxValueAndGrad, tfLoss })
const classes = exported.filter(([, value]) => isFunction(value) && isClass(value)) as [string, AnyFunction & { prototype: object }][]
const functions = exported.flatMap(([name, value]): [string, AnyFunction][] => (isFunction(value) && !isClass(value) ? [[name, value]] : []))
const methods = [
  ...classes.flatMap(([name, each]) => [...functionsOf(`${name}.prototype`, each.prototype), ...functionsOf(name, each)]),
  ...functionsOf('presets', focal.presets),
  ...functionsOf('loss.accumulator()', new focal.SigmoidFocalLoss().accumulator()),
  ...functionsOf('loss.explainer()', new focal.SigmoidFocalLoss().explainer()),
  // Parts may be as many as one likes
].filter(([name]) => !/prototype\.compute(Async)?$|\.merge$/.test(name) && !name.startsWith('BackendError'))

describe('surplus arguments are errors', () => {
  it.each(functions)('of %s', async (_, call) => {
    await expect(Promise.resolve().then(() => call(...many))).rejects.toThrow(refused)
  })

  it.each(methods)('of %s', async (_, method) => {
    await expect(Promise.resolve().then(() => method.apply({}, many))).rejects.toThrow(refused)
  })

  it.each(lossNames)('of new %s()', (name) => {
    expect(() => new (focal[name] as new (...args: unknown[]) => unknown)({}, 2)).toThrow(
      new TypeError(`new ${name}() was given 2 arguments; expected at most 1`),
    )
  })

  it('found them all', () => {
    expect(exported.length).toBeGreaterThan(20)
    expect(methods.map(([name]) => name)).toEqual(
      expect.arrayContaining(['SigmoidFocalLoss.prototype.valueAndGrad', 'presets.monaiSoftmax', 'DeviceArray.from', 'loss.accumulator().add', 'loss.explainer().result']),
    )
  })

  it('and the message says what a rule goes with', () => {
    const loss = new focal.SigmoidFocalLoss()
    const given = [0.01, { rule: 'retinanet' }] as unknown as [number]
    expect(() => loss.priorBias(...given)).toThrow(
      new TypeError("priorBias() was given 2 arguments; expected at most 1; a rule goes with its prior: { prior: 0.01, rule: 'retinanet' }"),
    )
    expect(loss.priorBias({ prior: 0.01, rule: 'retinanet' })).toBeCloseTo(-Math.log(99), 12)
  })
})

describe.each(testedBackends())('%s', (backend) => {
  afterEach(() => focal.setBackend('auto'))

  it('writes nothing where there is one too many', async () => {
    focal.setBackend(backend)
    const loss = new focal.SigmoidFocalLoss()
    const grad = Float32Array.of(7)
    const args = [Float32Array.of(0), [1], { grad }, 'mean'] as unknown as [Float32Array, number[], { grad: Float32Array }]
    expect(() => loss.valueAndGrad(...args)).toThrow(new TypeError('valueAndGrad() was given 4 arguments; expected at most 3'))
    await expect(loss.valueAndGradAsync(...args)).rejects.toThrow(new TypeError('valueAndGradAsync() was given 4 arguments; expected at most 3'))
    expect(grad[0]).toBe(7)
  })
})
