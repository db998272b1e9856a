/** The shaders of the element-wise losses against their definitions in double precision: on WebGPU by Dawn, and as GLSL by its text. */
import { describe, expect, it } from 'vitest'
import { asymmetric } from '../../src/formulas/asymmetric.js'
import { focalStar } from '../../src/formulas/focal_star.js'
import { Derivatives, type ElementFormula, type Parameters } from '../../src/formulas/formula.js'
import { heatmapFocal } from '../../src/formulas/heatmap_focal.js'
import { qualityFocal } from '../../src/formulas/quality_focal.js'
import { finiteProbability, rangeOf, within } from '../../src/formulas/number_range.js'
import { elementShader, probabilityShader } from '../../src/formulas/shaders/element.js'
import { toGlsl } from '../../src/formulas/shaders/language.js'
import { sigmoidFocal } from '../../src/formulas/sigmoid_focal.js'
import { sigmoidGeneral } from '../../src/formulas/sigmoid_general.js'
import { varifocal } from '../../src/formulas/varifocal.js'
import { runOnDawn } from '../support/dawn.js'

interface Case {
  readonly name: string
  readonly formula: ElementFormula
  readonly parameters: Parameters
  /** Targets; those between 0 and 1 make terms of both signs. */
  readonly targets: readonly number[]
  /** The largest relative error of value and gradient for targets of 0 and 1. */
  readonly error: number
}

const SPECIAL = 4e-6
const ANY = 1e-5
const none: Parameters = { gamma: 2, gammaNegative: 4, beta: 0, margin: 0, constantModulator: false, softTargets: 'linear' }
const caseOf = (formula: ElementFormula, parameters: Partial<Parameters>, error = SPECIAL, targets = [0, 1, 0.3, 0.9]): Case => ({
  name: `${formula.name} ${JSON.stringify(parameters)}`,
  formula,
  parameters: { ...none, ...parameters },
  targets,
  error,
})

const cases: readonly Case[] = [
  ...[0, 0.5, 1, 1.5, 2, 3, 4, 5].map((gamma) => caseOf(sigmoidFocal, { gamma })),
  ...[0.1, 1.7, 4.3].map((gamma) => caseOf(sigmoidFocal, { gamma }, ANY)),
  caseOf(sigmoidFocal, { gamma: 2, softTargets: 'mixture' }),
  caseOf(focalStar, { gamma: 2, beta: 1 }),
  caseOf(focalStar, { gamma: 1, beta: 0 }),
  caseOf(focalStar, { gamma: 3.3, beta: 0.7 }, ANY),
  caseOf(qualityFocal, { beta: 2 }),
  caseOf(qualityFocal, { beta: 1.7 }, ANY),
  caseOf(qualityFocal, { beta: 2, constantModulator: true }),
  caseOf(varifocal, { gamma: 2 }),
  caseOf(varifocal, { gamma: 1.3 }, ANY),
  caseOf(varifocal, { gamma: 2, constantModulator: true }),
  caseOf(heatmapFocal, { gamma: 2, beta: 4 }),
  caseOf(heatmapFocal, { gamma: 1.5, beta: 2.5 }, ANY),
  caseOf(asymmetric, { gamma: 1, gammaNegative: 4, margin: 0.05 }),
  caseOf(asymmetric, { gamma: 0, gammaNegative: 4, margin: 0.05 }),
  caseOf(asymmetric, { gamma: 1, gammaNegative: 4, margin: 0, constantModulator: true }),
  caseOf(asymmetric, { gamma: 1.2, gammaNegative: 2.3, margin: 0.2 }, ANY),
]

const [POSITIVE, NEGATIVE] = [0.25, 0.75]
/** Nothing is promised of smaller results, and of those that are such a number times a power of the loss. */
const LEAST = 1.2e-38
const logits = [...Array.from({ length: 2001 }, (_, i) => Math.fround(-80 + 0.08 * i)), 0, 1e-3, -1e-3]
const ends = [NaN, Infinity, -Infinity]

