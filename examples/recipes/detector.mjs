// A dense detector's head: 2,000 anchors x 3 classes, nearly all of them background
import { evaluate, presets, SigmoidFocalLoss } from 'focal-loss'
import { linearModel, randomNumbers } from './support.mjs'

const ANCHORS = 2000
const CLASSES = 3
const BACKGROUND = CLASSES // the index after the last class; -1 is ignored
const { uniform, normal } = randomNumbers(1)

const targets = new Int32Array(ANCHORS).map(() => (uniform() < 0.03 ? Math.floor(3 * uniform()) : uniform() < 0.02 ? -1 : BACKGROUND))
const features = Float32Array.from({ length: ANCHORS * CLASSES }, (_, i) => normal() + (targets[Math.floor(i / CLASSES)] === i % CLASSES ? 2.5 : 0))

const loss = new SigmoidFocalLoss({ ...presets.detectron }) // gamma 2, alpha 0.25, divided by the positives
const head = linearModel(CLASSES, CLASSES, loss.priorBias(0.01))
for (let step = 0; step <= 200; step++) {
  const { value, grad } = loss.valueAndGrad(head.forward(features), targets)
  if (step % 100 === 0) console.log(`step ${step}: loss per object ${value.toFixed(3)}`)
  head.backward(features, grad, 0.5)
}

const { raw } = evaluate(head.forward(features), targets, { loss })
console.log(`average precision ${raw.averagePrecision.toFixed(3)}`)
