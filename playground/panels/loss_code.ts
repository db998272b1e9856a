/** A sigmoid focal loss as source text. */

/** What the page's losses differ in. */
export interface LossNumbers {
  readonly gamma: number
  readonly alpha: number | null
}

/** The options of a `SigmoidFocalLoss`: `gamma: 2, alpha: 0.25`. */
export function optionsText({ gamma, alpha }: LossNumbers): string {
  return `gamma: ${gamma}, alpha: ${alpha}`
}

/** The arguments of torchvision's function, where -1 is no alpha. */
export function torchText({ gamma, alpha }: LossNumbers): string {
  return `alpha=${alpha ?? -1}, gamma=${gamma}`
}

/** A model of one logit in TensorFlow.js, trained with the loss. `prior` is the share of positives. */
export function tfjsCode(numbers: LossNumbers, prior: number): string {
  return `import * as tf from '@tensorflow/tfjs'
import { SigmoidFocalLoss } from 'focal-loss'
import { tfLoss, tfMetrics } from 'focal-loss/tfjs'

const loss = new SigmoidFocalLoss({ ${optionsText(numbers)} })

// No activation at the end: the loss takes logits. The bias starts at the loss's optimum for the share of positives.
const model = tf.sequential()
const biasInitializer = tf.initializers.constant({ value: loss.priorBias(${prior}) })
model.add(tf.layers.dense({ units: 1, inputShape: [2], biasInitializer }))
model.compile({ optimizer: tf.train.adam(0.01), loss: tfLoss(tf, loss), metrics: [tfMetrics(tf, loss).recall] })

const inputs = tf.randomNormal([1000, 2])
const labels = inputs.slice([0, 0], [1000, 1]).greater(1).toFloat()
await model.fit(inputs, labels, { epochs: 5, verbose: 0 })
console.log('probabilities', loss.toProbability(model.predict(inputs).dataSync()).slice(0, 5))
`
}

/** The same in PyTorch, where the bias is a number: torchvision has no priorBias. */
export function pytorchCode(numbers: LossNumbers, prior: number, bias: number): string {
  return `import torch
from torchvision.ops import sigmoid_focal_loss

# The last layer starts at the loss's optimum for a share of positives of ${prior}
model = torch.nn.Linear(2, 1)
torch.nn.init.constant_(model.bias, ${bias})
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

inputs = torch.randn(1000, 2)
labels = (inputs[:, :1] > 1).float()
for epoch in range(100):
    optimizer.zero_grad()
    loss = sigmoid_focal_loss(model(inputs), labels, ${torchText(numbers)}, reduction="mean")
    loss.backward()
    optimizer.step()
print(loss.item())
`
}
