// Fraud and other rare events: one positive in 200, a decision by what mistakes cost
import { evaluate, presets, SigmoidFocalLoss } from 'focal-loss'
import { linearModel, randomNumbers } from './support.mjs'

const PRIOR = 0.005
const { uniform, normal } = randomNumbers(1)
function sample(count) {
  const labels = new Uint8Array(count).map(() => (uniform() < PRIOR ? 1 : 0))
  return { labels, features: Float32Array.from({ length: 4 * count }, (_, i) => normal() + 1.2 * labels[Math.floor(i / 4)]) }
}
const [training, validation, test] = [sample(20_000), sample(20_000), sample(20_000)]

for (const [name, loss, rate] of [['focal', new SigmoidFocalLoss({ gamma: 2, alpha: null }), 20], ['cross entropy', new SigmoidFocalLoss(presets.crossEntropy), 5]]) {
  const model = linearModel(4, 1, loss.priorBias(PRIOR))
  for (let step = 0; step < 200; step++) model.backward(training.features, loss.valueAndGrad(model.forward(training.features), training.labels).grad, rate)

  // A missed fraud costs 100 times a false alarm. The threshold is chosen on validation data
  const cost = [{ falsePositive: 1, falseNegative: 100 }]
  const chosen = evaluate(model.forward(validation.features), validation.labels, { loss, thresholds: { cost } }).recalibrated.thresholds.cost[0].cut
  const logits = model.forward(test.features)
  const { recalibrated } = evaluate(logits, test.labels, { loss })
  const flagged = logits.reduce((sum, logit) => sum + (logit >= chosen.logit ? 1 : 0), 0)
  const caught = logits.reduce((sum, logit, i) => sum + (logit >= chosen.logit ? test.labels[i] : 0), 0)
  console.log(`${name}: average precision ${recalibrated.averagePrecision.toFixed(2)}, log loss ${recalibrated.logLoss.toFixed(3)}`)
  console.log(`  flags ${flagged} of ${logits.length}, catches ${caught} of ${test.labels.reduce((sum, label) => sum + label, 0)}`)
}
