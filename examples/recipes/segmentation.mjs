// Segmentation: logits as [N, C, H, W], a class for each pixel, 255 for "not labelled"
import { evaluate, SoftmaxFocalLoss } from 'focal-loss'
import { randomNumbers } from './support.mjs'

const [N, C, H, W] = [2, 3, 32, 32]
const { uniform, normal } = randomNumbers(1)
const pixels = H * W

// A small square of class 1 and a dot of class 2 on background 0
const targets = new Uint8Array(N * pixels).map((_, i) => {
  const [y, x] = [Math.floor((i % pixels) / W), i % W]
  if (uniform() < 0.05) return 255
  return y < 8 && x < 8 ? 1 : y > 28 && x > 28 ? 2 : 0
})
// Your network's output; here noise around the truth
const logits = new Float32Array(N * C * pixels).map((_, i) => {
  const [image, channel, pixel] = [Math.floor(i / (C * pixels)), Math.floor(i / pixels) % C, i % pixels]
  return normal() + (targets[image * pixels + pixel] === channel ? 2 : 0)
})

const loss = new SoftmaxFocalLoss({ gamma: 2, ignoreIndex: 255 })
const layout = { shape: [N, C, H, W], classAxis: 1 } // nothing is copied
const { value, grad } = loss.valueAndGrad(logits, targets, layout)
console.log(`loss ${value.toFixed(4)}, gradient of ${grad.length} logits`)

const { raw } = evaluate(logits, targets, { loss, ...layout })
console.log(`accuracy ${raw.rate.toFixed(3)}`)
raw.classes.forEach(({ averagePrecision }, c) => console.log(`class ${c}: average precision ${averagePrecision.toFixed(2)}`))