function programOfLogit({ formula, parameters, targets }: Case) {
  const given = [...logits, ...ends]
  return programOf(elementShader(formula.code, parameters), targets.flatMap(() => given), targets.flatMap((target) => given.map(() => target)))
}

function programOf(shader: string, x: readonly number[], y: readonly number[]) {
  const code = `${shader}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> results: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= ${x.length}u) { return; }
  let e = element(x[i], y[i], 1.0 - y[i], ${POSITIVE}, ${NEGATIVE});
  results[3u * i] = e.value;
  results[3u * i + 1u] = e.grad;
  results[3u * i + 2u] = e.hess;
}`
  return { code, inputs: [Float32Array.from(x), Float32Array.from(y)], length: 3 * x.length, invocations: x.length }
}

describe('on WebGPU', { timeout: 120_000 }, () => {
  const programs = cases.map(programOfLogit)
  const results = runOnDawn(programs)

  it.each(cases.map((one, i) => [one.name, one, i] as const))('%s', (_, { formula, parameters, error }, i) => {
    const [x, y] = programs[i].inputs
    const exact = new Derivatives()
    const worst = { value: 0, grad: 0, hess: 0 }
    for (let k = 0; k < x.length; k++) {
      const [value, grad, hess] = results[i].subarray(3 * k, 3 * k + 3)
      formula.element(x[k], y[k], POSITIVE, NEGATIVE, parameters, exact)
      if (!Number.isFinite(x[k])) {
        const pairs = [[value, exact.value], [grad, exact.grad]] as const
        for (const [got, wanted] of pairs) {
          if (Number.isFinite(wanted)) expect(got).toBeCloseTo(wanted, 5)
          else expect(got).toBe(wanted)
        }
        continue
      }
      const isHard = y[k] === 0 || y[k] === 1
      // Where terms cancel, an error is relative to them
      const terms = isHard ? 0 : Math.abs(exact.value) + Math.abs(exact.grad) + NEGATIVE
      const relative = (got: number, wanted: number, size: number) => (Math.abs(wanted) < LEAST * Math.max(1, parameters.gamma) ? 0 : Math.abs(got - wanted) / Math.max(Math.abs(wanted), size))
      worst.value = Math.max(worst.value, relative(value, exact.value, terms))
      worst.grad = Math.max(worst.grad, relative(grad, exact.grad, terms))
      worst.hess = Math.max(worst.hess, relative(hess, exact.hess, Math.abs(exact.value) + Math.abs(exact.grad)))
    }
    expect(worst.value).toBeLessThan(error)
    expect(worst.grad).toBeLessThan(error)
    expect(worst.hess).toBeLessThan(2e-5)
  })
})

const FLOAT32 = rangeOf(0)

/** As LEAST, of what is taken of a number at the end of the range. */
const LEAST_OF_PROBABILITY = 1e-36

/** Of probabilities; powers and options as above, and what only sigmoid-general has. */
const ofProbability: readonly Case[] = [
  ...cases,
  ...[0, 0.5, 1, 1.5, 2, 2.5].map((gamma) => caseOf(sigmoidGeneral, { gamma, beta: 0.1 }, ANY)),
  caseOf(sigmoidFocal, { gamma: 0.5, softTargets: 'mixture' }),
  caseOf(focalStar, { gamma: 0.5, beta: 1 }),
  caseOf(focalStar, { gamma: 1.5, beta: -3 }, ANY),
  caseOf(focalStar, { gamma: 1, beta: 9 }, ANY),
  caseOf(heatmapFocal, { gamma: 0.5, beta: 0 }),
  caseOf(qualityFocal, { beta: 0 }),
  caseOf(qualityFocal, { beta: 1 }),
  caseOf(varifocal, { gamma: 0 }),
  caseOf(asymmetric, { gamma: 0.5, gammaNegative: 1, margin: 0 }),
]

