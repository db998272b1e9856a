/** The readings of the panel as code. */
import type { Code } from '../../ui/code.js'
import { optionsText, pytorchCode, tfjsCode, torchText } from '../loss_code.js'
import { type CurveOptions, rest, type Side } from './losses.js'

/** A prior to start from, where the panel has none. */
const PRIOR = 0.01

export function curveCode({ gamma, balanced, alpha, weight }: CurveOptions, side: Side, at: number, biasOf: (prior: number) => number): Code {
  const numbers = { gamma, alpha: balanced ? alpha : null }
  const target = side === 'positive' ? 1 : 0
  const logit = (side === 'positive' ? 1 : -1) * Math.log(at / (1 - at))
  return {
    node: `import { presets, SigmoidFocalLoss } from 'focal-loss'

// A ${side} whose true class is predicted with probability ${at}
const logits = Float64Array.of(${logit})
const targets = [${target}]

const losses = {
  'cross entropy': new SigmoidFocalLoss({ ...presets.crossEntropy }),
  'weighted, ${weight} / ${rest(weight)}': new SigmoidFocalLoss(presets.weightedCrossEntropy(${weight})),
  'focal loss': new SigmoidFocalLoss({ ${optionsText(numbers)} }),
}
for (const [name, loss] of Object.entries(losses)) {
  const { value, grad } = loss.valueAndGrad(logits, targets)
  console.log(\`\${name}: loss \${value.toFixed(4)}, |gradient| \${Math.abs(grad[0]).toFixed(4)}\`)
}
`,
    tfjs: tfjsCode(numbers, PRIOR),
    pytorch: `${pytorchCode(numbers, PRIOR, biasOf(PRIOR))}
# The reading on the screen
logit = torch.tensor([${logit}], requires_grad=True)
loss = sigmoid_focal_loss(logit, torch.tensor([${target}.0]), ${torchText(numbers)}, reduction="sum")
loss.backward()
print(f"loss {loss.item():.4f}, |gradient| {logit.grad.abs().item():.4f}")
`,
  }
}
