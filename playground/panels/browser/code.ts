/** The panel's benchmark as code. */
import type { Code } from '../../ui/code.js'

export function browserCode(dtype: string, elements: number): Code {
  const Logits = dtype === 'float32' ? 'Float32Array' : 'Float64Array'
  return {
    node: `// All backends, checked before they are timed: npx focal-loss bench
import { getBackend, SigmoidFocalLoss } from 'focal-loss'

const loss = new SigmoidFocalLoss({ gamma: 2, alpha: 0.25, background: -1, reduction: 'sum' })
const logits = ${Logits}.from({ length: ${elements} }, () => 6 * Math.random() - 4)
const classes = new Int32Array(logits.length / 80).fill(-1)
classes[0] = 7
const grad = new ${Logits}(logits.length)

const times = Array.from({ length: 50 }, () => {
  const begin = performance.now()
  loss.valueAndGrad(logits, classes, { grad })
  return performance.now() - begin
}).sort((a, b) => a - b)
console.log(\`\${getBackend()}: \${((1e6 * times[25]) / logits.length).toFixed(2)} ns per logit\`)
`,
    tfjs: `import * as tf from '@tensorflow/tfjs'
import { SigmoidFocalLoss } from 'focal-loss'
import { tfLoss } from 'focal-loss/tfjs'

const loss = tfLoss(tf, new SigmoidFocalLoss({ gamma: 2, alpha: 0.25 }))
const logits = tf.randomNormal([${elements / 80}, 80])
const labels = tf.zeros([${elements / 80}, 80])
const gradient = tf.grad((x) => loss(labels, x))
for (let call = 0; call < 10; call++) {
  const begin = performance.now()
  const result = gradient(logits)
  await result.data()
  result.dispose()
  console.log(\`\${tf.getBackend()}: \${((1e6 * (performance.now() - begin)) / logits.size).toFixed(2)} ns per logit\`)
}
`,
    pytorch: `import time
import torch
from torchvision.ops import sigmoid_focal_loss

logits = torch.randn(${elements / 80}, 80, dtype=torch.${dtype}, requires_grad=True)
labels = torch.zeros_like(logits)
for call in range(10):
    begin = time.perf_counter()
    torch.autograd.grad(sigmoid_focal_loss(logits, labels, alpha=0.25, gamma=2, reduction="sum"), logits)
    print(f"{1e9 * (time.perf_counter() - begin) / logits.numel():.2f} ns per logit")
`,
  }
}