const inside = [
  ...Array.from({ length: 125 }, (_, k) => 2 ** -(k + 1) * (1 + (k % 7) / 8)),
  ...Array.from({ length: 23 }, (_, k) => 1 - 2 ** -(k + 2)),
  ...Array.from({ length: 999 }, (_, k) => (k + 0.5) / 999),
  FLOAT32.least, FLOAT32.belowOne,
]
const probabilityEnds = [0, 1, -0, NaN, 1 + 2 ** -23, -1e-7, 1.001, -0.001, Infinity, -Infinity]

function programOfProbability({ formula, parameters, targets }: Case) {
  const given = [...inside, ...probabilityEnds]
  return programOf(probabilityShader(formula.code, parameters, FLOAT32, 1e-6), targets.flatMap(() => given), targets.flatMap((target) => given.map(() => target)))
}

describe('on WebGPU, of probabilities', { timeout: 120_000 }, () => {
  const programs = ofProbability.map(programOfProbability)
  const results = runOnDawn(programs)

  it.each(ofProbability.map((one, i) => [one.name, one, i] as const))('%s', (_, { formula, parameters, error }, i) => {
    const [p, y] = programs[i].inputs
    const exact = new Derivatives()
    const worst = { value: 0, grad: 0, hess: 0 }
    for (let k = 0; k < p.length; k++) {
      const [value, grad, hess] = results[i].subarray(3 * k, 3 * k + 3)
      if (!(Math.abs(p[k] - 0.5) <= 0.5 + 1e-6)) {
        expect([value, grad, hess]).toEqual([NaN, NaN, NaN])
        continue
      }
      const inRange = Math.min(1, Math.max(0, p[k]))
      finiteProbability(formula, FLOAT32, inRange, y[k], POSITIVE, NEGATIVE, parameters, exact)
      const near = Math.min(Math.max(inRange, FLOAT32.least), FLOAT32.belowOne)
      // Where the terms of a soft label cancel, an error is relative to them
      const terms = (power: number) => (y[k] === 0 || y[k] === 1 ? 0 : Math.abs(exact.value) / Math.min(near, 1 - near) ** power)
      const relative = (got: number, wanted: number, size: number) => (Math.abs(wanted) < LEAST_OF_PROBABILITY ? Math.abs(got - wanted) * 1e30 : Math.abs(got - wanted) / Math.max(Math.abs(wanted), size))
      const errors = {
        value: relative(value, exact.value, 0),
        grad: relative(grad, within(FLOAT32, exact.grad), Math.min(terms(1), FLOAT32.largest)),
        // What a smoothed label leaves of a factor that is no number
        hess: formula === sigmoidGeneral && inRange < 1e-24 ? 0 : relative(hess, within(FLOAT32, exact.hess), Math.min(Math.abs(exact.grad) + terms(2), FLOAT32.largest)),
      }
      worst.value = Math.max(worst.value, errors.value)
      worst.grad = Math.max(worst.grad, errors.grad)
      worst.hess = Math.max(worst.hess, errors.hess)
    }
    expect(worst.value).toBeLessThan(error)
    expect(worst.grad).toBeLessThan(error)
    expect(worst.hess).toBeLessThan(2e-5)
  })
})

describe('the same text in GLSL', () => {
  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, { formula, parameters }) => {
    const glsl = toGlsl(elementShader(formula.code, parameters))
    expect(glsl).toContain('Element element(float x, float y, float rest, float wp, float wn)')
    expect(glsl).not.toMatch(/\b(fn|let|var|f32|i32|bitcast)\b|->/)
    // Constants have their types in front
    expect(glsl).toContain('const float SMALLEST_NORMAL = 1.17549435e-38;')
    const ofProbability = toGlsl(probabilityShader(formula.code, parameters, FLOAT32, 1e-6))
    expect(ofProbability).toContain('Element element(float p, float y, float rest, float wp, float wn)')
    expect(ofProbability).not.toMatch(/\b(fn|let|var|f32|i32|bitcast)\b|->/)
  })
})
