import { describe, expect, it } from 'vitest'
import { presets, sigmoidFocalLoss, SigmoidFocalLoss, softmaxFocalLoss, SoftmaxFocalLoss, VarifocalLoss } from 'focal-loss'
import { type AnyOptions, type LossName, lossNames, lossOf } from '../support/losses.js'

describe('the options of a loss', () => {
  it('have defaults, all readable', () => {
    expect(new SigmoidFocalLoss().options).toEqual({
      inputs: 'logits',
      gamma: 2,
      alpha: 0.25,
      classWeights: null,
      posWeight: null,
      labelSmoothing: 0,
      softTargets: 'linear',
      labelSmoothingOf: 'target',
      background: null,
      ignoreIndex: null,
      reduction: 'mean',
      backend: null,
    })
    expect(new SoftmaxFocalLoss().options.alpha).toBeNull()
  })

  it('are copied and frozen', () => {
    const alpha = [0.1, 0.2]
    const loss = new SigmoidFocalLoss({ alpha, backend: 'js' })
    alpha[0] = 1
    expect(loss.options.alpha).toEqual([0.1, 0.2])
    expect(Object.isFrozen(loss.options)).toBe(true)
    expect(Object.isFrozen(loss.options.alpha)).toBe(true)
  })

  it.each(lossNames)('may be undefined, each of them, and given back as they are shown: %s', (name) => {
    const { options } = lossOf(name, {})
    expect(Object.values(options)).not.toContain(undefined)
    expect(lossOf(name, Object.fromEntries(Object.keys(options).map((option) => [option, undefined]))).options).toEqual(options)
    expect(lossOf(name, options as AnyOptions).options).toEqual(options)
  })

  it('differ from loss to loss', () => {
    const common = { inputs: 'logits', classWeights: null, background: null, ignoreIndex: null, reduction: 'mean', backend: null }
    const own: Record<LossName, object> = {
      SigmoidFocalLoss: { gamma: 2, alpha: 0.25, posWeight: null, labelSmoothing: 0, softTargets: 'linear', labelSmoothingOf: 'target' },
      SoftmaxFocalLoss: { gamma: 2, alpha: null, labelSmoothing: 0, renormalize: false },
      FocalStarLoss: { gamma: 2, beta: 1, alpha: null, labelSmoothing: 0 },
      QualityFocalLoss: { beta: 2, constantModulator: false },
      VarifocalLoss: { gamma: 2, alpha: 0.75, constantModulator: false },
      HeatmapFocalLoss: { gamma: 2, beta: 4, positiveFrom: 1 },
      AsymmetricLoss: { gammaPositive: 1, gammaNegative: 4, margin: 0.05, constantModulator: false, labelSmoothing: 0 },
    }
    for (const name of lossNames) {
      const { options } = lossOf(name, {})
      expect(options).toEqual({ ...own[name], ...common })
      expect(Object.isFrozen(options)).toBe(true)
    }
    expect(new SoftmaxFocalLoss({ alpha: 3 }).options.alpha).toBe(3)
    expect(new VarifocalLoss({ alpha: [3, 4] }).options.alpha).toEqual([3, 4])
  })
})

describe('alpha of -1', () => {
  it.each(lossNames.filter((name) => 'alpha' in lossOf(name, {}).options))('of %s is how others switch it off: the message says how it is done here', (name) => {
    const hint = ', or null, which switches it off (as -1 does in fvcore and torchvision)'
    expect(() => lossOf(name, { alpha: -1 })).toThrow(new RegExp(`^alpha is -1; expected a .*number.*${hint.replace(/[()]/g, '.')}$`))
    expect(() => lossOf(name, { alpha: -0.5 })).toThrow(/^alpha is -0\.5; expected a (finite )?number [^,]*$/)
    expect(lossOf(name, { alpha: null }).options).toMatchObject({ alpha: null })
  })
})

describe('the presets', () => {
  it('are frozen, with the arrays that they hold', () => {
    const made = [presets.weightedCrossEntropy(0.9), presets.weightedCrossEntropy([1, 2]), presets.korniaSoftmax(2, 0.25), presets.monaiSoftmax(3, 0.25)]
    const holders = [presets, ...Object.values<unknown>(presets).filter((preset) => typeof preset === 'object'), ...made]
    const held = made.flatMap((preset) => Object.values(preset).filter((part) => Array.isArray(part)))
    expect(held.length).toBe(3)
    for (const each of [...holders, ...held]) expect(Object.isFrozen(each)).toBe(true)
  })

  it('copy what they are given', () => {
    const weights = [1, 2]
    const { classWeights } = presets.weightedCrossEntropy(weights)
    weights[0] = 3
    expect(classWeights).toEqual([1, 2])
  })

  it('are options', () => {
    for (const preset of [presets.torchvision, presets.optax, presets.keras, presets.paddle, presets.mmcv, presets.detectron]) {
      expect(new SigmoidFocalLoss({ ...preset }).options).toMatchObject(preset)
    }
  })

  it('weigh positives and negatives of cross entropy', () => {
    const logits = Float64Array.of(0.3, 0.3)
    const plain = new SigmoidFocalLoss({ ...presets.crossEntropy, reduction: 'none', backend: 'js' }).value(logits, [1, 0])
    const weighted = (positive: number, negative?: number) =>
      new SigmoidFocalLoss({ ...presets.weightedCrossEntropy(positive, negative), reduction: 'none', backend: 'js' }).value(logits, [1, 0])
    const ratios = (values: Float64Array) => Array.from(values, (value, i) => Number((value / plain[i]).toPrecision(12)))
    expect(ratios(weighted(0.75))).toEqual([0.75, 0.25])
    expect(ratios(weighted(4, 1))).toEqual([4, 1])
    expect(presets.weightedCrossEntropy([1, 2])).toEqual({ gamma: 0, alpha: null, classWeights: [1, 2] })
  })
})

describe('the one-liners', () => {
  const logits = Float32Array.of(1, -2, 3, 0.5)

  it('reduce nothing unless asked', () => {
    const losses = sigmoidFocalLoss(logits, [1, 0, 0, 1], { backend: 'js' })
    expect(losses).toBeInstanceOf(Float32Array)
    expect(sigmoidFocalLoss(logits, [1, 0, 0, 1], { reduction: 'sum', backend: 'js' })).toBeCloseTo(
      losses.reduce((a, b) => a + b),
      6,
    )
    expect(softmaxFocalLoss(logits, Int32Array.of(1, 0), { backend: 'js' })).toHaveLength(2)
  })

  it('take the options of the call', () => {
    const out = new Float32Array(2)
    expect(softmaxFocalLoss(logits, [1, 0], { shape: [2, 2], weights: [2, 1], out, reduction: undefined, backend: 'js' })).toBe(out)
  })
})
