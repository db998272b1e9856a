/** The panel's questions as code. */
import type { Code } from '../../ui/code.js'
import { optionsText, torchText } from '../loss_code.js'
import type { ExplainChoices } from './explained.js'

export function numbersCode({ loss, gammas, alpha, background, ignoreIndex, trained }: ExplainChoices): Code {
  const Loss = loss === 'sigmoid' ? 'SigmoidFocalLoss' : 'SoftmaxFocalLoss'
  const options = [optionsText(trained), ...(background === null ? [] : [`background: ${background === 'num-classes' ? `'${background}'` : background}`]), ...(ignoreIndex === null ? [] : [`ignoreIndex: ${ignoreIndex}`])].join(', ')
  const flags = [`--loss ${loss}`, `--gammas ${gammas.join(',')}`, ...(alpha === null ? [] : [`--alphas ${alpha}`]), ...(background === null ? [] : [`--background ${background}`]), ...(ignoreIndex === null ? [] : [`--ignore-index ${ignoreIndex}`])].join(' ')
  return {
    node: `// The same from a terminal: npx focal-loss explain logits.npy --targets targets.npy ${flags}
import { evaluate, ${Loss} } from 'focal-loss'

// Yours: rows of two logits, and a label for each
const shape = [4, 2]
const logits = Float32Array.of(2, -1, 0, 1, -3, -2, 1, 0.5)
const labels = Float32Array.of(1, 0, 0, 1, ${loss === 'sigmoid' ? '0, 0' : '0, 1'}, 1, 0)

const loss = new ${Loss}({ ${options} })
for (const { gamma, positives } of loss.explain(logits, labels, { shape, gammas: [${gammas.join(', ')}]${alpha === null ? '' : `, alphas: [${alpha}]`} }).losses) {
  console.log(\`gamma \${gamma}: positives have \${(100 * positives.gradientShare).toFixed(1)} % of the gradient\`)
}
const { raw, recalibrated } = evaluate(logits, labels, { loss, shape })
console.log('average precision', raw.averagePrecision, 'best F1', raw.thresholds.bestF1)
console.log('calibration error', raw.calibrationError, 'recalibrated', recalibrated.calibrationError)
`,
    tfjs: `import * as tf from '@tensorflow/tfjs'
import { evaluate, ${Loss} } from 'focal-loss'

const loss = new ${Loss}({ ${options} })

// Yours: what the model predicts, which are logits, and the labels
const logits = tf.tensor2d([[2, -1], [0, 1], [-3, -2], [1, 0.5]])
const labels = tf.tensor2d([[1, 0], [0, 1], [0, ${loss === 'sigmoid' ? 0 : 1}], [1, 0]])
const { raw, recalibrated } = evaluate(await logits.data(), await labels.data(), { loss, shape: logits.shape })
console.log('average precision', raw.averagePrecision, 'best F1', raw.thresholds.bestF1)
console.log('calibration error', raw.calibrationError, 'recalibrated', recalibrated.calibrationError)
`,
    pytorch: `# Writes what this panel reads
import numpy
import torch

logits = torch.tensor([[2, -1], [0, 1], [-3, -2], [1, 0.5]])
labels = torch.tensor([[1, 0], [0, 1], [0, ${loss === 'sigmoid' ? 0 : 1}], [1, 0]])
numpy.save("logits.npy", logits.float().numpy())
numpy.save("targets.npy", labels.to(torch.uint8).numpy())
# then: npx focal-loss explain logits.npy --targets targets.npy ${flags}
# trained with torchvision.ops.sigmoid_focal_loss(logits, labels, ${torchText(trained)})
`,
  }
}
