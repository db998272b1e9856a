import { describe, expect, it } from 'vitest'
import { presets, sigmoidFocalLoss, SigmoidFocalLoss, softmaxFocalLoss, SoftmaxFocalLoss } from 'focal-loss'

/** Options as an untyped caller may write them. */
const sigmoid = (options: unknown) => new SigmoidFocalLoss(options as object)
const softmax = (options: unknown) => new SoftmaxFocalLoss(options as object)

describe('the options of a loss', () => {
  it('have defaults, all readable', () => {
    expect(new SigmoidFocalLoss().options).toEqual({
      gamma: 2,
      alpha: 0.25,
      classWeights: null,
      labelSmoothing: 0,
      softTargets: 'linear',
      background: null,
      ignoreIndex: null,
      reduction: 'mean',
      backend: undefined,
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

  it('may be undefined', () => {
    expect(new SigmoidFocalLoss({ gamma: undefined, alpha: undefined }).options.gamma).toBe(2)
  })

  it.each([
    [{ gamma: -1 }, RangeError, 'gamma is -1; expected a finite number >= 0'],
    [{ gamma: NaN }, RangeError, 'gamma is NaN; expected a finite number >= 0'],
    [{ gamma: Infinity }, RangeError, 'gamma is Infinity; expected a finite number >= 0'],
    [{ gamma: '2' }, TypeError, "gamma is '2'; expected a finite number >= 0"],
    [{ gamma: null }, TypeError, 'gamma is null; expected a finite number >= 0'],
    [{ alpha: 1.5 }, RangeError, 'alpha is 1.5; expected a number from 0 to 1'],
    [{ alpha: [0.5, -1] }, RangeError, 'alpha[1] is -1; expected a number from 0 to 1'],
    [{ alpha: [0.5, '1'] }, TypeError, "alpha[1] is '1'; expected a number from 0 to 1"],
    [{ alpha: [] }, RangeError, 'alpha is an empty array; expected one number per class'],
    [{ alpha: {} }, TypeError, 'alpha is an object; expected a number, an array of numbers (one per class) or null'],
    [{ alpha: [0.1, 0.2], classWeights: [1] }, RangeError, 'classWeights has 1 entries; expected one per class, and alpha has 2'],
    [{ classWeights: -1 }, RangeError, 'classWeights is -1; expected a finite number >= 0'],
    [{ labelSmoothing: 2 }, RangeError, 'labelSmoothing is 2; expected a number from 0 to 1'],
    [{ softTargets: 'mix' }, RangeError, "softTargets is 'mix'; expected one of 'linear', 'mixture'"],
    [{ background: 1.5 }, RangeError, "background is 1.5; expected an integer or 'num-classes'"],
    [{ ignoreIndex: '255' }, TypeError, "ignoreIndex is '255'; expected an integer"],
    [{ reduction: 'avg' }, RangeError, "reduction is 'avg'; expected one of 'none', 'sum', 'mean', 'mean-rows', 'mean-positives'"],
    [{ backend: 'gpu' }, RangeError, "backend is 'gpu'; expected one of 'auto', 'cuda', 'native', 'wasm', 'js'"],
    [{ gama: 2 }, TypeError, "'gama' is not an option of SigmoidFocalLoss; did you mean 'gamma'?"],
    [{ ignore_index: 2 }, TypeError, "'ignore_index' is not an option of SigmoidFocalLoss; did you mean 'ignoreIndex'?"],
    [[], TypeError, 'options is an array of length 0; expected an object with options'],
    [null, TypeError, 'options is null; expected an object with options'],
  ] as const)('refuse %j', (options, type, message) => {
    expect(() => sigmoid(options)).toThrow(new type(message))
    expect(() => sigmoid(options)).toThrow(type)
  })

  it('list what there is where nothing is near', () => {
    expect(() => sigmoid({ temperature: 1 })).toThrow(/'temperature' is not an option of SigmoidFocalLoss; expected one of gamma, alpha/)
  })

  it('differ from loss to loss', () => {
    expect(() => softmax({ softTargets: 'linear' })).toThrow(TypeError)
    expect(softmax({ alpha: 3 }).options.alpha).toBe(3)
  })
})

describe('the presets', () => {
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
    expect(() => presets.weightedCrossEntropy(4)).toThrow(new RangeError('positive is 4; expected a number from 0 to 1'))
    expect(() => presets.weightedCrossEntropy(0, 0)).toThrow(RangeError)
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
    expect(softmaxFocalLoss(logits, [1, 0], { backend: 'js' })).toHaveLength(2)
  })

  it('take the options of the call', () => {
    const out = new Float32Array(2)
    expect(softmaxFocalLoss(logits, [1, 0], { shape: [2, 2], weights: [2, 1], out, reduction: undefined, backend: 'js' })).toBe(out)
    expect(() => sigmoidFocalLoss(logits, [1, 0, 0, 1], { weigths: [1] } as object)).toThrow(
      new TypeError("'weigths' is not an option of sigmoidFocalLoss(); did you mean 'weights'?"),
    )
  })
})
