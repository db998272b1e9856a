// Multi-label: 20 labels a sample, most of them absent
import { AsymmetricLoss, evaluate, presets, SigmoidFocalLoss } from 'focal-loss'
import { linearModel, randomNumbers } from './support.mjs'

const SAMPLES = 2000
const LABELS = 20
const { uniform, normal } = randomNumbers(1)
const labels = new Uint8Array(SAMPLES * LABELS).map((_, i) => (uniform() < 0.2 / (1 + (i % LABELS)) ? 1 : 0)) // label 0 is the most frequent
const features = Float32Array.from(labels, (label) => normal() + 1.5 * label)

function meanAveragePrecision(loss, rate) {
  const model = linearModel(LABELS, LABELS, -3)
  for (let step = 0; step < 60; step++) {
    const { grad } = loss.valueAndGrad(model.forward(features), labels, { shape: [SAMPLES, LABELS] })
    model.backward(features, grad, rate)
  }
  return evaluate(model.forward(features), labels, { loss, shape: [SAMPLES, LABELS] }).raw.macro.averagePrecision
}

const asymmetric = new AsymmetricLoss({ reduction: 'mean-rows' })
const crossEntropy = new SigmoidFocalLoss({ ...presets.crossEntropy, reduction: 'mean-rows' })
console.log(`asymmetric loss: mean average precision ${meanAveragePrecision(asymmetric, 3).toFixed(3)}`)
console.log(`cross entropy:   mean average precision ${meanAveragePrecision(crossEntropy, 1).toFixed(3)}`)
