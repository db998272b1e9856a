import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import { evaluate, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { tfEvaluate, tfLoss, tfMetrics } from 'focal-loss/tfjs'
import { elementwiseNames, lossNames, lossOf } from '../../support/losses.js'

const rows = Array.from({ length: 40 }, (_, r) => [Math.sin(3 * r) * 3, Math.cos(5 * r) * 2, Math.sin(r * r)])
const logits = Float32Array.from(rows.flat())
const dense = rows.flatMap((_, r) => [0, 1, 2].map((c) => Number(c === (r * r) % 3)))

/** Accuracy, precision and recall from decisions and truths. */
function sharesOf(decisions: readonly boolean[], truths: readonly boolean[]) {
  const both = decisions.filter((yes, i) => yes && truths[i]).length
  const right = decisions.filter((yes, i) => yes === truths[i]).length
  return [right / truths.length, both / decisions.filter(Boolean).length, both / truths.filter(Boolean).length]
}

const read = ({ accuracy, precision, recall }: ReturnType<typeof tfMetrics>, yTrue: tf.Tensor, yPred: tf.Tensor) =>
  [accuracy, precision, recall].map((metric) => metric(yTrue, yPred).dataSync()[0])

const expectClose = (actual: readonly number[], expected: readonly number[]) => {
  expect(actual).toHaveLength(expected.length)
  actual.forEach((each, i) => expect(each, `[${i}]`).toBeCloseTo(expected[i], 6))
}

describe.each(['cpu', 'wasm'])('tfMetrics on the %s backend of TensorFlow.js', (backend) => {
  beforeAll(() => tf.setBackend(backend))

  it.each(elementwiseNames)('decides as toProbability does, %s', (name) => {
    const loss = lossOf(name, {})
    const probabilities = loss.toProbability(Float64Array.from(logits), { shape: [40, 3] })
    const [yTrue, yPred] = [tf.tensor2d(dense, [40, 3]), tf.tensor2d(logits, [40, 3])]
    for (const threshold of [0.5, 0.2]) {
      const expected = sharesOf(Array.from(probabilities, (p) => p >= threshold), dense.map((y) => y === 1))
      expectClose(read(tfMetrics(tf, loss, { threshold }), yTrue, yPred), expected)
    }
  })

  it('has the precision and recall of evaluate, at the threshold that evaluate gives', () => {
    for (const loss of [new SigmoidFocalLoss(), new SigmoidFocalLoss({ ignoreIndex: -1, alpha: 0.5 })]) {
      const targets = dense.map((y, k) => (k % 7 === 0 && loss.options.ignoreIndex === -1 ? -1 : y))
      const { recalibrated } = evaluate(logits, targets, { loss, shape: [40, 3], thresholds: { recall: [0.3, 0.6, 0.95] } })
      for (const { cut } of recalibrated.thresholds?.recall ?? []) {
        // Half of the way to the next score below: float32 rounds
        const below = Math.max(...logits.filter((x) => x < (cut.logit ?? NaN)))
        const threshold = loss.toProbability(Float64Array.of(((cut.logit ?? NaN) + below) / 2))[0]
        const [, precision, recall] = read(tfMetrics(tf, loss, { threshold }), tf.tensor2d(targets, [40, 3]), tf.tensor2d(logits, [40, 3]))
        expectClose([precision, recall], [cut.precision, cut.recall])
      }
      expect(recalibrated.thresholds?.recall).toHaveLength(3)
    }
  })

  it('decides each class by its own weights', () => {
    const loss = new SigmoidFocalLoss({ alpha: [0.25, 0.5, 0.9], classWeights: [1, 2, 3] })
    const probabilities = loss.toProbability(Float64Array.from(logits), { shape: [40, 3] })
    const expected = sharesOf(Array.from(probabilities, (p) => p >= 0.5), dense.map((y) => y === 1))
    expectClose(read(tfMetrics(tf, loss), tf.tensor2d(dense, [40, 3]), tf.tensor2d(logits, [40, 3])), expected)
  })

  it.each([
    {},
    { alpha: [0.1, 0.3, 0.6] },
    { gamma: 0, alpha: [0.1, 0.3, 0.6] },
    { gamma: 3.5, classWeights: [4, 1, 2], labelSmoothing: 0.1 },
  ])('finds the class whose toProbability is largest: softmax, %o', (options) => {
    const loss = new SoftmaxFocalLoss(options)
    const probabilities = loss.toProbability(Float64Array.from(logits), { shape: [40, 3] })
    const right = rows.filter((_, r) => {
      const row = probabilities.subarray(3 * r, 3 * r + 3)
      return row.indexOf(Math.max(...row)) === (r * r) % 3
    }).length
    const expected = [right / 40, right / 40, right / 40]
    const indices = tf.tensor1d(rows.map((_, r) => (r * r) % 3), 'int32')
    for (const yTrue of [tf.tensor2d(dense, [40, 3]), indices]) expectClose(read(tfMetrics(tf, loss), yTrue, tf.tensor2d(logits, [40, 3])), expected)
  })

  it('leaves out what is ignored, and rows of no class', () => {
    const sigmoid = tfMetrics(tf, new SigmoidFocalLoss({ ignoreIndex: -1, alpha: null }))
    expectClose(read(sigmoid, tf.tensor2d([[1], [-1], [0], [0]]), tf.tensor2d([[2], [2], [2], [-2]])), [2 / 3, 1 / 2, 1])
    const softmax = tfMetrics(tf, new SoftmaxFocalLoss({ ignoreIndex: 255, background: 2 }))
    const yPred = tf.tensor2d([[2, 0], [0, 2], [2, 0], [0, 2]])
    expectClose(read(softmax, tf.tensor1d([0, 0, 255, 2], 'int32'), yPred), [1 / 2, 1 / 2, 1 / 2])
    expectClose(read(sigmoid, tf.tensor2d([[-1]]), tf.tensor2d([[2]])), [0, 0, 0])
  })

  it('takes probabilities where the loss does', () => {
    const p = tf.sigmoid(tf.tensor2d(logits, [40, 3]))
    const loss = new SigmoidFocalLoss({ alpha: 0.1 })
    const ofLogits = read(tfMetrics(tf, loss), tf.tensor2d(dense, [40, 3]), tf.tensor2d(logits, [40, 3]))
    expectClose(read(tfMetrics(tf, new SigmoidFocalLoss({ alpha: 0.1, inputs: 'probabilities' })), tf.tensor2d(dense, [40, 3]), p), ofLogits)
    const weighted = { alpha: [0.1, 0.3, 0.6] }
    const ofRows = read(tfMetrics(tf, new SoftmaxFocalLoss(weighted)), tf.tensor2d(dense, [40, 3]), tf.tensor2d(logits, [40, 3]))
    const softmax = tfMetrics(tf, new SoftmaxFocalLoss({ ...weighted, inputs: 'probabilities' }))
    expectClose(read(softmax, tf.tensor2d(dense, [40, 3]), tf.softmax(tf.tensor2d(logits, [40, 3]))), ofRows)
  })

  it("reports 0.75 in model.fit where 'accuracy' reports 0.5, and leaks no tensor", async () => {
    const loss = new SigmoidFocalLoss({ alpha: null })
    // The model passes its input on
    const model = layers.sequential({ layers: [layers.layers.dense({ units: 1, inputShape: [1], kernelInitializer: 'ones' })] })
    const { accuracy, precision, recall } = tfMetrics(tf, loss)
    model.compile({ optimizer: tf.train.sgd(0), loss: tfLoss(tf, loss), metrics: ['accuracy', accuracy, precision, recall] })
    const [x, y] = [tf.tensor2d([[-2], [0.3], [-1], [2]]), tf.tensor2d([[0], [1], [1], [1]])]
    expect(model.metricsNames).toEqual(['loss', 'acc', 'accuracy', 'precision', 'recall'])
    const values = (model.evaluate(x, y) as tf.Scalar[]).map((each) => each.dataSync()[0])
    expectClose(values.slice(1), [0.5, 0.75, 1, 2 / 3])
    const fit = async () => (await model.fit(x, y, { epochs: 1, verbose: 0, batchSize: 2, shuffle: false })).history
    const history = await fit()
    expectClose([history.accuracy[0] as number], [0.75])
    const before = tf.memory().numTensors
    await fit()
    expect(tf.memory().numTensors).toBe(before)
  })

  it('has the figures of evaluate, a batch at a time', () => {
    const figures = ['averagePrecision', 'rocAuc', 'brier', 'logLoss', 'calibrationError'] as const
    const targets = dense.map((y, k) => (k % 7 === 0 ? -1 : y))
    const sigmoid = new SigmoidFocalLoss({ ignoreIndex: -1 })
    const { recalibrated } = evaluate(logits, targets, { loss: sigmoid, shape: [40, 3] })
    const metrics = tfMetrics(tf, sigmoid)
    const before = tf.memory().numTensors
    const [yTrue, yPred] = [tf.tensor2d(targets, [40, 3]), tf.tensor2d(logits, [40, 3])]
    for (const name of figures) {
      const came = metrics[name](yTrue, yPred)
      expect(came.dataSync()[0], name).toBeCloseTo(recalibrated[name] ?? NaN, 6)
      came.dispose()
    }
    tf.dispose([yTrue, yPred])
    expect(tf.memory().numTensors).toBe(before)
    const softmax = new SoftmaxFocalLoss()
    const indices = rows.map((_, r) => (r * r) % 3)
    const { recalibrated: ofRows } = evaluate(logits, Int32Array.from(indices), { loss: softmax })
    const came = figures.map((name) => tfMetrics(tf, softmax)[name](tf.tensor1d(indices, 'int32'), tf.tensor2d(logits, [40, 3])).dataSync()[0])
    expectClose(came, [ofRows.macro?.averagePrecision, ofRows.macro?.rocAuc, ofRows.brier, ofRows.logLoss, ofRows.calibrationError].map((each) => each ?? NaN))
    // Without positives there is no precision
    expect(metrics.averagePrecision(tf.tensor2d([[0]]), tf.tensor2d([[2]])).dataSync()[0]).toBeNaN()
  })

  it('tfEvaluate judges a model on all of its data, whatever the batches, and leaks no tensor', async () => {
    const model = layers.sequential({ layers: [layers.layers.dense({ units: 3, inputShape: [3], kernelInitializer: 'identity' })] })
    const loss = new SigmoidFocalLoss({ ignoreIndex: -1 })
    const targets = dense.map((y, k) => (k % 7 === 0 ? -1 : y))
    const [mask, weights] = [rows.map((_, r) => Number(r % 5 > 0)), rows.map((_, r) => 1 + (r % 3))]
    const expected = evaluate(logits, targets, { loss, shape: [40, 3], mask, weights, bins: 5 })
    const [x, y, m, w] = [tf.tensor2d(logits, [40, 3]), tf.tensor2d(targets, [40, 3]), tf.tensor1d(mask), tf.tensor1d(weights)]
    const before = tf.memory().numTensors
    for (const batchSize of [undefined, 7, 1000]) {
      expect(await tfEvaluate(tf, model, loss, x, y, { batchSize, mask: m, weights: w, bins: 5 })).toEqual(expected)
    }
    expect(tf.memory().numTensors).toBe(before)
    const softmax = new SoftmaxFocalLoss()
    const indices = rows.map((_, r) => (r * r) % 3)
    const ofRows = evaluate(logits, Int32Array.from(indices), { loss: softmax })
    expect((await tfEvaluate(tf, model, softmax, x, tf.tensor2d(indices, [40, 1]), { targetKind: 'class-index' })).recalibrated.rate).toBe(ofRows.recalibrated.rate)
    await expect(tfEvaluate(tf, model, loss, x, tf.tensor2d([[1, 0, 0]]))).rejects.toThrow('yTrue has shape [1, 3]; expected 40 samples along the first axis, as x has')
    await expect(tfEvaluate(tf, model, loss, x, undefined as never)).rejects.toThrow(new TypeError('yTrue is undefined; expected a tensor'))
    await expect(tfEvaluate(tf, model, loss, logits as never, y)).rejects.toThrow(/^x is an? .*; expected a tensor$/)
    await expect(tfEvaluate(tf, model, loss, x, y, { mask: mask as never })).rejects.toThrow('mask is an array of length 40; expected a tensor')
    const two = { predict: () => [x, x] }
    await expect(tfEvaluate(tf, two, loss, x, y)).rejects.toThrow('model.predict() returned 2 outputs; expected one tensor, the logits')
    await expect(tfEvaluate(tf, model, loss, x, y, { batch: 3 } as never)).rejects.toThrow("'batch' is not an option of tfEvaluate()")
    await expect(tfEvaluate(tf, model, loss, x, y, { batchSize: 0 })).rejects.toThrow(new RangeError('batchSize is 0; expected a whole number from 1 to 268435456'))
  })

  it.each(lossNames)('leaks no tensor, %s', (name) => {
    const { accuracy, precision, recall } = tfMetrics(tf, lossOf(name, {}))
    const [yTrue, yPred] = [tf.tensor2d(dense, [40, 3]), tf.tensor2d(logits, [40, 3])]
    const before = tf.memory().numTensors
    for (const metric of [accuracy, precision, recall]) metric(yTrue, yPred).dispose()
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe('what tfMetrics is given', () => {
  const call = tfMetrics as (...given: unknown[]) => unknown
  const loss = new SigmoidFocalLoss()

  it.each([
    ['a loss alone', [loss], 'tf is a loss; expected the namespace of TensorFlow.js, as in tfMetrics(tf, loss)'],
    ['a class', [tf, SigmoidFocalLoss], 'loss is the class SigmoidFocalLoss; expected an object of it, as new SigmoidFocalLoss() makes one'],
    ['an option nobody knows', [tf, loss, { treshold: 0.5 }], "'treshold' is not an option of tfMetrics(); did you mean 'threshold'?"],
    ['too many arguments', [tf, loss, {}, 1], 'tfMetrics() was given 4 arguments; expected at most 3'],
    ['a threshold of 1', [tf, loss, { threshold: 1 }], 'threshold is 1; expected a number between 0 and 1, both excluded'],
    ['a threshold for a softmax', [tf, new SoftmaxFocalLoss(), { threshold: 0.5 }], 'threshold is 0.5; expected none, as a softmax decides for the largest class'],
    ['a loss without constants', [tf, { options: loss.options, priorBias: () => 0 }], 'loss is an object; expected a loss of this package'],
    ['a class that costs nothing', [tf, new SigmoidFocalLoss({ alpha: 1 })], 'needs a weight above 0 for every class'],
  ])('%s is an error', (_title, given, message) => {
    expect(() => call(...given)).toThrow(message)
  })
})
