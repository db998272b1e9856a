/** What the losses of the family have in common: one is another, for some options or some targets. */
import type { Logits, Numbers } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { type ElementwiseName, elementwiseOf, lossNames, lossOf, type OwnOptions } from '../support/losses.js'
import { seeded } from '../support/random.js'

const random = seeded(5)
const logits = Float64Array.from({ length: 300 }, () => random.between(-12, 12))
const hard = Uint8Array.from(logits, () => random.integer(2))
const soft = Float64Array.from(logits, () => random.pick([0, 1, random()]))
const indices = Int32Array.from({ length: 100 }, () => random.integer(4) - 1)
const negatives = new Uint8Array(300)
/** Peaks, and nothing between. */
const targets: Readonly<Record<string, Numbers>> = { hard, soft, indices, negatives }

type Side = readonly [ElementwiseName, OwnOptions]

const crossEntropy: Side = ['SigmoidFocalLoss', { gamma: 0, alpha: null }]
const focal = (gamma: number): Side => ['SigmoidFocalLoss', { gamma, alpha: null }]

/** What is the same, on which targets, and by what factor. */
const identities: readonly [title: string, one: Side, other: Side, on: readonly (keyof typeof targets)[], factor?: number][] = [
  ['focal star with gamma 1 and beta 0 is cross entropy', ['FocalStarLoss', { gamma: 1, beta: 0 }], crossEntropy, ['hard', 'soft', 'indices']],
  ['focal star balances as sigmoid focal does', ['FocalStarLoss', { gamma: 1, beta: 0, alpha: 0.25 }], ['SigmoidFocalLoss', { gamma: 0, alpha: 0.25 }], ['hard', 'indices']],
  ['quality with beta 0 is cross entropy', ['QualityFocalLoss', { beta: 0 }], crossEntropy, ['hard', 'soft', 'indices']],
  ['quality of hard labels is sigmoid focal', ['QualityFocalLoss', { beta: 2 }], focal(2), ['hard', 'indices']],
  ['quality of hard labels is sigmoid focal, any power', ['QualityFocalLoss', { beta: 2.7 }], focal(2.7), ['hard', 'indices']],
  ['varifocal negatives are those of sigmoid focal times alpha', ['VarifocalLoss', { gamma: 2, alpha: 0.75 }], focal(2), ['negatives'], 0.75],
  ['varifocal with gamma 0 and no alpha is cross entropy of hard labels', ['VarifocalLoss', { gamma: 0, alpha: null }], crossEntropy, ['hard', 'indices']],
  ['heatmap without labels between is sigmoid focal', ['HeatmapFocalLoss', { gamma: 2, beta: 4 }], focal(2), ['hard', 'indices']],
  ['heatmap without labels between is sigmoid focal, any power', ['HeatmapFocalLoss', { gamma: 3.7, beta: 1.1 }], focal(3.7), ['hard', 'indices']],
  ['asymmetric with one gamma and no margin is sigmoid focal', ['AsymmetricLoss', { gammaPositive: 2, gammaNegative: 2, margin: 0 }], focal(2), ['hard', 'indices']],
  [
    'asymmetric mixes soft labels as Kornia does',
    ['AsymmetricLoss', { gammaPositive: 2, gammaNegative: 2, margin: 0 }],
    ['SigmoidFocalLoss', { gamma: 2, alpha: null, softTargets: 'mixture' }],
    ['soft'],
  ],
  ['asymmetric without powers and margin is cross entropy', ['AsymmetricLoss', { gammaPositive: 0, gammaNegative: 0, margin: 0 }], crossEntropy, ['hard', 'soft']],
]

function expectSame(actual: ArrayLike<number>, expected: ArrayLike<number>, factor: number, limit: number): void {
  Array.from(expected).forEach((each, k) => {
    const exact = each * factor
    expect(Math.abs(actual[k] - exact), `${actual[k]} for ${exact}, at ${k}`).toBeLessThanOrEqual(limit * Math.abs(exact) + 1e-37)
  })
}

describe.each(testedBackends())('%s', (backend) => {
  it.each(identities)('%s', (_, one, other, on, factor = 1) => {
    for (const Type of [Float32Array, Float64Array]) {
      for (const name of on) {
        const x: Logits = Type.from(logits)
        const make = ([loss, options]: Side) => elementwiseOf(loss, { ...options, background: -1, reduction: 'none', backend })
        const [a, b] = [one, other].map((side) => make(side).valueGradAndHess(x, targets[name], { targetKind: name === 'indices' ? 'class-index' : 'labels' }))
        const limit = Type === Float32Array ? 4e-6 : 1e-12
        expectSame(a.value, b.value, factor, limit)
        // Soft labels' derivatives pass through zero, by no more than rounding of terms of about the loss's size
        const slack = name === 'soft' ? limit : 0
        Array.from(b.grad).forEach((each, k) =>
          expect(Math.abs(a.grad[k] - factor * each)).toBeLessThanOrEqual(limit * Math.abs(factor * each) + slack * b.value[k] + 1e-37),
        )
        Array.from(b.hess).forEach((each, k) =>
          expect(Math.abs(a.hess[k] - factor * each)).toBeLessThanOrEqual(limit * (Math.abs(factor * each) + 6 * b.value[k]) + 1e-37),
        )
      }
    }
  })

  it('two classes are one logit, for softmax and sigmoid', () => {
    const rows = Float64Array.from({ length: 200 }, (_, k) => (k % 2 === 0 ? logits[k] : 0))
    const [softmax, sigmoid] = [
      lossOf('SoftmaxFocalLoss', { reduction: 'none', backend }).value(rows, hard.subarray(0, 100)),
      lossOf('SigmoidFocalLoss', { alpha: null, reduction: 'none', backend }).value(rows.filter((_, k) => k % 2 === 0), hard.subarray(0, 100).map((y) => 1 - y)),
    ] as Float64Array[]
    expectSame(softmax, sigmoid, 1, 1e-12)
  })

  it.each(lossNames)('a constant factor is a weight, a normalizer or a class weight, %s', (name) => {
    const shape = [100, 3]
    const of = (options: OwnOptions, call: object) =>
      lossOf(name, { background: -1, reduction: 'sum', ...options, backend }).valueAndGrad(logits, indices, { shape, ...call })
    const plain = of({}, {})
    for (const other of [of({ classWeights: 4 }, {}), of({}, { weights: new Float64Array(100).fill(4) }), of({}, { normalizer: 0.25 })]) {
      expect(other.value / plain.value).toBeCloseTo(4, 12)
      expectSame(other.grad, plain.grad, 4, 1e-12)
    }
  })
})
