/** What people report of focal losses elsewhere, as docs/reports.md lists it: each row by its name, on every backend. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  FocalStarLoss,
  gradcheck,
  HeatmapFocalLoss,
  presets,
  SigmoidFocalLoss,
  type SigmoidFocalOptions,
  SoftmaxFocalLoss,
  type SoftmaxFocalOptions,
} from 'focal-loss'
import { testedBackends } from './support/backends.js'

const page = readFileSync(new URL('../docs/reports.md', import.meta.url), 'utf8')
const listed = Array.from(page.matchAll(/^\| ([\w.-]+\/[\w.-]+#\d+) \|/gm), ([, name]) => name)

/** Rows whose answer is another row's. */
const same: Readonly<Record<string, string>> = {
  'open-mmlab/OpenPCDet#1437': 'pytorch/pytorch#40497',
  'catboost/catboost#3079': 'deeplearning4j/deeplearning4j#4832',
  'facebookresearch/pytext#1698': 'harvardnlp/annotated-transformer#109',
  'kornia/kornia#551': 'umbertogriffo/focal-loss-keras#4',
  'qubvel-org/segmentation_models.pytorch#808': 'umbertogriffo/focal-loss-keras#4',
  'open-mmlab/mmdetection#2680': 'IGNF/lidar-prod#2',
  'talmolab/sleap-nn#733': 'open-mmlab/OpenPCDet#842',
}

const far = Float32Array.of(-1e4, -100, -17, -1, 0, 1, 17, 100, 1e4)

