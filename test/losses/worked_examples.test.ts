/** The examples that the focal loss is explained with, worked out by hand and run on every backend. */
import { describe, expect, it } from 'vitest'
import { AsymmetricLoss, HeatmapFocalLoss, presets, SigmoidFocalLoss, type SigmoidFocalOptions, SoftmaxFocalLoss } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import { type ElementwiseName, elementwiseOf, type OwnOptions } from '../support/losses.js'

const logit = (p: number) => Math.log(p / (1 - p))

describe.each(testedBackends())('%s', (backend) => {
  /** The losses of predicted probabilities. */
  function lossesOf(probabilities: readonly number[], targets: readonly number[], options: SigmoidFocalOptions): number[] {
    const loss = new SigmoidFocalLoss({ ...options, reduction: 'none', backend })
    return Array.from(loss.value(Float64Array.from(probabilities, logit), targets))
  }

  describe('cross entropy', () => {
    it('is the same for a sure positive and a sure negative', () => {
      const [positive, negative] = lossesOf([0.95, 0.05], [1, 0], presets.crossEntropy)
      expect(positive).toBeCloseTo(0.0513, 4)
      expect(positive).toBeCloseTo(-Math.log(0.95), 14)
      expect(negative).toBeCloseTo(positive, 14)
    })

    it('weighs them 0.8 to 0.2', () => {
      const [positive, negative] = lossesOf([0.95, 0.05], [1, 0], presets.weightedCrossEntropy(0.8))
      expect(positive).toBeCloseTo(0.041, 4)
      expect(negative).toBeCloseTo(0.0103, 4)
      expect(positive / negative).toBeCloseTo(4, 12)
    })

    it('is focal loss with gamma 0 and no alpha', () => {
      const p = [0.001, 0.1, 0.5, 0.9, 0.999]
      const yes = p.map(() => 1)
      const no = p.map(() => 0)
      const check = (actual: number[], expected: number[]) => actual.forEach((loss, i) => expect(loss / expected[i]).toBeCloseTo(1, 12))
      check(lossesOf(p, yes, { gamma: 0, alpha: null }), p.map((each) => -Math.log(each)))
      check(lossesOf(p, no, { gamma: 0, alpha: null }), p.map((each) => -Math.log(1 - each)))
      const soft = new SigmoidFocalLoss({ gamma: 0, alpha: null, backend }).value(Float64Array.of(logit(0.3)), [0.7])
      expect(soft).toBeCloseTo(-0.7 * Math.log(0.3) - 0.3 * Math.log(0.7), 14)
      const softmax = new SoftmaxFocalLoss({ ...presets.crossEntropy, backend }).value(Float64Array.of(0.2, 0.5, 0.3).map(Math.log), Int32Array.of(1))
      expect(softmax).toBeCloseTo(Math.log(2), 14)
    })
  })

  describe('focusing', () => {
    // p_t = 0.1 is hard, p_t = 0.9 easy; both are positives
    it.each([
      [0, 2.302585, 0.1053605],
      [1, 2.0723266, 0.01053605],
      [2, 1.8650939, 0.001053605],
      [5, 1.3596535, 0.000001053605],
    ])('gamma %d leaves a hard positive %d and an easy one %d', (gamma, hard, easy) => {
      const losses = lossesOf([0.1, 0.9], [1, 1], { gamma, alpha: null })
      expect(losses[0] / hard).toBeCloseTo(1, 6)
      expect(losses[1] / easy).toBeCloseTo(1, 6)
      expect(losses[0]).toBeCloseTo(0.9 ** gamma * -Math.log(0.1), 13)
      expect(losses[1]).toBeCloseTo(0.1 ** gamma * -Math.log(0.9), 13)
    })

    it('with gamma 2 makes p_t 0.9 cost 100 times less, 0.968 about 1000 times, and hard ones at most 4 times', () => {
      const ratio = (p: number) => {
        const [plain] = lossesOf([p], [1], presets.crossEntropy)
        const [focal] = lossesOf([p], [1], { gamma: 2, alpha: null })
        return plain / focal
      }
      expect(ratio(0.9)).toBeCloseTo(100, 9)
      expect(ratio(0.968)).toBeCloseTo(1 / 0.032 ** 2, 8)
      expect(Math.abs(ratio(0.968) - 1000)).toBeLessThan(25)
      expect(ratio(0.5)).toBeCloseTo(4, 12)
      for (const p of [0.001, 0.1, 0.3, 0.499]) expect(ratio(p)).toBeLessThan(4)
    })

    it('moves the gradient from the easy ones to the hard ones', () => {
      const x = Float64Array.of(logit(0.1), logit(0.9))
      const share = (gamma: number) => {
        const { grad } = new SigmoidFocalLoss({ gamma, alpha: null, backend }).valueAndGrad(x, [1, 1])
        return grad[1] / (grad[0] + grad[1])
      }
      expect(share(0)).toBeCloseTo(0.1, 12)
      expect(share(2)).toBeLessThan(0.003)
    })
  })

  describe('alpha', () => {
    it('weighs positives, 1 - alpha negatives, and null neither', () => {
      const at = (alpha: number | null) => lossesOf([0.3, 0.3], [1, 0], { gamma: 2, alpha })
      const plain = at(null)
      expect(at(0.25).map((loss, i) => loss / plain[i])).toEqual([expect.closeTo(0.25, 12), expect.closeTo(0.75, 12)])
      expect(at(1).map((loss, i) => loss / plain[i])).toEqual([1, 0])
      expect(at(0.5).map((loss, i) => loss / plain[i])).toEqual([0.5, 0.5])
    })

    it('may differ from class to class', () => {
      const loss = new SigmoidFocalLoss({ alpha: [0.25, 0.75], reduction: 'none', backend })
      const plain = new SigmoidFocalLoss({ alpha: null, reduction: 'none', backend })
      const x = Float64Array.of(0.3, -0.2, 0.1, 0.4)
      const weighted = loss.value(x, Int32Array.of(1, 0))
      const ratios = Array.from(plain.value(x, Int32Array.of(1, 0)), (each, k) => Number((weighted[k] / each).toPrecision(12)))
      expect(ratios).toEqual([0.75, 0.75, 0.25, 0.25])
    })

    it('of a softmax multiplies the class, and there is no 1 - alpha', () => {
      const x = Float64Array.of(1, 2, 0.5, 1, 2, 0.5)
      const plain = new SoftmaxFocalLoss({ reduction: 'none', backend }).value(x, Int32Array.of(0, 2))
      const weighted = new SoftmaxFocalLoss({ alpha: [0.25, 1, 3], reduction: 'none', backend }).value(x, Int32Array.of(0, 2))
      expect(weighted[0]).toBeCloseTo(0.25 * plain[0], 14)
      expect(weighted[1]).toBeCloseTo(3 * plain[1], 14)
    })
  })

  /** One loss for each predicted probability and target, of a loss of the family with its defaults or these options. */
  function familyOf(name: ElementwiseName, pairs: readonly (readonly [p: number, y: number])[], options: OwnOptions = {}): number[] {
    const loss = elementwiseOf(name, { ...options, reduction: 'none', backend })
    return Array.from(loss.value(Float64Array.from(pairs, ([p]) => logit(p)), Float64Array.from(pairs, ([, y]) => y)))
  }

  const expectDigits = (actual: readonly number[], expected: readonly number[]) => {
    expect(actual).toHaveLength(expected.length)
    actual.forEach((loss, i) => expect(Math.abs(loss - expected[i])).toBeLessThanOrEqual(5e-7 * Math.abs(expected[i])))
  }

  describe('focal star', () => {
    it('leaves an easy example almost nothing, without a modulating factor', () => {
      // Logits of +-ln 9: log(1 + e^-(2 ln 9 + 1)) / 2 = log(1 + 1 / (81 e)) / 2
      expectDigits(familyOf('FocalStarLoss', [[0.9, 1], [0.1, 0], [0.1, 1], [0.9, 0]]), [0.00226571950, 0.00226571950, 1.71372869, 1.71372869])
      expectDigits(familyOf('FocalStarLoss', [[0.9, 1], [0.1, 1]], { gamma: 4, beta: 0 }), [0.0000381010440, 2.19726268])
      expect(familyOf('FocalStarLoss', [[0.9, 1]])[0]).toBeCloseTo(Math.log(1 + 1 / (81 * Math.E)) / 2, 15)
    })
  })

  describe('quality focal', () => {
    it('is the cross entropy of a quality, times the square of how far the score is from it', () => {
      // 0.5^2 (-0.8 ln 0.3 - 0.2 ln 0.7), nothing at all where the score is the quality, 0.9^2 (-ln 0.1)
      expectDigits(familyOf('QualityFocalLoss', [[0.3, 0.8], [0.9, 0]]), [0.258628308, 1.86509393])
      expectDigits(familyOf('QualityFocalLoss', [[0.3, 0.8]], { beta: 1 }), [0.517256616])
      expect(familyOf('QualityFocalLoss', [[0.8, 0.8]])[0]).toBeLessThan(1e-30)
    })
  })

  describe('varifocal', () => {
    it('weighs positives by their quality, and focuses negatives alone', () => {
      // 0.8 (-0.8 ln 0.6 - 0.2 ln 0.4), -ln 0.6, 0.75 0.6^2 (-ln 0.4), 0.75 0.1^2 (-ln 0.9)
      expectDigits(familyOf('VarifocalLoss', [[0.6, 0.8], [0.6, 1], [0.6, 0], [0.1, 0]]), [0.473534916, 0.510825624, 0.247398498, 0.000790203867])
    })
  })

  describe('heatmap focal', () => {
    it('blames a false peak less, the nearer it is to a true one', () => {
      // 0.4^2 (-ln 0.6) at a peak, and 0.6^2 (-ln 0.4) times 1, 0.5^4 and 0.1^4 away from it
      const losses = familyOf('HeatmapFocalLoss', [[0.6, 1], [0.6, 0], [0.6, 0.5], [0.6, 0.9]])
      expectDigits(losses, [0.0817320998, 0.329864663, 0.0206165415, 0.0000329864663])
      expect(losses[1] / losses[2]).toBeCloseTo(16, 10)
    })

    it('divides by the peaks, as CenterNet does', () => {
      const loss = new HeatmapFocalLoss({ reduction: 'mean-positives', backend })
      const x = Float64Array.of(0.6, 0.6, 0.6, 0.6).map(logit)
      const { sum, positives } = loss.sums(x, [1, 0, 0.999, 1])
      expect(positives).toBe(2)
      expect(loss.value(x, [1, 0, 0.999, 1])).toBeCloseTo(sum / 2, 15)
      // No peak at all: by 1
      expect(loss.value(x, [0, 0, 0, 0])).toBeCloseTo(4 * 0.329864663, 8)
    })
  })

  describe('asymmetric', () => {
    it('costs a positive (1 - p)^1, a negative (p - 0.05)^4, and one below the margin nothing', () => {
      // 0.4 (-ln 0.6); 0.55^4 (-ln 0.45), 0.85^4 (-ln 0.15), 0.01^4 (-ln 0.99)
      const losses = familyOf('AsymmetricLoss', [[0.6, 1], [0.6, 0], [0.9, 0], [0.06, 0], [0.049, 0]])
      expectDigits(losses, [0.20433025, 0.0730684449, 0.990308489, 1.00503359e-10, 0])
    })

    it('never blames a negative more than the margin lets it', () => {
      const loss = new AsymmetricLoss({ reduction: 'none', backend })
      const most = 0.95 ** 4 * -Math.log(0.05)
      expect(most).toBeCloseTo(2.44004266, 8)
      const { value, grad } = loss.valueAndGrad(Float64Array.of(30, 100, Infinity), [0, 0, 0])
      for (const each of value) expect(each).toBeCloseTo(most, 10)
      for (const each of grad) expect(each).toBeLessThan(1e-10)
    })
  })

  // One image of the paper: 100,000 anchors by 80 classes, all background, the last layer's bias set to the prior
  // 0.01. Every one of the 8,000,000 logits is -log(99), so that p = 0.01 and the sums are exactly
  // 8e6 * -log(0.99) = 80,402.69 and 8e6 * 0.75 * 0.01^2 * -log(0.99) = 6.0302.
  it('an image of background costs 80,403 under cross entropy at the first step, and 6.03 under focal loss', () => {
    const [anchors, classes] = [100_000, 80]
    const logits = new Float32Array(anchors * classes).fill(-Math.log(99))
    const background = new Int32Array(anchors).fill(classes)
    const plain = new SigmoidFocalLoss({ ...presets.mmcv, ...presets.crossEntropy, reduction: 'sum', backend })
    const focal = new SigmoidFocalLoss({ ...presets.mmcv, reduction: 'sum', backend })
    const sum = plain.value(logits, background)
    expect(sum).toBeCloseTo(80_402.69, 0)
    expect(sum / (8e6 * -Math.log(0.99))).toBeCloseTo(1, 6)
    const { sum: focalSum, ...counts } = focal.sums(logits, background)
    expect(focalSum).toBeCloseTo(6.03, 2)
    expect(focalSum / (8e6 * 0.75 * 0.01 ** 2 * -Math.log(0.99))).toBeCloseTo(1, 5)
    expect(counts).toEqual({ elements: 8e6, rows: 1e5, positives: 0 })
  }, 30_000)
})