describe.each(testedBackends())('%s', (backend) => {
  const sigmoid = (options: Omit<SigmoidFocalOptions, 'reduction'> = {}) => new SigmoidFocalLoss({ ...options, reduction: 'sum', backend })
  const softmax = (options: Omit<SoftmaxFocalOptions, 'reduction'> = {}) => new SoftmaxFocalLoss({ ...options, reduction: 'sum', backend })
  const allFinite = (...arrays: Iterable<number>[]) => arrays.every((array) => Array.from(array).every(Number.isFinite))

  function expectFinite(gamma: number) {
    for (const label of [0, 1]) {
      const { value, grad } = sigmoid({ gamma }).valueAndGrad(far, new Uint8Array(far.length).fill(label))
      expect(Number.isFinite(value) && allFinite(grad), `gamma ${gamma}, label ${label}`).toBe(true)
    }
  }

  const checks: Readonly<Record<string, () => void>> = {
    'gnn-tracking/gnn_tracking#138': () => {
      const loss = sigmoid({ inputs: 'probabilities' })
      const { value, grad } = loss.valueAndGrad(Float32Array.of(0, 1, 0, 1), Uint8Array.of(0, 0, 1, 1))
      expect(Number.isFinite(value) && allFinite(grad)).toBe(true)
    },
    'facebookresearch/fastText#1291': () => {
      const { value, grad } = softmax().valueAndGrad(Float32Array.of(1e4, -1e4, 0, 100, -100, 17), Int32Array.of(1, 2))
      expect(Number.isFinite(value) && allFinite(grad)).toBe(true)
    },
    'zimenglan-sysu-512/Focal-Loss#1': () => {
      const { value, grad } = sigmoid({ alpha: null }).valueAndGrad(Float32Array.of(-200), Uint8Array.of(1))
      expect(value).toBeCloseTo(200, 3)
      expect(grad[0]).toBeCloseTo(-1, 5)
    },
    'facebookresearch/Detectron#356': () => expectFinite(0),
    'kaidic/LDAM-DRW#17': () => expectFinite(0.5),
    'fizyr/keras-retinanet#706': () => {
      expectFinite(0.25)
      const loss = sigmoid({ gamma: 0.5, inputs: 'probabilities' })
      const { value, grad } = loss.valueAndGrad(Float32Array.of(1, 0), Uint8Array.of(1, 0))
      expect([value, ...grad].map(Math.abs)).toEqual([0, 0, 0])
    },
    'fudannlp16/focal-loss#4': () => {
      const p = 1e-20
      const { value } = sigmoid({ gamma: 2, alpha: null, inputs: 'probabilities' }).valueAndGrad(Float64Array.of(p), Uint8Array.of(1))
      expect(value).toBeCloseTo(-Math.log(p), 10)
    },
    'AlexeyAB/darknet#1011': () => {
      expect(gradcheck(new FocalStarLoss({ backend }), Float64Array.of(-3, -1, 0.5, 2), [1, 0, 1, 0]).passed).toBe(true)
    },
    'pytorch/pytorch#40497': () => {
      // -30 in float16: sigmoid is 1e-13, which float16 has not
      const { value, grad } = sigmoid({ alpha: null }).valueAndGrad(Uint16Array.of(0xcf80), Uint8Array.of(1), { dtype: 'float16' })
      expect(value).toBeCloseTo(30, 4)
      expect(grad[0]).toBe(0xbc00)
    },
    'NVIDIA/apex#318': () => {
      const n = 2 ** 20
      const logits = new Uint16Array(n).fill(0xc200)
      const labels = new Uint8Array(n)
      const loss = new SigmoidFocalLoss({ backend })
      expect(loss.valueAndGrad(logits, labels, { dtype: 'float16' }).grad[0]).toBe(0)
      const scaled = loss.valueAndGrad(logits, labels, { dtype: 'float16', gradScale: n })
      expect(scaled.grad[0]).not.toBe(0)
      const wide = new Float32Array(n)
      loss.valueAndGrad(logits, labels, { dtype: 'float16', grad: wide })
      expect(wide[0]).toBeGreaterThan(0)
    },
    'Media-Smart/vedatad#17': () => {
      const loss = new SigmoidFocalLoss({ ...presets.mmdetection, backend })
      const { value, grad } = loss.valueAndGrad(Float64Array.of(-1, 1), Int32Array.of(1, 1), { shape: [2, 1], normalizer: 2 })
      expect(value).toBeCloseTo(0.2716973853, 9)
      expect(Array.from(grad, Math.sign)).toEqual([1, 1])
      const labels = loss.value(Float64Array.of(-1, 1), Int32Array.of(1, 1), { shape: [2, 1], normalizer: 2, targetKind: 'labels' })
      expect(labels).toBeCloseTo(0.0905657951, 9)
    },
    'kuangliu/pytorch-retinanet#31': () => {
      const call = { shape: [2, 2] }
      const loss = sigmoid({ ignoreIndex: -1 })
      expect(loss.value(Float32Array.of(1, 2, 3, 4), Int32Array.of(0, -1), call)).toBe(sigmoid().value(Float32Array.of(1, 2), Int32Array.of(0), { shape: [1, 2] }))
    },
    'zylo117/Yet-Another-EfficientDet-Pytorch#65': () => {
      const loss = sigmoid({ background: 'num-classes' })
      const { sum, positives } = loss.sums(Float32Array.of(1, 2), Int32Array.of(2), { shape: [1, 2] })
      expect(positives).toBe(0)
      expect(sum).toBeCloseTo(sigmoid().value(Float32Array.of(1, 2), [0, 0]), 5)
    },
    'VITA-Group/GLNet#19': () => {
      expect(() => softmax().value(Float32Array.of(1, 2), Int32Array.of(0, 0), { shape: [2, 1] })).toThrow(/SigmoidFocalLoss/)
    },
    'yhenon/pytorch-retinanet#246': () => {
      const logits = Float32Array.of(1, 2, 3)
      expect(() => sigmoid().value(logits, Float32Array.of(0, 1, -1))).toThrow(/^targets\[2\] is -1; expected/)
      expect(sigmoid({ ignoreIndex: -1 }).sums(logits, Float32Array.of(0, 1, -1)).elements).toBe(2)
    },
    'PaddlePaddle/PaddleSeg#1899': () => {
      const { value, grad } = softmax({ ignoreIndex: 255 }).valueAndGrad(Float32Array.of(1, 2, 3, 4), Uint8Array.of(255, 255), { shape: [2, 2] })
      expect([value, ...grad]).toEqual([0, 0, 0, 0, 0])
    },
    'qubvel-org/segmentation_models.pytorch#852': () => {
      const loss = new SigmoidFocalLoss({ gamma: 0, alpha: null, ignoreIndex: -1, backend })
      expect(loss.value(Float32Array.of(0, 0, 5), Float32Array.of(0, 1, -1))).toBeCloseTo(Math.LN2, 6)
    },
    'facebookresearch/MaskFormer#57': () => {
      const logits = Float32Array.of(1, 2, 3, 4)
      const loss = sigmoid({ background: 'num-classes', ignoreIndex: 255 })
      expect(loss.sums(logits, Uint8Array.of(2, 255), { shape: [2, 2] })).toMatchObject({ elements: 2, rows: 1, positives: 0 })
    },
    'pytorch/pytorch#30984': () => {
      const loss = new SoftmaxFocalLoss({ gamma: 0, ignoreIndex: -100, backend })
      expect(loss.value(Float32Array.of(0, 0, 9, 1), Int32Array.of(0, -100), { shape: [2, 2] })).toBeCloseTo(Math.LN2, 6)
    },
    'deeplearning4j/deeplearning4j#4832': () => {
      const logits = Float64Array.of(0.5, 0.5, 0.5)
      const labels = Float32Array.of(0, 1, NaN)
      expect(() => sigmoid().value(logits, labels)).toThrow(/^targets\[2\] is NaN; expected/)
      expect(new SigmoidFocalLoss({ alpha: null, ignoreIndex: NaN, backend }).value(logits, labels)).toBeCloseTo(0.22249255, 7)
    },
    'vlfeat/matconvnet#899': () => {
      expect(sigmoid({ ignoreIndex: NaN }).sums(Float32Array.of(1, 2), Float32Array.of(NaN, 1))).toMatchObject({ elements: 1, rows: 1, positives: 1 })
    },
    'google-deepmind/optax#896': () => {
      const { value, grad } = softmax().valueAndGrad(Float32Array.of(-Infinity, 0), Int32Array.of(1))
      expect([value, ...grad].map(Math.abs)).toEqual([0, 0, 0])
    },
    'harvardnlp/annotated-transformer#109': () => {
      const logits = Float64Array.of(2, 0, -Infinity)
      const loss = softmax({ gamma: 0, labelSmoothing: 0.1 })
      const { value, grad } = loss.valueAndGrad(logits, Int32Array.of(0), { mask: Uint8Array.of(1, 1, 0), shape: [1, 3] })
      expect(value).toBeCloseTo(0.22692801, 7)
      expect(grad[2]).toBe(0)
    },
    'umbertogriffo/focal-loss-keras#4': () => {
      const row = Float64Array.of(2, 1, 0)
      const loss = new SoftmaxFocalLoss({ ...presets.monaiSoftmax(3, [0.1, 0.3, 0.6]), reduction: 'none', backend })
      const each = [0, 1, 2].map((target) => loss.value(row, Int32Array.of(target))[0])
      const expected = [0.00456778, 0.2408843473, 1.196162721]
      each.forEach((value, c) => expect(value / expected[c]).toBeCloseTo(each[0] / expected[0], 6))
    },
    'JunMa11/SegLossOdyssey#43': () => {
      const row = Float64Array.of(0, 0, 0)
      const loss = softmax({ alpha: [1, 2, 3] })
      const first = loss.value(row, Int32Array.of(0))
      expect([1, 2].map((c) => loss.value(row, Int32Array.of(c)) / first).map((ratio) => Math.round(ratio * 1e6) / 1e6)).toEqual([2, 3])
    },
    'unsky/focal-loss#9': () => {
      const loss = sigmoid({ gamma: 0, alpha: 0.8 })
      expect(loss.value(Float64Array.of(0), [1])).toBeCloseTo(0.8 * Math.LN2, 12)
      expect(loss.value(Float64Array.of(0), [0])).toBeCloseTo(0.2 * Math.LN2, 12)
    },
    'pytorch/pytorch#185167': () => {
      const loss = new SoftmaxFocalLoss({ gamma: 0, classWeights: [10, 1], backend })
      expect(loss.value(Float64Array.of(0, 0, 0, 0), Int32Array.of(0, 1), { shape: [2, 2] })).toBeCloseTo((11 / 2) * Math.LN2, 12)
    },
    'liuyuisanai/Focal-Loss#12': () => {
      const loss = new SigmoidFocalLoss({ reduction: 'mean-positives', backend })
      const logits = Float64Array.of(1, 2, 3, 4)
      expect(loss.value(logits, [1, 1, 0, 0])).toBeCloseTo(sigmoid().value(logits, [1, 1, 0, 0]) / 2, 12)
    },
    'IGNF/lidar-prod#2': () => {
      const loss = new SigmoidFocalLoss({ reduction: 'mean-positives', backend })
      expect(loss.value(Float64Array.of(1, 2), [0, 0])).toBe(sigmoid().value(Float64Array.of(1, 2), [0, 0]))
    },
    'open-mmlab/mmdetection#5988': () => {
      const loss = new SigmoidFocalLoss({ reduction: 'mean-positives', backend })
      const [a, b] = [loss.sums(Float64Array.of(1, 2), [1, 0]), loss.sums(Float64Array.of(3, 4), [1, 1])]
      const total = { sum: a.sum + b.sum, elements: a.elements + b.elements, rows: a.rows + b.rows, positives: a.positives + b.positives }
      expect(total.sum / loss.denominator(total)).toBeCloseTo(loss.value(Float64Array.of(1, 2, 3, 4), [1, 0, 1, 1]), 12)
    },
    'LibreYOLO/libreyolo#567': () => {
      const loss = new SigmoidFocalLoss({ reduction: 'mean-positives', backend })
      expect(loss.denominator({ sum: 3, elements: 8, rows: 8, positives: 0 })).toBe(1)
    },
    'open-mmlab/OpenPCDet#842': () => {
      const logits = Float64Array.of(0, 0)
      const targets = Float32Array.of(0.9995, 0.2)
      const loss = new HeatmapFocalLoss({ reduction: 'sum', backend })
      expect(loss.sums(logits, targets).positives).toBe(0)
      const wide = new HeatmapFocalLoss({ reduction: 'sum', positiveFrom: 0.999, backend })
      expect(wide.sums(logits, targets).positives).toBe(1)
      expect(wide.value(logits, targets)).toBeCloseTo(loss.value(logits, [1, targets[1]]), 12)
    },
    'open-mmlab/mmdetection#10849': () => {
      const logit = Math.log(0.3 / 0.7)
      const fromLogit = sigmoid().value(Float64Array.of(logit), [1])
      expect(sigmoid({ inputs: 'probabilities' }).value(Float64Array.of(0.3), [1])).toBeCloseTo(fromLogit, 12)
    },
    'keras-team/tf-keras#47': () => {
      const row = Float64Array.of(0.99, 0.5, 0.5)
      expect(() => softmax({ inputs: 'probabilities' }).value(row, Int32Array.of(0))).toThrow(/row 0.*1\.99/)
    },
    'ultralytics/yolov5#2864': () => {
      const loss = new SigmoidFocalLoss({ alpha: 0.25, gamma: 2, backend })
      const [posterior] = loss.toProbability(Float64Array.of(Math.log(0.10826 / (1 - 0.10826))))
      expect(posterior).toBeCloseTo(0.01, 4)
    },
    'lightgbm-org/LightGBM#6389': () => {
      const posteriors = new SigmoidFocalLoss({ backend }).toProbability(Float64Array.of(-5, 0, 5))
      expect(posteriors.every((p) => p > 0 && p < 1)).toBe(true)
    },
    'lightgbm-org/LightGBM#2052': () => {
      const loss = sigmoid({ gamma: 0, alpha: null })
      const { grad, hess } = loss.valueGradAndHess(Float64Array.of(0.5), [1])
      const p = 1 / (1 + Math.exp(-0.5))
      expect(grad[0]).toBeCloseTo(p - 1, 12)
      expect(hess[0]).toBeCloseTo(p * (1 - p), 12)
    },
    'jhwjhw0123/Imbalance-XGBoost#12': () => {
      const { hess } = softmax({ gamma: 0 }).valueGradAndHess(Float64Array.of(0.5, 0, -1), Int32Array.of(2))
      const p = softmax({ gamma: 0 }).toProbability(Float64Array.of(0.5, 0, -1), { shape: [1, 3] })
      hess.forEach((each, c) => expect(each).toBeCloseTo(p[c] * (1 - p[c]), 12))
    },
  }

  it.each(Object.entries(checks))('%s', { timeout: 60_000 }, (_, check) => {
    check()
  })

  it('are those of the page', () => {
    expect([...Object.keys(checks), ...Object.keys(same)].sort()).toEqual([...listed].sort())
    expect(Object.values(same).filter((name) => !(name in checks))).toEqual([])
  })
})
